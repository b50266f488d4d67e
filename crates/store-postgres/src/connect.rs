use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use regrant_grant::Realm;
use regrant_store::{RolledBack, StoreError};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, Row, Socket};

use crate::address::connect_timeout;
use crate::connection::{Connection, STATEMENT_MILLISECONDS_MAX};
use crate::guard::{Guard, Strange};
use crate::listener::count;
use crate::primary::{Primary, Server};
use crate::rows::high_water::{FoundPlace, find_place, halt};
use crate::statements::database::{SELECT_SESSION_FACTS, SET_UP_SESSION};
use crate::tls::RustlsConnect;
use crate::{Address, OpenError};

/// The oldest PostgreSQL whose SQL the statements are in.
const SERVER_VERSION_MIN: i32 = 140_000;

/// Makes connections.
pub(crate) struct Connector {
    address: Address,
    tls: Option<RustlsConnect>,
    expected: OnceLock<(Realm, Arc<Guard>)>,
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
        let (expected, last_host, primary) = Default::default();
        Ok(Self { address, tls, expected, last_host, primary, heard: watch::Sender::new(0) })
    }

    /// Where it connects to, for messages.
    pub(crate) fn shown(&self) -> String {
        self.address.to_string()
    }

    /// From now on only the store of this realm will do, and no earlier day of it than `guard` knows of.
    pub(crate) fn expect(&self, realm: Realm, guard: Arc<Guard>) {
        // It is called once, when the store has been opened.
        let _ = self.expected.set((realm, guard));
    }

    /// What knows how far the store has come; `None` while it is opened.
    pub(crate) fn guard(&self) -> Option<&Arc<Guard>> {
        self.expected.get().map(|(_, guard)| guard)
    }

    /// How often a connection that listens was told something.
    pub(crate) fn heard(&self) -> &watch::Sender<u64> {
        &self.heard
    }

    /// A connection to the first host that can be written and has what our promises stand on, from the one on that was used last, or
    /// from the next where that one has not answered.
    ///
    /// Of a store that is open nothing is believed that is shown there before a commit was durable on it: a server that has crashed, as a
    /// whole or in one of its processes, shows what it had not acknowledged, and one whose standby was promoted commits nothing more.
    ///
    /// One that leads to an earlier day of the store is passed over, as a primary may be that was replaced and does not know it yet.
    /// Where there is no other, the store was put back: it is written down there, so that every node stops.
    pub(crate) async fn connect(&self) -> Result<Connection, OpenError> {
        let hosts = self.address.hosts();
        // A primary whose standby was promoted lets connect for ever, and commits nothing.
        let first = self.last_host.load(Ordering::Relaxed) + usize::from(self.primary.take_doubt());
        let mut failed = self.unavailable(&"it has no host");
        let (mut behind, mut too_new) = (None, None);
        for index in (0..hosts.len()).map(|turn| (first + turn) % hosts.len()) {
            let connection = match self.open_session(&hosts[index]).await {
                Ok(connection) => connection,
                Err(error) => {
                    failed = error;
                    continue;
                }
            };
            match self.admit(&connection).await {
                Ok(()) => {
                    self.last_host.store(index, Ordering::Relaxed);
                    return Ok(connection);
                }
                Err(error) if matches!(error, OpenError::RolledBack { .. }) => behind = Some((connection, error)),
                Err(error) if matches!(error, OpenError::NewerSchema { .. }) => too_new = Some(error),
                Err(error) => failed = error,
            }
        }
        let Some((connection, told)) = behind else { return Err(too_new.unwrap_or(failed)) };
        tracing::error!(%told, "nothing is decided any more");
        if let Err(error) = halt(&connection).await {
            tracing::error!(%error, "other nodes may not know that the database was put back");
        }
        Err(told)
    }

    /// How often the store has met another server than before.
    pub(crate) fn generation(&self) -> u64 {
        self.primary.generation()
    }

    /// The server that it has led to last; `None` before the first connection.
    pub(crate) fn last_server(&self) -> Option<Server> {
        self.primary.server()
    }

    /// Reaches every host once, so that a server which was promoted since is known.
    pub(crate) async fn look_around(&self) {
        for host in self.address.hosts() {
            if let Err(error) = self.open_session(host).await {
                tracing::info!(%error, "a host that may be the primary by now is not");
            }
        }
    }

    /// An error that has no better word.
    pub(crate) fn unavailable(&self, error: &dyn ToString) -> OpenError {
        OpenError::Unavailable { address: self.shown(), cause: error.to_string() }
    }

    /// What it means that a store which is opened cannot be read.
    pub(crate) fn damaged(&self, error: &StoreError) -> OpenError {
        if matches!(error, StoreError::Inconsistent { .. }) {
            OpenError::Damaged { address: self.shown(), cause: error.to_string() }
        } else {
            self.unavailable(error)
        }
    }

    async fn open_session(&self, host: &Config) -> Result<Connection, OpenError> {
        let reached = timeout(connect_timeout(host), async {
            match &self.tls {
                Some(tls) => self.dial(host, tls.clone()).await,
                None => self.dial(host, NoTls).await,
            }
        });
        let connection = reached.await.map_err(|_| self.unavailable(&"nobody answers in time"))??;
        self.set_up(connection).await
    }

    /// Whether a connection leads to the present day of the store that was opened, and what it shows is durable.
    async fn admit(&self, connection: &Connection) -> Result<(), OpenError> {
        let Some((realm, guard)) = self.expected.get() else { return Ok(()) };
        let found = self.look(connection, *realm, guard).await?;
        connection.confirm().await.map_err(|error| self.unavailable(&error))?;
        guard.reached_by_any(&found.water);
        Ok(())
    }

    async fn look(&self, connection: &Connection, realm: Realm, guard: &Guard) -> Result<FoundPlace, OpenError> {
        let asked = guard.ask();
        let (found_realm, found) = find_place(connection).await.map_err(|error| self.unavailable(&error))?;
        if found_realm != realm {
            return Err(OpenError::OtherStore { address: self.shown() });
        }
        guard.look(asked, &found, connection.generation()).map(|()| found).map_err(|strange| match strange {
            Strange::Restored => OpenError::Restored { address: self.shown() },
            Strange::NewerSchema(schema) => schema.refusal(self.shown()),
            Strange::Behind { known: marked, found } => {
                OpenError::RolledBack { address: self.shown(), how: RolledBack::BehindMark { marked, found } }
            }
        })
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
        Ok(Connection::new(client, self.tls.clone(), driver.abort_handle(), has_warned))
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
