use std::fmt;
use std::io;
use std::sync::Arc;

use regrant_protocol::Resource;
use tokio::runtime::{Builder, Runtime};

use crate::{AccessToken, Credential, LogOut, Target, TokenError, TokenManager};

/// A [`TokenManager`] for programs without a runtime: it brings one thread of its own, on which refreshes go on in the background.
///
/// Its methods block, and panic when they are called from within an asynchronous task. Clones share the thread. Dropping the last of
/// them ends an exchange that is under way; what was sent is found again by the next one.
///
/// ```
/// use regrant_client::{BlockingTokenManager, MemoryStorage, TokenError, TokenManager};
/// # use std::sync::Arc;
/// # use regrant_client::{IssuerIdentifier, OAuthClient, Provider, ReqwestTransport};
/// # use regrant_protocol::ClientId;
/// # let provider = Provider::new(IssuerIdentifier::parse("https://id.example")?, "https://id.example/token")?;
/// # let client = OAuthClient::new(provider, ClientId::parse("reports")?, Arc::new(ReqwestTransport::new()?));
///
/// let tokens = BlockingTokenManager::new(TokenManager::new(client, MemoryStorage::default()))?;
/// assert!(matches!(tokens.access_token(), Err(TokenError::LogIn(_))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct BlockingTokenManager {
    tokens: TokenManager,
    runtime: Arc<Runtime>,
}

impl BlockingTokenManager {
    /// The blocking face of `tokens`.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn new(tokens: TokenManager) -> io::Result<Self> {
        let runtime =
            Builder::new_multi_thread().worker_threads(1).thread_name("regrant-client").enable_all().build()?;
        Ok(Self { tokens, runtime: Arc::new(runtime) })
    }

    /// As [`TokenManager::for_resource`]: of the same login, on the same thread.
    #[must_use]
    pub fn for_resource(&self, resource: &Resource) -> Self {
        self.for_target(Target::resource(resource))
    }

    /// As [`TokenManager::for_target`]: of the same login, on the same thread.
    #[must_use]
    pub fn for_target(&self, target: Target) -> Self {
        Self { tokens: self.tokens.for_target(target), runtime: Arc::clone(&self.runtime) }
    }

    /// As [`TokenManager::access_token`].
    ///
    /// # Errors
    /// As there.
    pub fn access_token(&self) -> Result<AccessToken, TokenError> {
        self.runtime.block_on(self.tokens.access_token())
    }

    /// As [`TokenManager::invalidate`].
    pub fn invalidate(&self, token: &AccessToken) {
        self.tokens.invalidate(token);
    }

    /// As [`TokenManager::log_in`].
    ///
    /// # Errors
    /// As there.
    pub fn log_in(&self, credential: Credential) -> Result<(), TokenError> {
        self.runtime.block_on(self.tokens.log_in(credential))
    }

    /// As [`TokenManager::log_out`].
    ///
    /// # Errors
    /// As there.
    pub fn log_out(&self) -> Result<LogOut, TokenError> {
        self.runtime.block_on(self.tokens.log_out())
    }
}

impl fmt::Debug for BlockingTokenManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingTokenManager").field("tokens", &self.tokens).finish_non_exhaustive()
    }
}
