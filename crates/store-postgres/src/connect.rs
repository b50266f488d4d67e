use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use regrant_grant::Realm;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, Row, Socket};

use crate::address::CONNECT_MILLISECONDS_MAX;
use crate::connection::{Connection, STATEMENT_MILLISECONDS_MAX};
use crate::id_bytes::IdBytes;
use crate::listener::count;
use crate::primary::{Primary, Server};
use crate::statements::database::{SELECT_SESSION_FACTS, SET_UP_SESSION};
use crate::statements::key::SELECT_REALM;
use crate::tls::RustlsConnect;
use crate::{Address, OpenError};

/// The oldest PostgreSQL whose SQL the statements are in.
const SERVER_VERSION_MIN: i32 = 140_000;

/// Makes connections.
pub(crate) struct Connector {
    address: Address,
    tls: Option<RustlsConnect>,
    realm: OnceLock<Realm>,
    /// Which of the hosts was connected to last.
    last_host: AtomicUsize,
    /// Shared by all pools: when one meets another primary, the others are to know.
    primary: Arc<Primary>,
    heard: watch::Sender<u64>,
}

impl Connector {
    /// Prepares to connect to `address`.
    pub(crate) fn new(address: Address) -> Result<Self, OpenError> {
        let tls = RustlsConnect::prepare(address.tls())
            .map_err(|cause| OpenError::Tls { address: address.to_string(), cause })?;
        let (realm, last_host, primary) = Default::default();
        Ok(Self { address, tls, realm, last_host, primary, heard: watch::Sender::new(0) })
    }

    /// Where it connects to, for messages.
    pub(crate) fn shown(&self) -> String {
        self.address.to_string()
    }

    /// From now on only the store of this realm will do.
    pub(crate) fn expect(&self, realm: Realm) {
        // It is called once, when the store has been opened.
        let _ = self.realm.set(realm);
    }

    /// How often a connection that listens was told something.
    pub(crate) fn heard(&self) -> &watch::Sender<u64> {
        &self.heard
    }

    /// A connection to the primary, on which is so what our promises stand on.
    pub(crate) async fn connect(&self) -> Result<Connection, OpenError> {
        let connection = self.open_session().await?;
        if let Some(expected) = self.realm.get() {
            let found = connection.query(SELECT_REALM, &[]).await.map_err(|error| self.unavailable(&error))?;
            let realm = found.first().and_then(|row| row.try_get::<_, IdBytes>(0).ok());
            if realm.map(|bytes| Realm(bytes.0)) != Some(*expected) {
                return Err(OpenError::OtherStore { address: self.shown() });
            }
        }
        Ok(connection)
    }

    /// An error that has no better word.
    pub(crate) fn unavailable(&self, error: &dyn ToString) -> OpenError {
        OpenError::Unavailable { address: self.shown(), cause: error.to_string() }
    }

    /// A session with the first host that can be written, from the one on that was used last.
    async fn open_session(&self) -> Result<Connection, OpenError> {
        let hosts = self.address.hosts();
        let first = self.last_host.load(Ordering::Relaxed);
        let mut failed = self.unavailable(&"it has no host");
        for index in (0..hosts.len()).map(|turn| (first + turn) % hosts.len()) {
            let reached = timeout(Duration::from_millis(CONNECT_MILLISECONDS_MAX), async {
                match &self.tls {
                    Some(tls) => self.dial(&hosts[index], tls.clone()).await,
                    None => self.dial(&hosts[index], NoTls).await,
                }
            });
            let connection = match reached.await {
                Ok(Ok(connection)) => connection,
                Ok(Err(error)) => {
                    failed = error;
                    continue;
                }
                Err(_) => {
                    failed = self.unavailable(&"nobody answers in time");
                    continue;
                }
            };
            match self.set_up(connection).await {
                // The one that was promoted may be among the others.
                Err(error @ OpenError::FormerPrimary { .. }) => failed = error,
                set_up => {
                    self.last_host.store(index, Ordering::Relaxed);
                    return set_up;
                }
            }
        }
        Err(failed)
    }

    /// Makes a session what our promises stand on.
    async fn set_up(&self, connection: Connection) -> Result<Connection, OpenError> {
        let set_up = async {
            connection.command(SET_UP_SESSION, STATEMENT_MILLISECONDS_MAX).await?;
            connection.query(SELECT_SESSION_FACTS, &[]).await
        };
        let facts = set_up.await.map_err(|error| self.unavailable(&error))?;
        let facts = facts.first().ok_or_else(|| self.unavailable(&"it says nothing about itself"))?;
        self.check(facts)?;
        let server = self.server(facts)?;
        let of_primary = self.primary.admit(server).map_err(|newest| OpenError::FormerPrimary {
            address: self.shown(),
            found: server.timeline,
            newest,
        })?;
        Ok(connection.of(of_primary))
    }

    fn server(&self, facts: &Row) -> Result<Server, OpenError> {
        let read = |error: tokio_postgres::Error| self.unavailable(&error);
        let timeline: i64 = facts.try_get(6).map_err(read)?;
        let started_at = facts.try_get(7).map_err(read)?;
        let timeline = u32::try_from(timeline).map_err(|error| self.unavailable(&error))?;
        Ok(Server { timeline, started_at })
    }

    async fn dial<T>(&self, host: &Config, tls: T) -> Result<Connection, OpenError>
    where
        T: MakeTlsConnect<Socket>,
        T::Stream: Send + 'static,
    {
        let connected = host.connect(tls).await;
        let (client, connection): (Client, _) =
            connected.map_err(|error| OpenError::of_driver(self.shown(), &error))?;
        let has_warned = Arc::new(AtomicBool::new(false));
        let driver = tokio::spawn(drive(connection, Arc::clone(&has_warned), self.heard.clone()));
        Ok(Connection::new(client, driver.abort_handle(), has_warned))
    }

    fn check(&self, facts: &Row) -> Result<(), OpenError> {
        let address = self.shown();
        let read = |error: tokio_postgres::Error| self.unavailable(&error);
        let version: i32 = facts.try_get(0).map_err(read)?;
        let (is_replica, is_read_only): (bool, bool) =
            (facts.try_get(1).map_err(read)?, facts.try_get(2).map_err(read)?);
        if version < SERVER_VERSION_MIN {
            return Err(OpenError::OldServer { address, found: version, oldest: SERVER_VERSION_MIN });
        }
        if is_replica || is_read_only {
            return Err(OpenError::ReadOnly { address });
        }
        if facts.try_get::<_, String>(5).map_err(read)? != "on" {
            tracing::warn!(%address, "the database has fsync = off: what is acknowledged does not survive a power cut");
        }
        let wanted: [(&str, &str, &[&str], &str); 2] = [
            ("synchronous_commit", "on or remote_apply", &["on", "remote_apply"], "let the user of it set that"),
            ("server_encoding", "UTF8", &["UTF8"], "create the database with that encoding"),
        ];
        for (index, (setting, wanted, accepted, advice)) in (3..).zip(wanted) {
            let found: String = facts.try_get(index).map_err(read)?;
            if !accepted.contains(&found.as_str()) {
                return Err(OpenError::Setting { address, setting, wanted, found, advice });
            }
        }
        Ok(())
    }
}

/// Carries a session until its end, counts what it is told where it listens, and notes when the server warns of something: a
/// commit that was cancelled while it waited for a standby says so in no other way.
async fn drive<S, T>(
    mut connection: tokio_postgres::Connection<S, T>,
    has_warned: Arc<AtomicBool>,
    heard: watch::Sender<u64>,
) where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
        match message {
            Ok(AsyncMessage::Notice(notice)) if notice.parsed_severity() == Some(WARNING) => {
                has_warned.store(true, Ordering::SeqCst);
                tracing::warn!(message = notice.message(), detail = notice.detail(), "the database warns");
            }
            Ok(AsyncMessage::Notification(_)) => count(&heard),
            Ok(_) => {}
            Err(error) => {
                tracing::info!(%error, "a connection to the database has ended");
                break;
            }
        }
    }
}

const WARNING: tokio_postgres::error::Severity = tokio_postgres::error::Severity::Warning;
