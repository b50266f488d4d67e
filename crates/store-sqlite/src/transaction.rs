use std::cell::RefCell;

use regrant_protocol::Timestamp;
use regrant_store::StoreError;
use rusqlite::{Connection, Params, Row};

/// The transaction in which a step runs. All statements on the tables go through it.
pub(crate) struct Transaction<'a> {
    connection: &'a Connection,
    now: Timestamp,
    failure: RefCell<Option<rusqlite::Error>>,
}

impl<'a> Transaction<'a> {
    /// What is done on `connection` at `now`.
    pub(crate) fn new(connection: &'a Connection, now: Timestamp) -> Self {
        Self { connection, now, failure: RefCell::new(None) }
    }

    /// The time at which the step was begun.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// The first row that `sql` finds.
    pub(crate) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(|error| self.failed(error))?;
        let mut rows = statement.query(params).map_err(|error| self.failed(error))?;
        rows.next().map_err(|error| self.failed(error))?.map(read).transpose()
    }

    /// Every row that `sql` finds.
    pub(crate) fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.some(sql, params, usize::MAX, |row| read(row).map(Some))
    }

    /// The first rows that `sql` finds and `read` makes something of, at most `count_max`.
    pub(crate) fn some<T>(
        &self,
        sql: &str,
        params: impl Params,
        count_max: usize,
        read: impl Fn(&Row<'_>) -> Result<Option<T>, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(|error| self.failed(error))?;
        let mut rows = statement.query(params).map_err(|error| self.failed(error))?;
        let mut found = Vec::new();
        while found.len() < count_max {
            let Some(row) = rows.next().map_err(|error| self.failed(error))? else { break };
            found.extend(read(row)?);
        }
        Ok(found)
    }

    /// Runs `sql` and says how many rows it wrote.
    pub(crate) fn execute(&self, sql: &str, params: impl Params) -> Result<usize, StoreError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(|error| self.failed(error))?;
        statement.execute(params).map_err(|error| self.failed(error))
    }

    /// The last failure of SQLite in this step.
    pub(crate) fn into_failure(self) -> Option<rusqlite::Error> {
        self.failure.into_inner()
    }

    fn failed(&self, error: rusqlite::Error) -> StoreError {
        let told = StoreError::Unavailable(error.to_string());
        self.failure.replace(Some(error));
        told
    }
}
