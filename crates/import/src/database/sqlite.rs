use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, params_from_iter};

use super::query::Dialect;
use super::{Among, Cell, Cells, Column, Fault, Page, Shape};
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
        let connection =
            begin().map_err(|error| OpenError::Sqlite { path: path.to_owned(), cause: error.to_string() })?;
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

    pub(super) fn page(&self, page: &Page<'_>) -> Result<Vec<Cells>, Fault> {
        self.rows(&page.sql(Dialect::Sqlite), page.columns.len(), page.after)
    }

    pub(super) fn among(&self, among: &Among<'_>) -> Result<Vec<Cells>, Fault> {
        self.rows(&among.sql(Dialect::Sqlite), among.columns.len(), among.values.iter().map(String::as_str))
    }

    fn rows<'a>(
        &self,
        sql: &str,
        columns: usize,
        parameters: impl IntoIterator<Item = &'a str>,
    ) -> Result<Vec<Cells>, Fault> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params_from_iter(parameters))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let cells: Result<Cells, rusqlite::Error> =
                (0..columns).map(|column| row.get_ref(column).map(cell)).collect();
            found.push(cells?);
        }
        Ok(found)
    }
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::from_bytes(number.to_string().into_bytes()),
        ValueRef::Real(number) => Cell::from_bytes(number.to_string().into_bytes()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Cell::from_bytes(bytes.to_vec()),
    }
}
