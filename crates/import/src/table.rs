//! The tables of a foreign system: what they are called, what they must hold, and the rows that they do hold.

use std::collections::BTreeSet;

use crate::database::{Among, Cell, Cells, Column, Database, PAGE_ROWS_MAX, Page, ReadError, Shape};
use crate::{Kind, OpenError, Origin, RowProblem, System};

/// A table as a system makes it.
pub(crate) struct TableSpec {
    /// Its names in the versions that are known.
    pub(crate) names: &'static [&'static str],
    /// The column by which its rows are read in order and named in messages.
    pub(crate) key: &'static str,
    /// Whether the system lets no two rows have the same.
    pub(crate) key_is_unique: bool,
    /// Whether the key is a token, which no message may show.
    pub(crate) key_is_token: bool,
    /// Columns without which it is no table of that system.
    pub(crate) required: &'static [&'static str],
    /// Columns that some versions have.
    pub(crate) optional: &'static [&'static str],
    /// Columns, beside the key, by which rows are looked up.
    pub(crate) looked_up_by: &'static [&'static str],
}

/// A table that is there.
#[derive(Clone)]
pub(crate) struct Table {
    pub(crate) name: String,
    spec: &'static TableSpec,
    /// What is read, as the specification names it and as it is here, the key first.
    columns: Vec<(&'static str, Column)>,
}

/// A row of a [`Table`].
pub(crate) struct Row<'a> {
    table: &'a Table,
    cells: &'a Cells,
    /// What messages call it.
    pub(crate) origin: Origin,
}

/// What is wrong with a column of a row.
#[derive(Debug)]
pub(crate) struct ColumnFault {
    pub(crate) column: &'static str,
    pub(crate) fault: String,
    pub(crate) remedy: &'static str,
    pub(crate) is_truncation: bool,
}

impl ColumnFault {
    pub(crate) fn new(column: &'static str, fault: impl Into<String>, remedy: &'static str) -> Self {
        Self { column, fault: fault.into(), remedy, is_truncation: false }
    }

    pub(crate) fn in_row(self, kind: Kind, origin: Origin) -> RowProblem {
        let Self { column, fault, remedy, is_truncation } = self;
        RowProblem { kind, origin, column: column.to_owned(), fault, remedy, is_truncation }
    }
}

impl TableSpec {
    /// Takes `shape` for this table.
    ///
    /// # Errors
    /// When a column is missing.
    pub(crate) fn at(&'static self, shape: &Shape, system: System) -> Result<Table, OpenError> {
        let find = |wanted: &str| shape.columns.iter().find(|column| column.name.eq_ignore_ascii_case(wanted)).cloned();
        let mut columns = Vec::new();
        for &name in std::iter::once(&self.key).chain(self.required) {
            let column = find(name).ok_or_else(|| OpenError::NoColumn {
                system,
                table: shape.name.clone(),
                column: name,
                present: shape.columns.iter().map(|column| column.name.clone()).collect(),
            })?;
            columns.push((name, column));
        }
        columns.extend(self.optional.iter().filter_map(|&name| Some((name, find(name)?))));
        Ok(Table { name: shape.name.clone(), spec: self, columns })
    }
}

impl Table {
    /// The type of a column in the database's words; empty where it is not known.
    pub(crate) fn type_of(&self, column: &str) -> &str {
        self.columns.iter().find(|(name, _)| *name == column).map_or("", |(_, column)| column.type_name.as_str())
    }

    /// The next rows after `after`, with every key whole: a page ends before a key of which there may be more.
    pub(crate) async fn page(&self, database: &mut Database, after: Option<&str>) -> Result<Vec<Cells>, ReadError> {
        let columns: Vec<&str> = self.columns.iter().map(|(_, column)| column.name.as_str()).collect();
        let page = Page {
            table: &self.name,
            columns: &columns,
            key: &self.columns[0].1,
            key_is_unique: self.spec.key_is_unique,
            after,
        };
        let mut rows = database.page(&page).await?;
        if !self.spec.key_is_unique && rows.len() == PAGE_ROWS_MAX {
            let folded = |cells: &Cells| cells[0].text().map(str::to_lowercase);
            let last = folded(&rows[rows.len() - 1]);
            let whole = rows.iter().take_while(|cells| folded(cells) != last).count();
            if whole == 0 {
                let cause = format!("more than {PAGE_ROWS_MAX} rows have one key in column {}", self.spec.key);
                return Err(ReadError { table: self.name.clone(), cause });
            }
            rows.truncate(whole);
        }
        Ok(rows)
    }

    /// The rows in which `column` has one of `values`.
    pub(crate) async fn among(
        &self,
        database: &mut Database,
        column: &str,
        values: &BTreeSet<String>,
    ) -> Result<Vec<Cells>, ReadError> {
        let Some((_, wanted)) = self.columns.iter().find(|(name, _)| *name == column) else { return Ok(Vec::new()) };
        let columns: Vec<&str> = self.columns.iter().map(|(_, column)| column.name.as_str()).collect();
        let values: Vec<String> = values.iter().cloned().collect();
        let mut rows = Vec::new();
        for values in values.chunks(PAGE_ROWS_MAX) {
            let among = Among { table: &self.name, columns: &columns, column: wanted, values };
            rows.extend(database.among(&among).await?);
        }
        Ok(rows)
    }

    /// A row of this table, called by its key.
    pub(crate) fn row<'a>(&'a self, cells: &'a Cells, digest: crate::Digest) -> Row<'a> {
        let key = cells[0].text().unwrap_or_default();
        let key = if self.spec.key_is_token { crate::TokenDigest::of(key, digest).beginning() } else { key.to_owned() };
        Row { table: self, cells, origin: Origin { table: self.name.clone(), key } }
    }
}

impl Row<'_> {
    /// The text of a column; `None` for NULL, and where this version has no such column.
    ///
    /// # Errors
    /// When it is no UTF-8.
    pub(crate) fn text(&self, column: &'static str) -> Result<Option<&str>, ColumnFault> {
        let at = self.table.columns.iter().position(|(name, _)| *name == column);
        match at.map(|at| &self.cells[at]) {
            None | Some(Cell::Null) => Ok(None),
            Some(Cell::Text(text)) => Ok(Some(text.as_str())),
            Some(Cell::NotUtf8) => Err(ColumnFault::new(
                column,
                "it is no UTF-8",
                "convert the column or the dump to UTF-8 (mysqldump: --default-character-set=utf8mb4)",
            )),
        }
    }

    /// The text of a column that must not be NULL.
    ///
    /// # Errors
    /// When it is, or is no UTF-8.
    pub(crate) fn required(&self, column: &'static str) -> Result<&str, ColumnFault> {
        self.text(column)?.ok_or_else(|| ColumnFault::new(column, "it is NULL", "correct or delete the row"))
    }

    /// A number.
    ///
    /// # Errors
    /// When there is something else.
    pub(crate) fn number(&self, column: &'static str) -> Result<Option<i64>, ColumnFault> {
        let Some(text) = self.text(column)? else { return Ok(None) };
        let number = text.trim().parse().map_err(|_| {
            ColumnFault::new(column, format!("{text:?} is no whole number"), "correct or delete the row")
        })?;
        Ok(Some(number))
    }

    /// Whether a column says yes, in any database's way.
    pub(crate) fn is_true(&self, column: &'static str) -> Result<bool, ColumnFault> {
        Ok(matches!(self.text(column)?, Some("1" | "t" | "true" | "TRUE" | "True" | "\u{1}")))
    }

    /// The type of a column in the database's words.
    pub(crate) fn type_of(&self, column: &str) -> &str {
        self.table.type_of(column)
    }
}
