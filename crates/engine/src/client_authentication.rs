use std::sync::Arc;

use regrant_crypto::{ClientSecret, StoredSecret, StoredSecretError};
use regrant_grant::ClientKind;
use regrant_protocol::{ClientAuthentication, ClientId, Secret};
use regrant_store::{Client, ClientSettings, StoreError};

use crate::clients::CachedClient;
use crate::failures::FailureKey;
use crate::{AuthorizationServer, RequestContext, TokenError};

/// Proof that the request comes from this client, as far as such a client can prove it: a confidential client
/// authenticated, a public client named itself. Only [`AuthorizationServer`] makes one.
#[derive(Clone)]
pub struct AuthenticatedClient(Arc<CachedClient>);

impl AuthenticatedClient {
    /// The name of the client.
    #[must_use]
    pub fn id(&self) -> &ClientId {
        &self.client().id
    }

    /// Whether the client proved itself.
    #[must_use]
    pub fn kind(&self) -> ClientKind {
        if self.settings().is_public() { ClientKind::Public } else { ClientKind::Confidential }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.0.client
    }

    pub(crate) fn settings(&self) -> &ClientSettings {
        &self.0.client.settings
    }

    /// Fails for a public client.
    pub(crate) fn must_be_confidential(&self) -> Result<(), TokenError> {
        match self.kind() {
            ClientKind::Confidential => Ok(()),
            ClientKind::Public => Err(TokenError::PublicClient),
        }
    }
}

impl std::fmt::Debug for AuthenticatedClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AuthenticatedClient({:?})", self.id())
    }
}

impl AuthorizationServer {
    /// Checks who the client is (RFC 6749 §2.3). Whatever is wrong, one Argon2id call is made for a presented secret, so
    /// that time does not tell an unknown client from a wrong secret.
    pub(crate) async fn authenticate(
        &self,
        context: &RequestContext,
        claimed: &ClientAuthentication,
    ) -> Result<AuthenticatedClient, TokenError> {
        let failure = FailureKey::client(context.source, claimed.client_id.as_str());
        let now = self.clock.monotonic();
        if claimed.secret.is_some() {
            let wait = |retry_after_seconds| TokenError::TooManyFailures { retry_after_seconds };
            self.failures.check(&failure, now).map_err(wait)?;
        }
        let found = self.clients.find(&*self.store, &claimed.client_id).await?;
        let candidate = found.filter(|found| found.client.settings.auth_methods.contains(&claimed.method));
        let proven = match (&claimed.secret, candidate) {
            (None, Some(client)) => client.client.settings.is_public().then_some(client),
            (None, None) => None,
            (Some(secret), Some(client)) => self.check_secret(&client, secret).await?.then_some(client),
            (Some(secret), None) => {
                self.hashing.verify_nothing(secret.clone()).await?;
                None
            }
        };
        let Some(client) = proven else {
            if claimed.secret.is_some() {
                self.failures.count(failure, now);
            }
            return Err(TokenError::ClientNotAuthenticated(claimed.client_id.clone()));
        };
        if !client.client.party.enabled {
            return Err(TokenError::ClientDisabled);
        }
        Ok(AuthenticatedClient(client))
    }

    async fn check_secret(&self, cached: &CachedClient, secret: &Secret) -> Result<bool, TokenError> {
        let Ok(presented) = ClientSecret::new(secret.expose()) else {
            return self.refuse_secret(secret).await;
        };
        // A secret that Argon2id accepted before is recognised by its keyed hash.
        if cached.accepted_secret.get().is_some_and(|accepted| accepted.matches_keyed(&self.process_pepper, &presented))
        {
            return Ok(true);
        }
        let Some(credential) = &cached.client.settings.credential else {
            return self.refuse_secret(secret).await;
        };
        let unreadable = |error: StoredSecretError| StoreError::Inconsistent {
            table: "clients",
            column: "settings",
            row: cached.client.id.to_string(),
            problem: error.to_string(),
        };
        let stored = StoredSecret::parse(credential.expose()).map_err(unreadable)?;
        if stored.matches_keyed(self.keys.ring().pepper(), &presented) {
            return Ok(true);
        }
        match stored {
            StoredSecret::Keyed(_) => self.refuse_secret(secret).await,
            StoredSecret::Argon2id(hash) => {
                let is_right = self.hashing.verify(hash, secret.clone()).await?;
                if is_right {
                    // Another request may have been faster, with the same secret.
                    let _ = cached.accepted_secret.set(StoredSecret::keyed(&self.process_pepper, &presented));
                }
                Ok(is_right)
            }
        }
    }

    /// Refuses after the work that a wrong secret costs everywhere.
    async fn refuse_secret(&self, secret: &Secret) -> Result<bool, TokenError> {
        self.hashing.verify_nothing(secret.clone()).await?;
        Ok(false)
    }

    /// Reads the client again when a step found that its version has changed, and asks for its proof again.
    pub(crate) async fn authenticate_anew(
        &self,
        context: &RequestContext,
        claimed: &ClientAuthentication,
    ) -> Result<AuthenticatedClient, TokenError> {
        self.clients.reload(&*self.store, &claimed.client_id).await?;
        self.authenticate(context, claimed).await
    }
}
