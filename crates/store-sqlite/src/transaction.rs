use std::cell::{Cell, RefCell};

use regrant_protocol::Timestamp;
use regrant_store::{Ending, StoreError};
use rusqlite::{Connection, Params, Row, ffi};

use crate::statements::database::{RELEASE_SAVEPOINT, ROLLBACK_TO_SAVEPOINT, SAVEPOINT};

/// The transaction in which a job runs, with others before it. All statements on the tables go through it.
pub(crate) struct Transaction<'a> {
    connection: &'a Connection,
    now: Timestamp,
    failure: RefCell<Option<rusqlite::Error>>,
    is_isolated: Cell<bool>,
    changes_before: u64,
    endings: RefCell<Vec<Ending>>,
}

impl<'a> Transaction<'a> {
    /// What is done on `connection` at `now`.
    pub(crate) fn new(connection: &'a Connection, now: Timestamp) -> Self {
        let (failure, is_isolated) = (RefCell::new(None), Cell::new(false));
        let endings = RefCell::default();
        Self { connection, now, failure, endings, is_isolated, changes_before: connection.total_changes() }
    }

    /// Lets what the job writes from now on be undone without what the jobs before it wrote. A job whose only write is one
    /// statement does without, as a statement that fails has written nothing.
    pub(crate) fn isolate(&self) -> Result<(), StoreError> {
        if !self.is_isolated.replace(true) {
            self.execute(SAVEPOINT, [])?;
        }
        Ok(())
    }

    /// Ends the job: undoes what it wrote unless that is kept.
    ///
    /// # Errors
    /// When the jobs before it cannot be kept either.
    pub(crate) fn close(self, is_kept: bool) -> rusqlite::Result<()> {
        // After some failures, a full disk among them, SQLite has rolled back the others' work too.
        if let (true, Some(failure)) = (self.connection.is_autocommit(), self.failure.take()) {
            return Err(failure);
        }
        let end = |sql| self.connection.prepare_cached(sql)?.execute([]).map(drop);
        match (is_kept, self.is_isolated.get()) {
            (true, false) => Ok(()),
            (true, true) => end(RELEASE_SAVEPOINT),
            (false, true) => end(ROLLBACK_TO_SAVEPOINT).and_then(|()| end(RELEASE_SAVEPOINT)),
            (false, false) if self.connection.total_changes() == self.changes_before => Ok(()),
            (false, false) => {
                Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_ABORT), Some(HALF_DONE.to_owned())))
            }
        }
    }

    /// The time at which the step was begun.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// Notes that the step has ended something, for the journal.
    pub(crate) fn ended(&self, ending: Ending) {
        self.endings.borrow_mut().push(ending);
    }

    /// What the step has ended.
    pub(crate) fn take_endings(&self) -> Vec<Ending> {
        self.endings.take()
    }

    /// The last failure of SQLite.
    pub(crate) fn take_failure(&self) -> Option<rusqlite::Error> {
        self.failure.take()
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

    fn failed(&self, error: rusqlite::Error) -> StoreError {
        let told = StoreError::Unavailable(error.to_string());
        self.failure.replace(Some(error));
        told
    }
}

const HALF_DONE: &str = "a step failed after it had written what cannot be undone alone; report this";
