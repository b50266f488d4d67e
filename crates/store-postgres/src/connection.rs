use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use regrant_store::StoreError;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, SimpleQueryMessage, Statement};

use crate::cancel::CancelUnlessAnswered;
use crate::failure::Failure;
use crate::open_error::said;
use crate::primary::OfPrimary;
use crate::statements::database::{COMMIT, CONFIRM};
use crate::tls::RustlsConnect;

/// How long the answer to a statement is waited for. The server gives up a little earlier by itself.
pub const STATEMENT_MILLISECONDS_MAX: u64 = 5_000;

/// How long a commit is waited for, which may have to wait for a standby. The server goes on with it in any case.
pub const COMMIT_MILLISECONDS_MAX: u64 = 8_000;

/// A value of a statement.
pub(crate) type Value<'a> = &'a (dyn ToSql + Sync);

/// The values of a statement.
pub(crate) type Values<'a> = &'a [Value<'a>];

/// A session with the database that keeps what our promises stand on, and its prepared statements.
pub(crate) struct Connection {
    client: Client,
    /// How the server is reached; `None` without TLS.
    tls: Option<RustlsConnect>,
    driver: AbortHandle,
    /// By their text. There are as many as this crate has statements.
    statements: Mutex<HashMap<&'static str, Statement>>,
    is_contended: AtomicBool,
    is_lost: AtomicBool,
    has_warned: Arc<AtomicBool>,
    /// Which server it leads to; `None` until that is known.
    of_primary: Option<OfPrimary>,
}

impl Connection {
    /// A session that `driver` carries, which sets `has_warned` when the server warns of something.
    pub(crate) fn new(
        client: Client,
        tls: Option<RustlsConnect>,
        driver: AbortHandle,
        has_warned: Arc<AtomicBool>,
    ) -> Self {
        let statements = Mutex::new(HashMap::new());
        let (is_contended, is_lost) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { client, tls, driver, statements, is_contended, is_lost, has_warned, of_primary: None }
    }

    /// The same, of which is known which server it leads to.
    pub(crate) fn of(self, of_primary: OfPrimary) -> Self {
        let mut connection = self;
        connection.of_primary = Some(of_primary);
        connection
    }

    /// How often the store has met another server than before when this was made.
    pub(crate) fn generation(&self) -> u64 {
        self.of_primary.as_ref().map_or(0, OfPrimary::generation)
    }

    /// The driver's own, for who has no bound and no plan to keep.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Every row that `sql` finds.
    pub(crate) async fn query(&self, sql: &'static str, values: Values<'_>) -> Result<Vec<Row>, StoreError> {
        let statement = self.prepared(sql).await?;
        self.within(STATEMENT_MILLISECONDS_MAX, self.client.query(&statement, values)).await
    }

    /// Runs `sql` and says how many rows it wrote.
    pub(crate) async fn execute(&self, sql: &'static str, values: Values<'_>) -> Result<u64, StoreError> {
        let statement = self.prepared(sql).await?;
        self.within(STATEMENT_MILLISECONDS_MAX, self.client.execute(&statement, values)).await
    }

    /// Runs a command that has no values and no rows.
    pub(crate) async fn command(&self, sql: &str, milliseconds_max: u64) -> Result<(), StoreError> {
        self.within(milliseconds_max, self.client.batch_execute(sql)).await
    }

    /// Prepares `sql` unless it is. What is prepared is sent with what is asked for next to it, one right after the other.
    pub(crate) async fn prepared(&self, sql: &'static str) -> Result<Statement, StoreError> {
        let known = self.statements.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.within(STATEMENT_MILLISECONDS_MAX, self.client.prepare(sql)).await?;
        self.statements.lock().unwrap_or_else(PoisonError::into_inner).insert(sql, statement.clone());
        Ok(statement)
    }

    /// Whether somebody else was in the way since this was asked last.
    pub(crate) fn take_contention(&self) -> bool {
        self.is_contended.swap(false, Ordering::Relaxed)
    }

    /// Runs one statement that is durable when this returns how many rows it wrote.
    pub(crate) async fn execute_durably(&self, sql: &'static str, values: Values<'_>) -> Result<u64, StoreError> {
        self.has_warned.store(false, Ordering::SeqCst);
        let written = self.execute(sql, values).await?;
        self.check_warnings()?;
        Ok(written)
    }

    /// Commits. A commit of which the server warns has happened here, and perhaps on no standby: nobody may hear that it is durable.
    pub(crate) async fn commit(&self) -> Result<(), StoreError> {
        self.commit_by(COMMIT).await.map(drop)
    }

    /// The same by a message that counts before: what the store has come to then, unless it did not count.
    pub(crate) async fn commit_by(&self, sql: &str) -> Result<Option<u64>, StoreError> {
        self.has_warned.store(false, Ordering::SeqCst);
        let answers = self.within(COMMIT_MILLISECONDS_MAX, self.client.simple_query(sql)).await?;
        self.check_warnings()?;
        let counted = |answer: &SimpleQueryMessage| {
            let SimpleQueryMessage::Row(row) = answer else { return None };
            row.get(0)?.parse().ok()
        };
        Ok(answers.iter().find_map(counted))
    }

    /// Commits, and tells what was undone from what nobody knows: for who has more to undo than the transaction.
    pub(crate) async fn commit_or_tell(&self) -> Result<(), CommitFailure> {
        self.has_warned.store(false, Ordering::SeqCst);
        let committed =
            timeout(Duration::from_millis(COMMIT_MILLISECONDS_MAX), self.client.batch_execute(COMMIT)).await;
        match committed {
            Ok(Ok(())) => self.check_warnings().map_err(|warned| CommitFailure::Unknown(warned.to_string())),
            // What the server refuses to commit, it has undone; unless it was told to stop while it waited for a standby.
            Ok(Err(error)) if error.as_db_error().is_some() && !is_shutdown(&error) => {
                Err(CommitFailure::Undone(error))
            }
            Ok(Err(error)) => Err(CommitFailure::Unknown(said(&error))),
            Err(_) => {
                self.lose();
                let told =
                    format!("no answer within {COMMIT_MILLISECONDS_MAX} ms; look whether it waits for a standby");
                Err(CommitFailure::Unknown(told))
            }
        }
    }

    /// Sees that a commit is durable here now: wherever the server keeps what it commits, there is everything that was seen on this
    /// connection before. A server whose standby follows another one shows what it has for ever, and commits nothing.
    pub(crate) async fn confirm(&self) -> Result<(), StoreError> {
        // Nothing hangs on this commit, so that it is not left behind when it is given up.
        let waiting = CancelUnlessAnswered::new(self.client.cancel_token(), self.tls.clone());
        let confirmed = self.commit_by(CONFIRM).await;
        match &confirmed {
            Ok(_) => waiting.answered(),
            // What is left of it is not known.
            Err(_) => self.lose(),
        }
        confirmed.map(drop)
    }

    fn check_warnings(&self) -> Result<(), StoreError> {
        if !self.has_warned.swap(false, Ordering::SeqCst) {
            return Ok(());
        }
        self.doubt();
        let told = "the database committed with a warning, perhaps without its standby; look into its log";
        Err(StoreError::Unavailable(told.to_owned()))
    }

    /// Gives it up: nobody knows what goes on in it.
    pub(crate) fn lose(&self) {
        self.is_lost.store(true, Ordering::Relaxed);
    }

    /// Gives it up, and with it the server: it may be the primary no more, and not know it.
    fn doubt(&self) {
        self.lose();
        if let Some(of_primary) = &self.of_primary {
            of_primary.doubt();
        }
    }

    /// Whether it is of no use any more.
    pub(crate) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed) || self.client.is_closed() || self.is_retired()
    }

    /// Whether another connection has reached another server meanwhile.
    fn is_retired(&self) -> bool {
        self.of_primary.as_ref().is_some_and(|of_primary| !of_primary.holds())
    }

    async fn within<T>(
        &self,
        milliseconds_max: u64,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        match timeout(Duration::from_millis(milliseconds_max), work).await {
            // What a server said that is not the primary any more may be old, and what it did may be lost.
            Ok(Ok(_)) if self.is_retired() => {
                self.lose();
                Err(StoreError::Unavailable("the database has become another server meanwhile; ask again".to_owned()))
            }
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                let Failure { told, is_contention, is_loss } = Failure::of_driver(&error);
                self.is_contended.fetch_or(is_contention, Ordering::Relaxed);
                self.is_lost.fetch_or(is_loss, Ordering::Relaxed);
                Err(told)
            }
            Err(_) => {
                self.doubt();
                let told = format!("the database did not answer within {milliseconds_max} ms; look what it waits for");
                Err(StoreError::Unavailable(told))
            }
        }
    }
}

/// Why nobody heard that a commit is durable.
#[derive(Debug)]
pub(crate) enum CommitFailure {
    /// Nothing has happened.
    Undone(tokio_postgres::Error),
    /// It has happened, perhaps on this server alone, or it has not. Why that is not known.
    Unknown(String),
}

fn is_shutdown(error: &tokio_postgres::Error) -> bool {
    let codes = [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::QUERY_CANCELED];
    error.code().is_some_and(|code| codes.contains(code))
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Its driver would say good-bye only after every answer has come. No request to cancel is sent here: whatever the server
        // is doing, it ends or goes on by itself.
        if self.is_lost() {
            self.driver.abort();
        }
    }
}
