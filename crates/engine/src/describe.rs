use std::collections::BTreeSet;
use std::time::Duration;

use regrant_crypto::Jwk;
use regrant_protocol::{GrantType, Metadata};

use crate::{AuthorizationServer, TokenError};

/// How old the metadata may be that is told: anybody may ask for it, so that the store is not read for everybody.
const METADATA_CACHED_MAX: Duration = Duration::from_secs(1);

impl AuthorizationServer {
    /// `GET /.well-known/oauth-authorization-server` (RFC 8414): the grant types that are offered, and the scopes that
    /// clients may ask for. The password grant is told only while a client has it.
    ///
    /// # Errors
    /// [`TokenError::Store`] when the clients cannot be read.
    pub async fn metadata(&self) -> Result<Metadata, TokenError> {
        // One caller reads, and the others wait for what it read: a crowd costs the store one turn.
        let mut cached = self.metadata.lock().await;
        let now = self.clock.monotonic();
        if let Some((read_at, metadata)) = &*cached
            && now.saturating_duration_since(*read_at) < METADATA_CACHED_MAX
        {
            return Ok(metadata.clone());
        }
        let metadata = self.read_metadata().await?;
        *cached = Some((now, metadata.clone()));
        Ok(metadata)
    }

    async fn read_metadata(&self) -> Result<Metadata, TokenError> {
        let mut grant_types = BTreeSet::from([GrantType::ClientCredentials, GrantType::RefreshToken]);
        let mut scopes = BTreeSet::new();
        for client in self.store.clients().await? {
            if client.settings.grant_types.contains(&GrantType::Password) {
                grant_types.insert(GrantType::Password);
            }
            scopes.extend(client.settings.scope.tokens().map(str::to_owned));
        }
        let grant_types: Vec<_> = grant_types.into_iter().collect();
        Ok(Metadata::new(&self.issuer, &grant_types, scopes.into_iter().collect()))
    }

    /// `GET /jwks` (RFC 7517): every public key that a living access token may be signed with.
    #[must_use]
    pub fn jwks(&self) -> Vec<Jwk> {
        self.signing.jwks()
    }
}
