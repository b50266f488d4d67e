use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use regrant_protocol::Timestamp;
use regrant_store::{Ending, StoreError};
use tokio_postgres::Row;

use crate::commit::commit;
use crate::connection::{STATEMENT_MILLISECONDS_MAX, Values};
use crate::pool::Lease;
use crate::statements::database::{BEGIN, ROLLBACK, SELECT_TIME};
use crate::store_clock::StoreClock;

/// A transaction. All statements on the tables go through it. Every statement sees what was committed before it was begun.
///
/// One that is dropped before its end takes its connection with it, and the server rolls it back: whoever asked for it went
/// away, and nothing is half done.
pub(crate) struct Transaction {
    lease: Lease,
    now: Timestamp,
    is_open: bool,
    /// Whether the counter may tell of it.
    counts: bool,
    endings: Mutex<Vec<Ending>>,
}

impl Transaction {
    /// Begins one.
    pub(crate) async fn begin(lease: Lease, clock: &StoreClock) -> Result<Self, StoreError> {
        let mut transaction = Self::reading(lease).announce(Timestamp::from_milliseconds(0));
        transaction.lease.prepared(SELECT_TIME).await?;
        let (begun, now) = tokio::join!(biased; transaction.send_begin(), time_of(&transaction.lease, clock));
        begun?;
        transaction.now = now?;
        Ok(transaction)
    }

    /// Statements that each stand for themselves, and only read. There is no time.
    pub(crate) fn reading(lease: Lease) -> Self {
        let (now, endings) = (Timestamp::from_milliseconds(0), Mutex::default());
        Self { lease, now, is_open: false, counts: true, endings }
    }

    /// The same, which changes nothing that has to be durable: no counter tells of it.
    pub(crate) fn uncounted(mut self) -> Self {
        self.counts = false;
        self
    }

    /// The same on a connection that nobody else uses: who goes away before [`give_back`](Self::give_back) takes it along, so that the
    /// next one waits for no answer that this one did not wait for.
    pub(crate) fn reading_alone(lease: Lease) -> Self {
        let mut transaction = Self::reading(lease);
        transaction.is_open = true;
        transaction
    }

    /// Ends what [`reading_alone`](Self::reading_alone) has begun.
    pub(crate) fn give_back(mut self) {
        self.is_open = false;
    }

    /// A transaction that [`send_begin`](Self::send_begin) begins, together with its first statements.
    pub(crate) fn announce(mut self, now: Timestamp) -> Self {
        self.lease.take_contention();
        self.now = now;
        self.is_open = true;
        self
    }

    /// Its connection.
    pub(crate) fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Begins it.
    pub(crate) async fn send_begin(&self) -> Result<(), StoreError> {
        self.lease.command(BEGIN, STATEMENT_MILLISECONDS_MAX).await
    }

    /// Prepares a statement that is to be sent together with others.
    pub(crate) async fn prepare(&self, sql: &'static str) -> Result<(), StoreError> {
        self.lease.prepared(sql).await.map(drop)
    }

    /// The time at which it was begun.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// The first row that `sql` finds.
    pub(crate) async fn one<T>(
        &self,
        sql: &'static str,
        values: Values<'_>,
        read: impl FnOnce(&Row) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.lease.query(sql, values).await?.first().map(read).transpose()
    }

    /// Every row that `sql` finds.
    pub(crate) async fn all<T>(
        &self,
        sql: &'static str,
        values: Values<'_>,
        read: impl FnMut(&Row) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.lease.query(sql, values).await?.iter().map(read).collect()
    }

    /// Every row that `sql` finds, as it came.
    pub(crate) async fn rows(&self, sql: &'static str, values: Values<'_>) -> Result<Vec<Row>, StoreError> {
        self.lease.query(sql, values).await
    }

    /// Runs `sql` and says how many rows it wrote.
    pub(crate) async fn execute(&self, sql: &'static str, values: Values<'_>) -> Result<u64, StoreError> {
        self.lease.execute(sql, values).await
    }

    /// Notes that it has ended something.
    pub(crate) fn ended(&self, ending: Ending) {
        self.endings.lock().unwrap_or_else(PoisonError::into_inner).push(ending);
    }

    /// Whether it has ended anything.
    pub(crate) fn has_ended_something(&self) -> bool {
        !self.endings.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Whether somebody else was in the way.
    pub(crate) fn met_contention(&self) -> bool {
        self.lease.take_contention()
    }

    /// Commits what was done, or undoes what failed.
    pub(crate) async fn end<T, E: From<StoreError>>(self, done: Result<T, E>) -> Result<T, E> {
        match done {
            Ok(value) => {
                self.commit().await?;
                Ok(value)
            }
            Err(error) => {
                self.roll_back().await;
                Err(error)
            }
        }
    }

    /// Commits. `Ok` says that it is durable, wherever the server keeps it; on an error nobody knows.
    ///
    /// What is to be in a journal first goes on when nobody waits for it any more: between the two it would leave a record of what was not
    /// done, and the next who ends something would have to do that first.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        let is_journalled =
            self.has_ended_something() && self.lease.guard().is_some_and(|guard| guard.journal().is_some());
        if !is_journalled {
            return self.commit_now().await;
        }
        let committing = tokio::spawn(self.commit_now()).await;
        committing.unwrap_or_else(|error| Err(StoreError::Unavailable(format!("a commit has ended: {error}"))))
    }

    async fn commit_now(mut self) -> Result<(), StoreError> {
        let endings = mem::take(&mut *self.endings.lock().unwrap_or_else(PoisonError::into_inner));
        let guard = self.lease.guard().filter(|_| self.counts).map(Arc::clone);
        // It stays open, and its connection is closed, unless the server has said that it is done.
        match guard {
            None => self.lease.commit().await?,
            Some(guard) => commit(&mut self, &guard, &endings).await?,
        }
        self.is_open = false;
        Ok(())
    }

    /// Undoes everything, and gives the connection back.
    pub(crate) async fn roll_back(mut self) {
        self.undo().await;
    }

    /// Undoes everything.
    pub(crate) async fn undo(&mut self) {
        self.is_open = self.lease.command(ROLLBACK, STATEMENT_MILLISECONDS_MAX).await.is_err();
    }

    /// Begins another one on the same connection, after [`undo`](Self::undo).
    pub(crate) async fn begin_again(&mut self) -> Result<(), StoreError> {
        self.is_open = true;
        self.send_begin().await
    }

    /// The server has said that it is committed.
    pub(crate) fn has_ended(&mut self) {
        self.is_open = false;
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if self.is_open {
            self.lease.lose();
        }
    }
}

/// The time of day that counts.
pub(crate) async fn time_of(lease: &Lease, clock: &StoreClock) -> Result<Timestamp, StoreError> {
    if let Some(given) = clock.given() {
        return Ok(given);
    }
    let rows = lease.query(SELECT_TIME, &[]).await?;
    let shown = rows.first().and_then(|row| row.try_get(0).ok());
    let told = || StoreError::Unavailable("the database did not tell the time".to_owned());
    shown.map(Timestamp::from_milliseconds).ok_or_else(told)
}
