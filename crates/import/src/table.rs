//! The tables of a foreign system: what they are called, what they must hold, and the rows that they do hold.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::database::{
    Among, Cell, Cells, Column, Database, Key, PAGE_ROWS_MAX, Page, ReadError, Shape, VALUE_BYTES_MAX,
};
use crate::{ForeignPassword, Kind, OpenError, Origin, RowProblem, System, shortened};

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
        Self { column, fault: shortened(&fault.into()), remedy, is_truncation: false }
    }

    pub(crate) fn in_row(self, kind: Kind, origin: Origin) -> RowProblem {
        let Self { column, fault, remedy, is_truncation } = self;
        RowProblem { is_truncation, ..RowProblem::new(kind, origin, column, &fault, remedy) }
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

    /// Whether there is no row in it.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn is_empty(&self, database: &mut Database) -> Result<bool, ReadError> {
        Ok(Pages::default().next(self, database).await?.is_none())
    }

    /// The rows in which `column` has one of `values`.
    pub(crate) async fn among(
        &self,
        database: &mut Database,
        column: &str,
        values: &BTreeSet<String>,
    ) -> Result<Vec<Cells>, ReadError> {
        let Some((_, wanted)) = self.columns.iter().find(|(name, _)| *name == column) else { return Ok(Vec::new()) };
        let columns: Vec<&Column> = self.columns.iter().map(|(_, column)| column).collect();
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
        let key = match &cells[0] {
            Cell::Null | Cell::TooLong => String::new(),
            Cell::Text(text) if self.spec.key_is_token => crate::TokenDigest::of(text, digest).beginning(),
            Cell::NotUtf8(bytes) if self.spec.key_is_token => crate::TokenDigest::of_bytes(bytes, digest).beginning(),
            Cell::Text(text) if text.len() <= KEY_BYTES_MAX => text.as_str().to_owned(),
            Cell::NotUtf8(bytes) if bytes.len() <= KEY_BYTES_MAX => hexadecimal(bytes),
            // With its digest, so that no two are called the same.
            Cell::Text(text) => {
                let beginning: String = text.chars().take(KEY_CHARACTERS_SHOWN).collect();
                format!("{beginning}… (SHA-256 {}…)", crate::TokenDigest::of(text, digest).beginning())
            }
            Cell::NotUtf8(bytes) => {
                let beginning = hexadecimal(&bytes[..KEY_CHARACTERS_SHOWN]);
                format!("{beginning}… (SHA-256 {}…)", crate::TokenDigest::of_bytes(bytes, digest).beginning())
            }
        };
        Row { table: self, cells, origin: Origin { table: self.name.clone(), key } }
    }
}

/// The longest key by which a row is called, in bytes; of a longer one the beginning is shown.
const KEY_BYTES_MAX: usize = 255;
/// How much of a longer key is shown, in characters or bytes.
const KEY_CHARACTERS_SHOWN: usize = 64;

/// Bytes as SQL writes them.
fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = "x'".to_owned();
    for byte in bytes {
        write!(text, "{byte:02X}").expect("a String takes whatever is written to it");
    }
    text + "'"
}

/// How far a table was gone through: the one way in which that is done.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    after: Option<Key>,
}

impl Pages {
    /// The next rows of `table`, which is the same every time; `None` after the last. Every key is whole: a page ends before one of
    /// which there may be more.
    ///
    /// # Errors
    /// When the database fails, or more than [`PAGE_ROWS_MAX`] rows have one key.
    pub(crate) async fn next(
        &mut self,
        table: &Table,
        database: &mut Database,
    ) -> Result<Option<Vec<Cells>>, ReadError> {
        let columns: Vec<&Column> = table.columns.iter().map(|(_, column)| column).collect();
        let page = Page {
            table: &table.name,
            columns: &columns,
            key: columns[0],
            key_is_unique: table.spec.key_is_unique,
            after: self.after.as_ref(),
        };
        let mut rows = database.page(&page).await?;
        if !table.spec.key_is_unique && rows.len() == PAGE_ROWS_MAX {
            let last = rows[rows.len() - 1].key.folded();
            let whole = rows.iter().take_while(|row| row.key.folded() != last).count();
            if whole == 0 {
                let cause = format!("more than {PAGE_ROWS_MAX} rows have one key in column {}", table.spec.key);
                return Err(ReadError { table: table.name.clone(), cause });
            }
            rows.truncate(whole);
        }
        let Some(last) = rows.last() else { return Ok(None) };
        self.after = Some(last.key.clone());
        Ok(Some(rows.into_iter().map(|row| row.cells).collect()))
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
            Some(Cell::TooLong) => Err(ColumnFault::new(
                column,
                format!("it is longer than {VALUE_BYTES_MAX} bytes"),
                "correct or delete the row",
            )),
            Some(Cell::NotUtf8(_)) => Err(ColumnFault::new(
                column,
                "it is no UTF-8",
                "convert the column or the dump to UTF-8 (mysqldump: --default-character-set=utf8mb4)",
            )),
        }
    }

    /// A text that a row can do without: `None` where it is empty or NULL, and where it cannot be read, which is remarked.
    pub(crate) fn optional(&self, column: &'static str, remarks: &mut Vec<String>) -> Option<String> {
        match self.text(column) {
            Ok(text) => text.filter(|text| !text.is_empty()).map(ToOwned::to_owned),
            Err(fault) => {
                remarks.push(format!("the column {column} is left out: {}", fault.fault));
                None
            }
        }
    }

    /// The text of the key, all of it.
    ///
    /// # Errors
    /// When it is no UTF-8.
    pub(crate) fn key(&self) -> Result<&str, ColumnFault> {
        self.required(self.table.spec.key)
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

impl From<ColumnFault> for ForeignPassword {
    fn from(fault: ColumnFault) -> Self {
        Self::Unreadable { column: fault.column, fault: fault.fault }
    }
}
