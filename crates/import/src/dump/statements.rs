use std::collections::BTreeMap;
use std::io::Read;

use super::bytes::Bytes;
use super::flavor::Flavor;
use super::names::{line, name, skip_blanks, table_name, word};
use super::staging::Staging;
use super::{Fault, Interest, copy, literal, skip};
use crate::database::Column;

/// The most columns that a table may have.
const COLUMNS_MAX: usize = 512;

/// Reads every statement of a dump, and keeps the rows of the tables of `interest` in `staging`.
///
/// # Errors
/// The line at which reading stands, and what is wrong there.
pub(super) fn read<R: Read>(
    bytes: Bytes<R>,
    flavor: Flavor,
    interest: &dyn Interest,
    staging: &mut Staging,
) -> Result<(), (u64, Fault)> {
    let mut reading = Reading { bytes, flavor, interest, staging, tables: BTreeMap::new(), frame: Frame::default() };
    reading.all().map_err(|fault| (reading.bytes.line(), fault))
}

struct Reading<'a, R> {
    bytes: Bytes<R>,
    flavor: Flavor,
    interest: &'a dyn Interest,
    staging: &'a mut Staging,
    /// The columns of the tables that are read, as `CREATE TABLE` listed them.
    tables: BTreeMap<String, Vec<Column>>,
    frame: Frame,
}

/// What the comments around the statements say.
#[derive(Default)]
struct Frame {
    is_opened: bool,
    is_closed: bool,
    is_in_utc: bool,
}

impl Frame {
    fn hear(&mut self, comment: &str) {
        let opens = ["-- MySQL dump", "-- MariaDB dump", "-- PostgreSQL database dump"];
        let closes = ["-- Dump completed", "-- PostgreSQL database dump complete"];
        if closes.iter().any(|mark| comment.starts_with(mark)) {
            self.is_closed = true;
        } else if opens.iter().any(|mark| comment.starts_with(mark)) {
            self.is_opened = true;
        }
        if comment.contains("SET TIME_ZONE='+00:00'") {
            self.is_in_utc = true;
        }
    }
}

impl<R: Read> Reading<'_, R> {
    fn all(&mut self) -> Result<(), Fault> {
        loop {
            skip_blanks(&mut self.bytes, &mut |comment| self.frame.hear(comment))?;
            match self.bytes.peek()? {
                None => break,
                Some(b';') => {
                    self.bytes.take()?;
                }
                // A command to psql.
                Some(b'\\') => {
                    line(&mut self.bytes)?;
                }
                Some(_) => self.statement()?,
            }
        }
        if self.frame.is_opened && !self.frame.is_closed {
            return Err(
                "the dump has no end (\"Dump completed\"): it was cut off, and rows are missing; dump again".to_owned()
            );
        }
        self.staging.set_in_utc(self.frame.is_in_utc);
        Ok(())
    }

    fn statement(&mut self) -> Result<(), Fault> {
        match self.keyword()?.as_str() {
            "CREATE" => self.create(),
            "INSERT" | "REPLACE" => self.insert(),
            "COPY" => self.copy(),
            "DELIMITER" => skip::routines(&mut self.bytes),
            "ROLLBACK" => Err("sqlite3 gave up in the middle of this dump (ROLLBACK); dump again".to_owned()),
            "" => {
                let found = self.bytes.must_take()?;
                Err(format!("{:?} begins no statement", char::from(found)))
            }
            _ => skip::statement(&mut self.bytes, self.flavor),
        }
    }

    /// The next word in capitals; empty where none begins.
    fn keyword(&mut self) -> Result<String, Fault> {
        skip_blanks(&mut self.bytes, &mut |_| {})?;
        Ok(word(&mut self.bytes)?.to_ascii_uppercase())
    }

    /// `CREATE TABLE [IF NOT EXISTS] name (column type …, …) …;`
    fn create(&mut self) -> Result<(), Fault> {
        let mut object = self.keyword()?;
        while matches!(object.as_str(), "TEMPORARY" | "TEMP" | "UNLOGGED" | "GLOBAL" | "LOCAL") {
            object = self.keyword()?;
        }
        match object.as_str() {
            "TABLE" => {}
            "TRIGGER" if self.flavor == Flavor::Sqlite => return skip::trigger(&mut self.bytes, self.flavor),
            _ => return skip::statement(&mut self.bytes, self.flavor),
        }
        let table = loop {
            skip_blanks(&mut self.bytes, &mut |_| {})?;
            let name = table_name(&mut self.bytes)?;
            if !matches!(name.to_ascii_uppercase().as_str(), "IF" | "NOT" | "EXISTS") {
                break name;
            }
        };
        if !self.interest.wants(&table) {
            return skip::statement(&mut self.bytes, self.flavor);
        }
        let columns = self.columns()?;
        skip::statement(&mut self.bytes, self.flavor)?;
        if self.tables.contains_key(&table) {
            return Err(format!(
                "the table {table} is created twice: the dump is of several databases or schemas; dump the one that you mean"
            ));
        }
        self.staging.create(&table, &columns).map_err(|error| error.to_string())?;
        self.tables.insert(table, columns);
        Ok(())
    }

    /// The columns between the brackets of `CREATE TABLE`.
    fn columns(&mut self) -> Result<Vec<Column>, Fault> {
        self.expect(b'(')?;
        let mut columns = Vec::new();
        loop {
            let (name, is_quoted) = name(&mut self.bytes)?;
            let is_constraint = !is_quoted && CONSTRAINTS.contains(&name.to_ascii_uppercase().as_str());
            if !is_constraint && !name.is_empty() {
                let type_name = self.keyword()?.to_ascii_lowercase();
                columns.push(Column { name, type_name });
            }
            if columns.len() > COLUMNS_MAX {
                return Err(format!("a table has more than {COLUMNS_MAX} columns"));
            }
            if skip::to_end_of_item(&mut self.bytes, self.flavor)? == b')' {
                return Ok(columns);
            }
        }
    }

    /// `INSERT [IGNORE] INTO name [(columns)] VALUES (…), (…);`
    fn insert(&mut self) -> Result<(), Fault> {
        loop {
            match self.keyword()?.as_str() {
                "INTO" => break,
                "IGNORE" | "OR" | "REPLACE" | "DELAYED" | "LOW_PRIORITY" => {}
                _ => return skip::statement(&mut self.bytes, self.flavor),
            }
        }
        let table = table_name(&mut self.bytes)?;
        if !self.interest.wants(&table) {
            return skip::statement(&mut self.bytes, self.flavor);
        }
        let listed = self.listed_columns()?;
        let columns = self.prepare(&table, listed)?;
        loop {
            match self.keyword()?.as_str() {
                "VALUES" | "VALUE" => break,
                "OVERRIDING" | "SYSTEM" | "USER" => {}
                _ => return Err(format!("rows of {table} are inserted by something other than VALUES")),
            }
        }
        loop {
            let row = self.row(columns.len()).map_err(|fault| format!("a row of {table}: {fault}"))?;
            self.staging.insert(&table, &columns, row).map_err(|error| error.to_string())?;
            skip_blanks(&mut self.bytes, &mut |_| {})?;
            if !self.bytes.take_if(b',')? {
                // `;`, or what is to be done about rows that are there.
                return skip::statement(&mut self.bytes, self.flavor);
            }
        }
    }

    fn row(&mut self, columns: usize) -> Result<Vec<crate::database::Cell>, Fault> {
        self.expect(b'(')?;
        let mut row = Vec::with_capacity(columns);
        loop {
            row.push(literal::value(&mut self.bytes, self.flavor)?);
            skip_blanks(&mut self.bytes, &mut |_| {})?;
            match self.bytes.must_take()? {
                b',' if row.len() < columns => {}
                b')' if row.len() == columns => return Ok(row),
                b',' | b')' => return Err(format!("it has not {columns} values, as many as there are columns")),
                other => return Err(format!("{:?} after a value", char::from(other))),
            }
        }
    }

    /// `COPY name (columns) FROM stdin;` and its lines.
    fn copy(&mut self) -> Result<(), Fault> {
        let table = table_name(&mut self.bytes)?;
        let listed = self.listed_columns()?;
        line(&mut self.bytes)?;
        if !self.interest.wants(&table) {
            while line(&mut self.bytes)? != "\\." {
                if self.bytes.peek()?.is_none() {
                    return Err("the file ends in the middle of COPY; is it all there?".to_owned());
                }
            }
            return Ok(());
        }
        let columns = self.prepare(&table, listed)?;
        while let Some(row) = copy::line(&mut self.bytes)? {
            if row.len() != columns.len() {
                return Err(format!("a row of {table} has {} values for {} columns", row.len(), columns.len()));
            }
            self.staging.insert(&table, &columns, row).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// `(a, b, c)` if there is one.
    fn listed_columns(&mut self) -> Result<Option<Vec<String>>, Fault> {
        skip_blanks(&mut self.bytes, &mut |_| {})?;
        if !self.bytes.take_if(b'(')? {
            return Ok(None);
        }
        let mut columns = Vec::new();
        loop {
            columns.push(name(&mut self.bytes)?.0);
            skip_blanks(&mut self.bytes, &mut |_| {})?;
            match self.bytes.must_take()? {
                b',' if columns.len() < COLUMNS_MAX => {}
                b')' => return Ok(Some(columns)),
                other => return Err(format!("{:?} in a list of columns", char::from(other))),
            }
        }
    }

    /// The columns of rows to come; makes the table where the dump did not.
    fn prepare(&mut self, table: &str, listed: Option<Vec<String>>) -> Result<Vec<String>, Fault> {
        if let Some(columns) = self.tables.get(table) {
            return Ok(listed.unwrap_or_else(|| columns.iter().map(|column| column.name.clone()).collect()));
        }
        let Some(listed) = listed else {
            return Err(format!(
                "rows of {table}, but not the names of its columns; dump with its CREATE TABLE, or with --complete-insert"
            ));
        };
        let columns: Vec<Column> =
            listed.iter().map(|name| Column { name: name.clone(), type_name: String::new() }).collect();
        self.staging.create(table, &columns).map_err(|error| error.to_string())?;
        self.tables.insert(table.to_owned(), columns);
        Ok(listed)
    }

    fn expect(&mut self, wanted: u8) -> Result<(), Fault> {
        skip_blanks(&mut self.bytes, &mut |_| {})?;
        if self.bytes.take_if(wanted)? { Ok(()) } else { Err(format!("{:?} is missing", char::from(wanted))) }
    }
}

/// What begins an item of `CREATE TABLE` that is no column.
const CONSTRAINTS: [&str; 11] =
    ["PRIMARY", "KEY", "UNIQUE", "CONSTRAINT", "INDEX", "FULLTEXT", "SPATIAL", "FOREIGN", "CHECK", "EXCLUDE", "LIKE"];
