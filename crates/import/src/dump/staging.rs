use rusqlite::types::{Null, ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};

use super::Interest;
use crate::OpenError;
use crate::database::DumpFacts;
use crate::database::{Cell, Cells, Column, Shape, SqliteDatabase};
use crate::scratch::{no_room, scratch};

/// How much of the database is held in memory; the rest is in its file.
const CACHE_KIBIBYTES: i64 = 32 * 1024;

/// The database that a dump is read into: an unnamed file that nobody else can open.
pub(crate) struct Staging {
    connection: Connection,
    facts: DumpFacts,
    shapes: Vec<Shape>,
}

impl Staging {
    pub(crate) fn new(ignores_case: bool) -> Result<Self, OpenError> {
        let connection = scratch(CACHE_KIBIBYTES, "").map_err(no_room)?;
        Ok(Self { connection, facts: DumpFacts { ignores_case, is_in_utc: false }, shapes: Vec::new() })
    }

    pub(super) fn set_in_utc(&mut self, is_in_utc: bool) {
        self.facts.is_in_utc = is_in_utc;
    }

    /// Makes a table. Its values stay the texts that they are.
    pub(super) fn create(&mut self, table: &str, columns: &[Column]) -> rusqlite::Result<()> {
        let collation = if self.facts.ignores_case { " COLLATE NOCASE" } else { "" };
        let columns_sql: Vec<String> = columns
            .iter()
            .map(|column| format!("{} \"text {}\"{collation}", quoted(&column.name), column.type_name.replace('"', "")))
            .collect();
        self.connection.execute_batch(&format!("CREATE TABLE {} ({})", quoted(table), columns_sql.join(", ")))?;
        self.shapes.push(Shape { name: table.to_owned(), columns: columns.to_vec() });
        Ok(())
    }

    pub(super) fn insert(&mut self, table: &str, columns: &[String], row: Cells) -> rusqlite::Result<()> {
        let names: Vec<String> = columns.iter().map(|name| quoted(name)).collect();
        let parameters = vec!["?"; columns.len()].join(", ");
        let sql = format!("INSERT INTO {} ({}) VALUES ({parameters})", quoted(table), names.join(", "));
        self.connection.prepare_cached(&sql)?.execute(params_from_iter(row)).map(drop)
    }

    /// Makes the rows findable by the columns that they are asked for by, and hands over the database.
    pub(super) fn finish(self, interest: &dyn Interest) -> Result<SqliteDatabase, OpenError> {
        let finish = || -> rusqlite::Result<()> {
            for shape in &self.shapes {
                for wanted in interest.looked_up_by(&shape.name) {
                    let column = shape.columns.iter().find(|column| column.name.eq_ignore_ascii_case(wanted));
                    if let Some(Column { name, .. }) = column {
                        let index = quoted(&format!("{} by {name}", shape.name));
                        let (table, column) = (quoted(&shape.name), quoted(name));
                        self.connection.execute_batch(&format!("CREATE INDEX {index} ON {table} ({column})"))?;
                    }
                }
            }
            self.connection.execute_batch("COMMIT")
        };
        finish().map_err(no_room)?;
        Ok(SqliteDatabase::of_dump(self.connection, self.facts))
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Null => Null.to_sql(),
            Self::Text(text) => text.as_str().to_sql(),
            Self::NotUtf8(bytes) => Ok(ToSqlOutput::Borrowed(ValueRef::Blob(bytes))),
            // Nobody reads so much from a dump.
            Self::TooLong => Null.to_sql(),
        }
    }
}
