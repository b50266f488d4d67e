use super::{AMONG_ROWS_MAX, Column, Key, PAGE_ROWS_MAX, VALUE_BYTES_MAX};

/// The next rows of a table in the order of its key.
pub(crate) struct Page<'a> {
    pub(crate) table: &'a str,
    /// What is read, the key among it.
    pub(crate) columns: &'a [&'a Column],
    pub(crate) key: &'a Column,
    /// Whether no two rows have the same key, be it in the database's eyes.
    pub(crate) key_is_unique: bool,
    /// The key after which they begin.
    pub(crate) after: Option<&'a Key>,
}

/// The rows in which one column has one of some values.
pub(crate) struct Among<'a> {
    pub(crate) table: &'a str,
    /// What is read.
    pub(crate) columns: &'a [&'a Column],
    pub(crate) column: &'a Column,
    /// At most [`PAGE_ROWS_MAX`].
    pub(crate) values: &'a [String],
}

/// How a database writes names, values and casts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Mysql,
    Postgres,
}

impl Page<'_> {
    /// The query, whose one parameter is [`Page::after`] if there is one. Behind the columns it asks for the key as it is sorted by,
    /// so that a page may follow whatever the key is. Rows without a key are nobody's and left.
    pub(super) fn sql(&self, dialect: Dialect) -> String {
        let table = dialect.table(self.table);
        let columns = dialect.columns(self.columns);
        // With its table before it: PostgreSQL would order by the text of the same name that is asked for.
        let name = format!("t.{}", dialect.name(&self.key.name));
        let key = match dialect {
            // Without an index to lose, and else two rows would count as one at the seam of two pages.
            Dialect::Mysql if !self.key_is_unique => format!("CAST({name} AS BINARY)"),
            Dialect::Sqlite | Dialect::Mysql | Dialect::Postgres => name.clone(),
        };
        let bound = match self.after {
            None => format!("{name} IS NOT NULL"),
            Some(_) => format!("{key} > {}", dialect.parameter(1, self.key)),
        };
        let sorted_by = dialect.bounded(&key);
        format!("SELECT {columns}, {sorted_by} FROM {table} AS t WHERE {bound} ORDER BY {key} LIMIT {PAGE_ROWS_MAX}")
    }
}

impl Among<'_> {
    /// The query; its parameters are [`Among::values`], for PostgreSQL as one array.
    pub(super) fn sql(&self, dialect: Dialect) -> String {
        let table = dialect.table(self.table);
        let columns = dialect.columns(self.columns);
        let name = dialect.name(&self.column.name);
        let condition = match dialect {
            Dialect::Postgres => format!("{name} = ANY($1::text[]::{}[])", self.column.type_name),
            Dialect::Sqlite | Dialect::Mysql => {
                let parameters: Vec<String> =
                    (1..=self.values.len()).map(|number| dialect.parameter(number, self.column)).collect();
                format!("{name} IN ({})", parameters.join(", "))
            }
        };
        format!("SELECT {columns} FROM {table} WHERE {condition} LIMIT {AMONG_ROWS_MAX}")
    }
}

impl Dialect {
    fn name(self, name: &str) -> String {
        match self {
            Self::Mysql => format!("`{}`", name.replace('`', "``")),
            Self::Sqlite | Self::Postgres => format!("\"{}\"", name.replace('"', "\"\"")),
        }
    }

    /// A table's name; PostgreSQL's carry their schema, `public.oauth_clients`.
    fn table(self, table: &str) -> String {
        match (self, table.split_once('.')) {
            (Self::Postgres, Some((schema, table))) => format!("{}.{}", self.name(schema), self.name(table)),
            _ => self.name(table),
        }
    }

    /// The columns, each as text; bytes of MySQL as they are, because what is no text becomes NULL there.
    fn columns(self, columns: &[&Column]) -> String {
        let columns: Vec<String> = columns
            .iter()
            .map(|column| {
                let bounded = self.bounded(&self.name(&column.name));
                if self == Self::Mysql && !column.holds_bytes() { format!("CAST({bounded} AS CHAR)") } else { bounded }
            })
            .collect();
        columns.join(", ")
    }

    /// `value`, of which no more is sent than shows that it is too long. SQLite shows that without sending anything.
    fn bounded(self, value: &str) -> String {
        let characters = VALUE_BYTES_MAX + 1;
        match self {
            Self::Sqlite => value.to_owned(),
            Self::Mysql => format!("LEFT({value}, {characters})"),
            Self::Postgres => format!("left({value}::text, {characters})"),
        }
    }

    /// The parameter of that number, given as text, to be compared with `column`.
    fn parameter(self, number: usize, column: &Column) -> String {
        match self {
            Self::Sqlite => format!("?{number}"),
            Self::Mysql => "?".to_owned(),
            Self::Postgres => format!("${number}::text::{}", column.type_name),
        }
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    #[test]
    fn each_database_is_asked_in_its_own_words() {
        let key = Column { name: "id".to_owned(), type_name: "integer".to_owned() };
        let user = Column { name: "user".to_owned(), type_name: "varbinary".to_owned() };
        let seven = Key::Text(Zeroizing::new(b"7".to_vec()));
        let columns = [&key, &user];
        let page =
            |key_is_unique, after| Page { table: "public.users", columns: &columns, key: &key, key_is_unique, after };
        let cases = [
            (
                page(true, Some(&seven)).sql(Dialect::Sqlite),
                r#"SELECT "id", "user", t."id" FROM "public.users" AS t WHERE t."id" > ?1 ORDER BY t."id" LIMIT 500"#,
            ),
            (
                page(true, None).sql(Dialect::Mysql),
                "SELECT CAST(LEFT(`id`, 1048577) AS CHAR), LEFT(`user`, 1048577), LEFT(t.`id`, 1048577) FROM `public.users` AS t WHERE t.`id` IS NOT NULL ORDER BY t.`id` LIMIT 500",
            ),
            (
                page(false, Some(&seven)).sql(Dialect::Mysql),
                "SELECT CAST(LEFT(`id`, 1048577) AS CHAR), LEFT(`user`, 1048577), LEFT(CAST(t.`id` AS BINARY), 1048577) FROM `public.users` AS t WHERE CAST(t.`id` AS BINARY) > ? ORDER BY CAST(t.`id` AS BINARY) LIMIT 500",
            ),
            (
                page(true, Some(&seven)).sql(Dialect::Postgres),
                r#"SELECT left("id"::text, 1048577), left("user"::text, 1048577), left(t."id"::text, 1048577) FROM "public"."users" AS t WHERE t."id" > $1::text::integer ORDER BY t."id" LIMIT 500"#,
            ),
        ];
        for (sql, expected) in cases {
            assert_eq!(sql, expected);
        }
    }

    #[test]
    fn a_name_cannot_end_its_own_quotes() {
        assert_eq!(Dialect::Mysql.name("a`b"), "`a``b`");
        assert_eq!(Dialect::Sqlite.name("a\"b"), "\"a\"\"b\"");
    }
}
