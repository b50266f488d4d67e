use std::fmt::Display;

use regrant_protocol::Timestamp;
use regrant_store::StoreError;
use rusqlite::Row;
use rusqlite::types::{FromSql, ValueRef};

/// Reads the columns of a row in the order of its statement. A value that cannot be is reported by table, column and row.
pub(crate) struct Columns<'a> {
    row: &'a Row<'a>,
    index: usize,
    table: &'static str,
    key: &'a dyn Display,
}

impl<'a> Columns<'a> {
    /// The columns of the row that `key` names in `table`.
    pub(crate) fn new(row: &'a Row<'a>, table: &'static str, key: &'a dyn Display) -> Self {
        Self { row, index: 0, table, key }
    }

    /// The columns from `first` on, which the statement has: those of the row that `key` names in `table`.
    pub(crate) fn beginning_at(first: &str, row: &'a Row<'a>, table: &'static str, key: &'a dyn Display) -> Self {
        let index = row.as_ref().column_index(first).expect("the statement has the column");
        Self { row, index, table, key }
    }

    /// The columns that follow are those of the row that `key` names in `table`.
    pub(crate) fn enter(&mut self, table: &'static str, key: &'a dyn Display) {
        self.table = table;
        self.key = key;
    }

    /// The next column, as its type has it.
    pub(crate) fn next<T: FromSql>(&mut self, column: &'static str) -> Result<T, StoreError> {
        T::column_result(self.stored(column)?).map_err(|error| self.inconsistent(column, &error))
    }

    /// The next column, as `read` makes it from what is stored.
    pub(crate) fn next_as<S: FromSql, T, E: Display>(
        &mut self,
        column: &'static str,
        read: impl FnOnce(S) -> Result<T, E>,
    ) -> Result<T, StoreError> {
        read(self.next(column)?).map_err(|problem| self.inconsistent(column, &problem))
    }

    /// The next column, a text, as `read` makes it from what is stored.
    pub(crate) fn text<T, E: Display>(
        &mut self,
        column: &'static str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, StoreError> {
        let stored = self.stored(column)?.as_str().map_err(|error| self.inconsistent(column, &error))?;
        read(stored).map_err(|problem| self.inconsistent(column, &problem))
    }

    /// The next column, a time.
    pub(crate) fn time(&mut self, column: &'static str) -> Result<Timestamp, StoreError> {
        self.next(column).map(Timestamp::from_milliseconds)
    }

    /// The next column, a time or never.
    pub(crate) fn optional_time(&mut self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        self.next::<Option<i64>>(column).map(|time| time.map(Timestamp::from_milliseconds))
    }

    /// The next column, a count that SQLite can hold.
    pub(crate) fn count(&mut self, column: &'static str) -> Result<u64, StoreError> {
        self.next_as(column, |stored: i64| u64::try_from(stored))
    }

    /// The next column, as it is stored.
    fn stored(&mut self, column: &'static str) -> Result<ValueRef<'a>, StoreError> {
        debug_assert_eq!(self.row.as_ref().column_name(self.index).ok(), Some(column), "{}", self.table);
        let value = self.row.get_ref(self.index).map_err(|error| self.inconsistent(column, &error))?;
        self.index += 1;
        Ok(value)
    }

    fn inconsistent(&self, column: &'static str, problem: &dyn Display) -> StoreError {
        StoreError::Inconsistent { table: self.table, column, row: self.key.to_string(), problem: problem.to_string() }
    }
}

/// A count as SQLite holds it.
pub(crate) fn stored_count(count: u64) -> Result<i64, StoreError> {
    i64::try_from(count).map_err(|_| StoreError::Unavailable(format!("{count} is more than this store can count to")))
}
