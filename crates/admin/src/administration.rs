use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use regrant_engine::{AuthorizationServer, KeyFile};
use regrant_grant::{ClientKind, Policy};
use regrant_protocol::{ClientId, GrantType, Scope, TokenEndpointAuthMethod};
use regrant_store::{AccessTokenFormat, ClientSettings, ConsentMode, IdTokenAlgorithm, OutlivesSession};

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
    /// The database or the disk failed.
    #[error("the copy was not written: {0}")]
    Failed(String),
}

/// What holds for a client of which nobody says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientDefaults {
    /// Rotation, retries and lifetimes.
    pub policy: Policy,
    /// What access tokens look like.
    pub access_token_format: AccessTokenFormat,
    /// What signs ID tokens.
    pub id_token_algorithm: IdTokenAlgorithm,
    /// Whether every refresh gives a new ID token.
    pub id_token_on_refresh: bool,
    /// When users are asked.
    pub consent: ConsentMode,
    /// Which grants live on when the login session ends.
    pub outlives_session: OutlivesSession,
}

impl ClientDefaults {
    /// A client of which nothing is said but whether it can keep a secret.
    pub(crate) fn settings(&self, kind: ClientKind) -> ClientSettings {
        let auth_methods = match kind {
            ClientKind::Public => vec![TokenEndpointAuthMethod::None],
            ClientKind::Confidential => {
                vec![TokenEndpointAuthMethod::ClientSecretBasic, TokenEndpointAuthMethod::ClientSecretPost]
            }
        };
        let grant_types = vec![GrantType::AuthorizationCode, GrantType::RefreshToken];
        ClientSettings {
            access_token_format: self.access_token_format,
            id_token_algorithm: self.id_token_algorithm,
            id_token_on_refresh: self.id_token_on_refresh,
            consent: self.consent,
            outlives_session: self.outlives_session,
            ..ClientSettings::new(auth_methods, grant_types, Scope::empty(), self.policy)
        }
    }
}
