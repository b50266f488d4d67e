use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use regrant_crypto::Jwk;
use regrant_protocol::{GrantType, Metadata, WebOrigin};
use regrant_store::StoreError;

use crate::{AuthorizationServer, TokenError};

/// How old the description may be that is told: anybody may ask for it, so that the store is not read for everybody.
const DESCRIPTION_CACHED_MAX: Duration = Duration::from_secs(1);

/// What follows from the settings of all clients together.
pub(crate) struct Description {
    pub(crate) metadata: Metadata,
    /// The origins of every client.
    pub(crate) allowed_origins: Vec<WebOrigin>,
}

impl AuthorizationServer {
    /// `GET /.well-known/oauth-authorization-server` (RFC 8414) and `GET /.well-known/openid-configuration` (OpenID Connect
    /// Discovery §4): the grant types that are offered, and the scopes that clients may ask for. The password grant and the
    /// authorization code are told only while a client has them.
    ///
    /// # Errors
    /// [`TokenError::Store`] when the clients cannot be read.
    pub async fn metadata(&self) -> Result<Metadata, TokenError> {
        Ok(self.description().await?.metadata.clone())
    }

    /// The description as it was at most [`DESCRIPTION_CACHED_MAX`] ago.
    pub(crate) async fn description(&self) -> Result<Arc<Description>, StoreError> {
        // One caller reads, and the others wait for what it read: a crowd costs the store one turn.
        let mut cached = self.description.lock().await;
        let now = self.clock.monotonic();
        if let Some((read_at, description)) = &*cached
            && now.saturating_duration_since(*read_at) < DESCRIPTION_CACHED_MAX
        {
            return Ok(Arc::clone(description));
        }
        let description = Arc::new(self.read_description().await?);
        *cached = Some((now, Arc::clone(&description)));
        Ok(description)
    }

    /// The description as it was last read, however long ago.
    pub(crate) async fn last_description(&self) -> Option<Arc<Description>> {
        self.description.lock().await.as_ref().map(|(_, description)| Arc::clone(description))
    }

    async fn read_description(&self) -> Result<Description, StoreError> {
        let mut grant_types = BTreeSet::from([GrantType::ClientCredentials, GrantType::RefreshToken]);
        let mut scopes = BTreeSet::new();
        let mut allowed_origins = Vec::new();
        for client in self.store.clients().await? {
            grant_types.extend(client.settings.grant_types);
            scopes.extend(client.settings.scope.tokens().map(str::to_owned));
            allowed_origins.extend(client.settings.allowed_origins);
        }
        let grant_types: Vec<_> = grant_types.into_iter().collect();
        let metadata = Metadata::new(&self.issuer, &grant_types, scopes.into_iter().collect());
        Ok(Description { metadata, allowed_origins })
    }

    /// `GET /jwks` (RFC 7517): every public key that a living token may be signed with. A key of another node is in it a second
    /// after it was made; that it signs an hour later is for the others.
    ///
    /// # Errors
    /// When this node waits for the master key of an emergency: a part of the keys would pass for all of them.
    pub fn jwks(&self) -> Result<Vec<Jwk>, TokenError> {
        self.all_signers_are_here()?;
        Ok(self.signing.jwks())
    }
}

#[cfg(test)]
mod tests {
    use regrant_protocol::ClientId;
    use regrant_store::ClientChange;

    use super::*;
    use crate::world::World;

    #[tokio::test]
    async fn the_code_is_told_while_a_client_may_use_it() {
        let world = World::new().await;
        let told = async || serde_json::to_value(world.server.metadata().await.unwrap()).unwrap();
        assert_eq!(
            told().await["grant_types_supported"],
            serde_json::json!(["authorization_code", "client_credentials", "refresh_token"]),
        );
        world.change(|settings| settings.grant_types = vec![GrantType::RefreshToken]).await;
        world.server.store.change_client(&ClientId::parse("other").unwrap(), ClientChange::Remove).await.unwrap();
        world.clock.advance_seconds(1);
        assert_eq!(told().await["grant_types_supported"], serde_json::json!(["client_credentials", "refresh_token"]),);
    }
}
