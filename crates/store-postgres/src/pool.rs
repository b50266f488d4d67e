use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use regrant_store::StoreError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::OpenError;
use crate::connect::Connector;
use crate::connection::Connection;
use crate::guard::Guard;

/// How long a connection that others use is waited for.
const LEASE_MILLISECONDS_MAX: u64 = 5_000;

/// So many connections at most, made when they are needed.
pub(crate) struct Pool {
    connector: Arc<Connector>,
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
    size: usize,
}

impl Pool {
    /// An empty one.
    pub(crate) fn new(connector: Arc<Connector>, size: usize) -> Arc<Self> {
        let permits = Arc::new(Semaphore::new(size));
        Arc::new(Self { connector, idle: Mutex::new(Vec::new()), permits, size })
    }

    /// Keeps a connection that was made already.
    pub(crate) fn keep(&self, connection: Connection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }

    /// A connection for one use.
    ///
    /// # Errors
    /// When there is none, and when this version does not work on the store any more.
    pub(crate) async fn lease(self: &Arc<Self>) -> Result<Lease, StoreError> {
        if let Some(guard) = self.guard() {
            guard.knows_schema()?;
        }
        self.lease_to_look().await
    }

    /// The same to look whether this version works on the store.
    pub(crate) async fn lease_to_look(self: &Arc<Self>) -> Result<Lease, StoreError> {
        let wait = timeout(Duration::from_millis(LEASE_MILLISECONDS_MAX), Arc::clone(&self.permits).acquire_owned());
        let busy = || StoreError::Unavailable(format!("all {} connections to the database are in use", self.size));
        let permit = wait.await.ok().and_then(Result::ok).ok_or_else(busy)?;
        let connection = match self.take_idle() {
            Some(connection) => connection,
            None => self.connector.connect().await.map_err(OpenError::while_open)?,
        };
        Ok(Lease { connection: Some(connection), pool: Arc::clone(self), _permit: permit })
    }

    /// What knows how far the store has come; `None` while it is opened.
    pub(crate) fn guard(&self) -> Option<&Arc<Guard>> {
        self.connector.guard()
    }

    /// Closes what nobody uses. Where one connection was lost the others lead to the same server, and whoever took them would find
    /// out one after another, each by waiting.
    fn forget_idle(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The connection that was used last; those that were lost meanwhile go.
    fn take_idle(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|connection| !connection.is_lost());
        idle.pop()
    }
}

/// A connection in use. It goes back when it is dropped, unless it was lost.
pub(crate) struct Lease {
    connection: Option<Connection>,
    pool: Arc<Pool>,
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    /// What knows how far the store has come; `None` while it is opened.
    pub(crate) fn guard(&self) -> Option<&Arc<Guard>> {
        self.pool.guard()
    }

    /// Fails when the store decides nothing any more.
    pub(crate) fn may_decide(&self) -> Result<(), StoreError> {
        self.guard().map_or(Ok(()), |guard| guard.may_decide())
    }
}

impl Deref for Lease {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("it is taken when the lease is dropped, and not before")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        match self.connection.take() {
            Some(connection) if connection.is_lost() => self.pool.forget_idle(),
            Some(connection) => self.pool.keep(connection),
            None => {}
        }
    }
}
