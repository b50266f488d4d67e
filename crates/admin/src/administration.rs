use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use regrant_engine::{AuthorizationServer, KeyFile};
use regrant_protocol::ClientId;
use regrant_store::ClientDefaults;

use crate::{SweepView, Time};

/// What the admin API administers.
pub struct Administration {
    /// The server.
    pub server: Arc<AuthorizationServer>,
    /// Where its master keys lie.
    pub key_file: Arc<dyn KeyFile>,
    /// The program around it.
    pub program: Arc<dyn Program>,
}

/// What the program around the server knows, and does for operators.
#[async_trait]
pub trait Program: Send + Sync {
    /// What holds now for a client of which nobody says otherwise.
    fn client_defaults(&self) -> ClientDefaults;

    /// Where a configuration describes a client, which holds again from the next start on, whatever operators have changed
    /// meanwhile: as in `regrant.toml:12`. `None` for a client that only operators describe.
    fn where_configured(&self, client: &ClientId) -> Option<String>;

    /// How the program is.
    fn status(&self) -> ProgramStatus;

    /// Writes a copy of the database to a file that there is not yet, and returns its size in bytes.
    ///
    /// # Errors
    /// [`BackupError`]; then no file is left behind.
    async fn back_up(&self, path: &Path) -> Result<u64, BackupError>;
}

/// How the program around the server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramStatus {
    /// Its version.
    pub version: String,
    /// What keeps everything, and where.
    pub store: String,
    /// When it started; `None` for a command that opened the store by itself.
    pub started_at: Option<Time>,
    /// What the sweeper does; `None` when there is none.
    pub sweep: Option<SweepView>,
}

/// Why no copy of the database was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackupError {
    /// The path cannot be written to: what to change about it.
    #[error("{0}")]
    Path(String),
    /// The database is no file that the program could copy: with what else it is copied.
    #[error("{0}")]
    NotAFile(String),
    /// The database or the disk failed.
    #[error("the copy was not written: {0}")]
    Failed(String),
}
