#[cfg(any(feature = "postgres", feature = "sqlite"))]
use std::path::{Path, PathBuf};
use std::sync::Arc;

use regrant_crypto::{Entropy, KeyRing, SystemEntropy};
#[cfg(feature = "sqlite")]
use regrant_data_directory::OutsideFiles;
use regrant_engine::{AuthorizationServer, Hooks, OpenError, Parts, SESSION_SECONDS};
use regrant_protocol::{Clock, Issuer, IssuerError, SystemClock};
use regrant_store::Store;

use crate::Server;
use crate::following::Following;
use crate::sweeping::{Held, Sweeping};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
use crate::{DataDirectory, DataDirectoryError};

/// A server that is still to be told where everything is kept.
pub struct NeedsStore {
    pub(crate) issuer: String,
}

/// A server that can be opened.
pub struct Builder {
    issuer: String,
    kept: Kept,
    hooks: Hooks,
    session_seconds: u32,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    sweeps: bool,
    name: String,
}

/// Where everything is kept.
enum Kept {
    #[cfg(feature = "sqlite")]
    Directory(PathBuf),
    #[cfg(feature = "postgres")]
    Postgres(Box<crate::postgres::Settings>, PathBuf),
    Store(Arc<dyn Store>, Box<KeyRing>),
}

/// Why a server cannot be opened. Each says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The issuer is none.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// The data directory or its database cannot be used.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    #[error(transparent)]
    DataDirectory(#[from] DataDirectoryError),
    /// Store and keys do not belong together, or the store failed.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The runtime is shutting down.
    #[error("the runtime ended while the data directory was opened")]
    ShuttingDown,
}

impl NeedsStore {
    /// Keeps everything in a data directory of this process alone, in one SQLite file beside its key file. It is made, for its
    /// owner only, where there is none.
    #[cfg(feature = "sqlite")]
    #[must_use]
    pub fn sqlite(self, directory: impl AsRef<Path>) -> Builder {
        self.with(Kept::Directory(directory.as_ref().to_owned()))
    }

    /// Keeps everything in PostgreSQL, which any number of servers may use at once, and the key file in a data directory of this
    /// process alone. The first server on an empty database makes the key file; the others are given a copy of it.
    ///
    /// ```no_run
    /// use regrant::postgres::{Address, Settings};
    /// use regrant::{Secret, Server};
    ///
    /// # async fn example(password: Secret) -> Result<(), Box<dyn std::error::Error>> {
    /// let address = Address::parse("postgres://regrant@db1.example,db2.example/regrant", Some(&password))?;
    /// let server = Server::builder("https://id.example").postgres(Settings::new(address), "regrant-data").open().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "postgres")]
    #[must_use]
    pub fn postgres(self, settings: crate::postgres::Settings, directory: impl AsRef<Path>) -> Builder {
        self.with(Kept::Postgres(Box::new(settings), directory.as_ref().to_owned()))
    }

    /// Keeps everything in a store of the program's own. The master keys are not in the store, and it is up to the program to
    /// keep them: without them no token of this store can be checked.
    #[must_use]
    pub fn store(self, store: Arc<dyn Store>, keys: KeyRing) -> Builder {
        self.with(Kept::Store(store, Box::new(keys)))
    }

    fn with(self, kept: Kept) -> Builder {
        Builder {
            issuer: self.issuer,
            kept,
            hooks: Hooks::default(),
            session_seconds: SESSION_SECONDS,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            sweeps: true,
            name: "embedded".to_owned(),
        }
    }
}

impl Builder {
    /// What the program adds: claims, and somebody who hears of everything.
    #[must_use]
    pub fn hooks(self, hooks: Hooks) -> Self {
        Self { hooks, ..self }
    }

    /// How long a login session lives, in seconds; [`SESSION_SECONDS`] unless this is called.
    #[must_use]
    pub fn session_seconds(self, session_seconds: u32) -> Self {
        Self { session_seconds, ..self }
    }

    /// Where the time comes from; the system's clock unless this is called.
    #[must_use]
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Where randomness comes from; the system unless this is called, which is for tests only.
    #[must_use]
    pub fn entropy(self, entropy: Arc<dyn Entropy>) -> Self {
        Self { entropy, ..self }
    }

    /// Leaves it to the program, or to another node on the same store, to sweep what ended long ago: see
    /// [`AuthorizationServer::sweeper`].
    #[must_use]
    pub fn without_sweeping(self) -> Self {
        Self { sweeps: false, ..self }
    }

    /// What operators know this server by among those on the same store; "embedded" unless this is called.
    #[must_use]
    pub fn name(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// Opens the server, makes its keys where it has none yet, and begins to sweep, and to follow other servers on the same store. It has to be called in a Tokio runtime.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn open(self) -> Result<Server, StartError> {
        let Self { issuer, kept, hooks, session_seconds, clock, entropy, sweeps, name } = self;
        let issuer = Issuer::parse(&issuer)?;
        let Opened { held, store, ring } = match kept {
            #[cfg(feature = "sqlite")]
            Kept::Directory(path) => open_directory(path, Arc::clone(&entropy), Arc::clone(&clock)).await?,
            #[cfg(feature = "postgres")]
            Kept::Postgres(settings, path) => {
                open_postgres(*settings, path, Arc::clone(&entropy), Arc::clone(&clock)).await?
            }
            Kept::Store(store, ring) => Opened { held: None, store, ring: *ring },
        };
        let parts = Parts { issuer, store, ring, clock, entropy, session_seconds, hooks };
        let server = Arc::new(AuthorizationServer::open(parts).await?);
        server.make_rs256_key().await?;
        let sweeping = sweeps.then(|| Sweeping::begin(server.sweeper(), held.clone()));
        let following = held.clone().and_then(|key_file| Following::begin(&server, name, key_file));
        Ok(Server::new(server, following, sweeping, held))
    }
}

struct Opened {
    held: Held,
    store: Arc<dyn Store>,
    ring: KeyRing,
}

/// Opens a data directory on a thread where that may take its time.
#[cfg(feature = "sqlite")]
async fn open_directory(path: PathBuf, entropy: Arc<dyn Entropy>, clock: Arc<dyn Clock>) -> Result<Opened, StartError> {
    let opening = tokio::task::spawn_blocking(move || -> Result<Opened, DataDirectoryError> {
        let directory = DataDirectory::open(&path)?;
        let ring = directory.key_ring(&*entropy)?;
        let store = Arc::new(directory.store_beside(&*entropy, clock, &OutsideFiles::default())?);
        Ok(Opened { held: Some(Arc::new(directory)), store, ring })
    });
    Ok(opening.await.map_err(|_| StartError::ShuttingDown)??)
}

/// Opens a data directory, and the store on PostgreSQL that its keys are for.
#[cfg(feature = "postgres")]
async fn open_postgres(
    settings: crate::postgres::Settings,
    path: PathBuf,
    entropy: Arc<dyn Entropy>,
    clock: Arc<dyn Clock>,
) -> Result<Opened, StartError> {
    let opening = tokio::task::spawn_blocking(move || DataDirectory::open(&path));
    let directory = opening.await.map_err(|_| StartError::ShuttingDown)??;
    let (ring, store) = directory.postgres(settings, &*entropy, clock).await?;
    Ok(Opened { held: Some(Arc::new(directory)), store: Arc::new(store), ring })
}
