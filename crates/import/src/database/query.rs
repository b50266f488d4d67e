use super::{AMONG_ROWS_MAX, Column, PAGE_ROWS_MAX};

/// The next rows of a table in the order of its key.
pub(crate) struct Page<'a> {
    pub(crate) table: &'a str,
    /// What is read, the key among it.
    pub(crate) columns: &'a [&'a str],
    pub(crate) key: &'a Column,
    /// Whether no two rows have the same key, be it in the database's eyes.
    pub(crate) key_is_unique: bool,
    /// The key after which they begin.
    pub(crate) after: Option<&'a str>,
}

/// The rows in which one column has one of some values.
pub(crate) struct Among<'a> {
    pub(crate) table: &'a str,
    /// What is read.
    pub(crate) columns: &'a [&'a str],
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
    /// The query, whose one parameter is [`Page::after`] if there is one. Rows without a key are nobody's and left.
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
        format!("SELECT {columns} FROM {table} AS t WHERE {bound} ORDER BY {key} LIMIT {PAGE_ROWS_MAX}")
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

    /// The columns, each as text.
    fn columns(self, columns: &[&str]) -> String {
        let columns: Vec<String> = columns
            .iter()
            .map(|column| match self {
                Self::Sqlite => self.name(column),
                Self::Mysql => format!("CAST({} AS CHAR)", self.name(column)),
                Self::Postgres => format!("{}::text", self.name(column)),
            })
            .collect();
        columns.join(", ")
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
    use super::*;

    #[test]
    fn each_database_is_asked_in_its_own_words() {
        let key = Column { name: "id".to_owned(), type_name: "integer".to_owned() };
        let page = |key_is_unique, after| Page {
            table: "public.users",
            columns: &["id", "user"],
            key: &key,
            key_is_unique,
            after,
        };
        let cases = [
            (
                page(true, Some("7")).sql(Dialect::Sqlite),
                r#"SELECT "id", "user" FROM "public.users" AS t WHERE t."id" > ?1 ORDER BY t."id" LIMIT 500"#,
            ),
            (
                page(true, None).sql(Dialect::Mysql),
                "SELECT CAST(`id` AS CHAR), CAST(`user` AS CHAR) FROM `public.users` AS t WHERE t.`id` IS NOT NULL ORDER BY t.`id` LIMIT 500",
            ),
            (
                page(false, Some("7")).sql(Dialect::Mysql),
                "SELECT CAST(`id` AS CHAR), CAST(`user` AS CHAR) FROM `public.users` AS t WHERE CAST(t.`id` AS BINARY) > ? ORDER BY CAST(t.`id` AS BINARY) LIMIT 500",
            ),
            (
                page(true, Some("7")).sql(Dialect::Postgres),
                r#"SELECT "id"::text, "user"::text FROM "public"."users" AS t WHERE t."id" > $1::text::integer ORDER BY t."id" LIMIT 500"#,
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
