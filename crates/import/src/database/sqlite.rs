use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, Row, ToSql, params_from_iter};
use zeroize::Zeroizing;

use super::query::Dialect;
use super::{Among, Cell, Cells, Column, Fault, Key, KeyedRow, Page, Shape, VALUE_BYTES_MAX, key_too_long};
use crate::OpenError;

/// A SQLite database, read in one transaction. A page is read on the thread that asks for it.
pub(crate) struct SqliteDatabase {
    connection: Connection,
    dump: Option<DumpFacts>,
}

/// What is known of a dump that was read into a database of our own.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DumpFacts {
    /// It was MySQL's, and compares without case.
    pub(crate) ignores_case: bool,
    /// It says `SET TIME_ZONE='+00:00'`.
    pub(crate) is_in_utc: bool,
}

impl SqliteDatabase {
    /// Opens the file at `path` for reading alone.
    ///
    /// # Errors
    /// When it cannot be opened, or is no database.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let begin = || -> rusqlite::Result<Connection> {
            let connection = Connection::open_with_flags(path, flags)?;
            connection.pragma_update(None, "query_only", true)?;
            connection.execute_batch("BEGIN")?;
            // The transaction begins with the first read.
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
            Ok(connection)
        };
        let connection = begin().map_err(|error| {
            let cause =
                if is_in_wal_mode(path) && needs_to_write(&error) { IN_WAL_MODE.to_owned() } else { error.to_string() };
            OpenError::Sqlite { path: path.to_owned(), cause }
        })?;
        Ok(Self { connection, dump: None })
    }

    /// Takes the database that a dump was read into.
    pub(crate) fn of_dump(connection: Connection, facts: DumpFacts) -> Self {
        Self { connection, dump: Some(facts) }
    }

    pub(super) fn is_live(&self) -> bool {
        self.dump.is_none()
    }

    pub(super) fn ignores_case(&self) -> bool {
        self.dump.is_some_and(|facts| facts.ignores_case)
    }

    pub(super) fn is_dumped_in_utc(&self) -> bool {
        self.dump.is_some_and(|facts| facts.is_in_utc)
    }

    pub(super) fn shapes(&self) -> Result<Vec<Shape>, OpenError> {
        let read = || -> rusqlite::Result<Vec<Shape>> {
            let mut shapes: Vec<Shape> = Vec::new();
            let mut statement = self.connection.prepare(
                "SELECT t.name, c.name, c.type FROM pragma_table_list AS t, pragma_table_xinfo(t.name) AS c
                 WHERE t.schema = 'main' AND t.type = 'table' ORDER BY t.name, c.cid",
            )?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let table: String = row.get(0)?;
                let column = Column { name: row.get(1)?, type_name: row.get::<_, String>(2)?.to_ascii_lowercase() };
                match shapes.last_mut() {
                    Some(shape) if shape.name == table => shape.columns.push(column),
                    _ => shapes.push(Shape { name: table, columns: vec![column] }),
                }
            }
            Ok(shapes)
        };
        read().map_err(|error| OpenError::Tables(error.to_string()))
    }

    pub(super) fn page(&self, page: &Page<'_>) -> Result<Vec<KeyedRow>, Fault> {
        let mut statement = self.connection.prepare_cached(&page.sql(Dialect::Sqlite))?;
        let mut rows = statement.query(params_from_iter(page.after))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let cells = cells(row, page.columns.len())?;
            found.push(KeyedRow { key: key(row.get_ref(page.columns.len())?)?, cells });
        }
        Ok(found)
    }

    pub(super) fn among(&self, among: &Among<'_>) -> Result<Vec<Cells>, Fault> {
        let mut statement = self.connection.prepare_cached(&among.sql(Dialect::Sqlite))?;
        let mut rows = statement.query(params_from_iter(among.values))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(cells(row, among.columns.len())?);
        }
        Ok(found)
    }
}

/// What to do about a file that cannot be read without writing beside it.
const IN_WAL_MODE: &str = "it is in WAL mode, and to read it a file is kept beside it (-shm), which this user may not write there; \
     copy it together with its -wal to a directory of your own and read it there, or give this user the right to write in its directory";

/// Whether readers of the file keep a file of their own beside it: the 18th byte says so.
fn is_in_wal_mode(path: &Path) -> bool {
    let mut header = [0; 19];
    File::open(path).and_then(|mut file| file.read_exact(&mut header)).is_ok() && header[18] == 2
}

fn needs_to_write(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen))
}

fn cells(row: &Row<'_>, count: usize) -> rusqlite::Result<Cells> {
    (0..count).map(|column| row.get_ref(column).map(cell)).collect()
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::from_bytes(number.to_string().into_bytes()),
        ValueRef::Real(number) => Cell::from_bytes(number.to_string().into_bytes()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Cell::copied(bytes),
    }
}

fn key(value: ValueRef<'_>) -> Result<Key, Fault> {
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) if bytes.len() > VALUE_BYTES_MAX => Err(key_too_long()),
        ValueRef::Integer(number) => Ok(Key::Integer(number)),
        ValueRef::Real(number) => Ok(Key::Real(number)),
        ValueRef::Text(bytes) => Ok(Key::Text(Zeroizing::new(bytes.to_vec()))),
        ValueRef::Blob(bytes) => Ok(Key::Blob(Zeroizing::new(bytes.to_vec()))),
        ValueRef::Null => Err("a row without a key was not left out".into()),
    }
}

/// SQLite compares values of different types by their types, and text by its bytes, UTF-8 or not.
impl ToSql for Key {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(bytes) => ValueRef::Text(bytes),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
