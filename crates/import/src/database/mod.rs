//! A foreign database, whichever it is: tables by name, rows by key, every value as text.

mod key;
mod mysql;
mod postgres;
mod query;
mod sqlite;
mod url;

use std::fmt;

use zeroize::Zeroizing;

pub(crate) use key::Key;
pub(crate) use mysql::MysqlDatabase;
pub(crate) use postgres::PostgresDatabase;
pub(crate) use query::{Among, Page};
pub(crate) use sqlite::{DumpFacts, SqliteDatabase};
pub(crate) use url::{DatabaseUrl, Scheme};

use crate::OpenError;

/// The most rows that are read at once.
pub(crate) const PAGE_ROWS_MAX: usize = 500;
/// The longest value of a table that is read, in bytes.
pub(crate) const VALUE_BYTES_MAX: usize = 1024 * 1024;
/// The most rows that may belong to one page in another table, such as the scopes of its tokens.
pub(crate) const AMONG_ROWS_MAX: usize = 100 * PAGE_ROWS_MAX;

/// An open database, seen as it was at one moment.
pub(crate) enum Database {
    /// A file of its own, or one that a dump was read into.
    Sqlite(SqliteDatabase),
    /// MySQL or MariaDB.
    Mysql(MysqlDatabase),
    /// PostgreSQL.
    Postgres(PostgresDatabase),
}

/// A table as it is there.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    /// Its name, in the case in which the database writes it.
    pub(crate) name: String,
    /// Its columns, in order.
    pub(crate) columns: Vec<Column>,
}

/// A column as it is there.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    /// Its name, in the case in which the database writes it.
    pub(crate) name: String,
    /// Its type in the database's words, without its length.
    pub(crate) type_name: String,
}

impl Column {
    /// Whether MySQL keeps bytes in it, of which it does not say what text they are.
    fn holds_bytes(&self) -> bool {
        self.type_name.ends_with("binary") || self.type_name.ends_with("blob")
    }
}

/// One value of a row. It may be a token or a secret, and is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    /// SQL's NULL.
    Null,
    /// Anything else, as text.
    Text(Zeroizing<String>),
    /// Bytes that are no UTF-8.
    NotUtf8(Zeroizing<Vec<u8>>),
    /// More than [`VALUE_BYTES_MAX`] bytes, which were left where they are.
    TooLong,
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Text(_) => "Text(redacted)",
            Self::NotUtf8(_) => "NotUtf8(redacted)",
            Self::TooLong => "TooLong",
        })
    }
}

impl Cell {
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self::Text(Zeroizing::new(text)),
            Err(error) => Self::NotUtf8(Zeroizing::new(error.into_bytes())),
        }
    }

    /// As [`Cell::from_bytes`], but what is too long is not copied.
    fn copied(bytes: &[u8]) -> Self {
        if bytes.len() > VALUE_BYTES_MAX { Self::TooLong } else { Self::from_bytes(bytes.to_vec()) }
    }

    /// The text; `None` for NULL and for what is no text.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::NotUtf8(_) | Self::TooLong => None,
        }
    }
}

/// The values of a row, in the order in which its columns were asked for.
pub(crate) type Cells = Vec<Cell>;

/// A row of a [`Page`]: its values, and the key that the next page may follow.
pub(crate) struct KeyedRow {
    pub(crate) key: Key,
    pub(crate) cells: Cells,
}

/// Reading failed in the middle: the server went away, or a value cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("reading {table}: {cause}")]
pub struct ReadError {
    /// The table that was being read.
    pub table: String,
    /// What the database said; values of rows are not in it.
    pub cause: String,
}

impl ReadError {
    fn new(table: &str, cause: &dyn std::fmt::Display) -> Self {
        Self { table: table.to_owned(), cause: cause.to_string() }
    }
}

impl Database {
    /// Every table that can be seen.
    ///
    /// # Errors
    /// When the database does not say.
    pub(crate) async fn shapes(&mut self) -> Result<Vec<Shape>, OpenError> {
        match self {
            Self::Sqlite(database) => database.shapes(),
            Self::Mysql(database) => database.shapes().await,
            Self::Postgres(database) => database.shapes().await,
        }
    }

    /// The next rows of a table in the order of its key, at most [`PAGE_ROWS_MAX`]; none after the last.
    ///
    /// # Errors
    /// When the database fails, or a key is longer than [`VALUE_BYTES_MAX`].
    pub(crate) async fn page(&mut self, page: &Page<'_>) -> Result<Vec<KeyedRow>, ReadError> {
        let rows = match self {
            Self::Sqlite(database) => database.page(page),
            Self::Mysql(database) => database.page(page).await,
            Self::Postgres(database) => database.page(page).await,
        };
        rows.map_err(|cause| ReadError::new(page.table, &*cause))
    }

    /// The rows of a table in which one column has one of at most [`PAGE_ROWS_MAX`] values.
    ///
    /// # Errors
    /// When the database fails, or there are more than [`AMONG_ROWS_MAX`].
    pub(crate) async fn among(&mut self, among: &Among<'_>) -> Result<Vec<Cells>, ReadError> {
        if among.values.is_empty() {
            return Ok(Vec::new());
        }
        let rows = match self {
            Self::Sqlite(database) => database.among(among),
            Self::Mysql(database) => database.among(among).await,
            Self::Postgres(database) => database.among(among).await,
        };
        let rows = rows.map_err(|cause| ReadError::new(among.table, &*cause))?;
        if rows.len() >= AMONG_ROWS_MAX {
            let cause = format!("more than {AMONG_ROWS_MAX} rows belong to {} others", among.values.len());
            return Err(ReadError::new(among.table, &cause));
        }
        Ok(rows)
    }

    /// Whether it takes `Alice` and `alice` for the same: MySQL's default collations do, and so does a dump of it here.
    pub(crate) fn ignores_case(&self) -> bool {
        match self {
            Self::Sqlite(database) => database.ignores_case(),
            Self::Mysql(_) => true,
            Self::Postgres(_) => false,
        }
    }

    /// Whether it is a database of its own, which lets no two rows have one primary key; a dump may say everything twice.
    pub(crate) fn is_live(&self) -> bool {
        match self {
            Self::Sqlite(database) => database.is_live(),
            Self::Mysql(_) | Self::Postgres(_) => true,
        }
    }

    /// Whether its `TIMESTAMP` columns are in UTC whatever the program wrote: see [`Zones::database`](crate::Zones).
    pub(crate) fn is_dumped_in_utc(&self) -> bool {
        match self {
            Self::Sqlite(database) => database.is_dumped_in_utc(),
            Self::Mysql(_) | Self::Postgres(_) => false,
        }
    }
}

/// What a driver says when it fails.
type Fault = Box<dyn std::error::Error + Send + Sync>;

/// That no page can follow a row.
fn key_too_long() -> Fault {
    format!("a row has a key of more than {VALUE_BYTES_MAX} bytes, after which nothing can be read; delete it").into()
}
