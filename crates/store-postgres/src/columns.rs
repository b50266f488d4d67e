use std::fmt::Display;

use regrant_protocol::Timestamp;
use regrant_store::StoreError;
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::id_bytes::IdBytes;

/// Reads the columns of a row in the order of its statement. A value that cannot be is reported by table, column and row.
pub(crate) struct Columns<'a> {
    row: &'a Row,
    index: usize,
    table: &'static str,
    key: &'a dyn Display,
}

impl<'a> Columns<'a> {
    /// The columns of the row that `key` names in `table`.
    pub(crate) fn new(row: &'a Row, table: &'static str, key: &'a dyn Display) -> Self {
        Self { row, index: 0, table, key }
    }

    /// The columns from the one at `index` on: those of the row that `key` names in `table`.
    pub(crate) fn beginning_at(index: usize, row: &'a Row, table: &'static str, key: &'a dyn Display) -> Self {
        Self { row, index, table, key }
    }

    /// The columns that follow are those of the row that `key` names in `table`.
    pub(crate) fn enter(&mut self, table: &'static str, key: &'a dyn Display) {
        self.table = table;
        self.key = key;
    }

    /// The place of the next column.
    pub(crate) fn index(&self) -> usize {
        self.index
    }

    /// The next column, as its type has it.
    pub(crate) fn next<T: FromSql<'a>>(&mut self, column: &'static str) -> Result<T, StoreError> {
        debug_assert_eq!(self.row.columns().get(self.index).map(|found| found.name()), Some(column), "{}", self.table);
        let value = self.row.try_get(self.index).map_err(|error| self.inconsistent(column, &error))?;
        self.index += 1;
        Ok(value)
    }

    /// The next column, as `read` makes it from what is stored.
    pub(crate) fn next_as<S: FromSql<'a>, T, E: Display>(
        &mut self,
        column: &'static str,
        read: impl FnOnce(S) -> Result<T, E>,
    ) -> Result<T, StoreError> {
        read(self.next(column)?).map_err(|problem| self.inconsistent(column, &problem))
    }

    /// The next column, 16 bytes.
    pub(crate) fn id(&mut self, column: &'static str) -> Result<[u8; 16], StoreError> {
        self.next::<IdBytes>(column).map(|bytes| bytes.0)
    }

    /// The next column, 16 bytes or none.
    pub(crate) fn optional_id(&mut self, column: &'static str) -> Result<Option<[u8; 16]>, StoreError> {
        self.next::<Option<IdBytes>>(column).map(|bytes| bytes.map(|bytes| bytes.0))
    }

    /// The next column, so many bytes.
    pub(crate) fn bytes<const N: usize>(&mut self, column: &'static str) -> Result<[u8; N], StoreError> {
        self.next_as(column, |stored: &[u8]| {
            stored.try_into().map_err(|_| format!("it has {} bytes, and should have {N}", stored.len()))
        })
    }

    /// The next column, a time.
    pub(crate) fn time(&mut self, column: &'static str) -> Result<Timestamp, StoreError> {
        self.next(column).map(Timestamp::from_milliseconds)
    }

    /// The next column, a time or never.
    pub(crate) fn optional_time(&mut self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        self.next::<Option<i64>>(column).map(|time| time.map(Timestamp::from_milliseconds))
    }

    /// The next column, a count.
    pub(crate) fn count(&mut self, column: &'static str) -> Result<u64, StoreError> {
        self.next_as(column, |stored: i64| u64::try_from(stored))
    }

    /// The next column, 32 bits.
    pub(crate) fn bits(&mut self, column: &'static str) -> Result<u32, StoreError> {
        self.next(column).map(i32::cast_unsigned)
    }

    /// The next column, a number that one byte holds.
    pub(crate) fn small(&mut self, column: &'static str) -> Result<u8, StoreError> {
        self.next_as(column, |stored: i16| u8::try_from(stored))
    }

    fn inconsistent(&self, column: &'static str, problem: &dyn Display) -> StoreError {
        StoreError::Inconsistent { table: self.table, column, row: self.key.to_string(), problem: problem.to_string() }
    }
}

/// A count as PostgreSQL holds it.
pub(crate) fn stored_count(count: u64) -> Result<i64, StoreError> {
    i64::try_from(count).map_err(|_| StoreError::Unavailable(format!("{count} is more than this store can count to")))
}
