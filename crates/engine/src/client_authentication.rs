use std::sync::Arc;

use regrant_crypto::{ClientSecret, StoredSecret, StoredSecretError};
use regrant_grant::{ClientKind, Write};
use regrant_protocol::{ClientAuthentication, ClientId, Secret, Timestamp, TokenEndpointAuthMethod};
use regrant_store::{Client, ClientSettings, Scene, StoreError, Target, decide_in};

use crate::clients::CachedClient;
use crate::failures::FailureKey;
use crate::{AuthorizationServer, ClientAuthenticationFailure, Happening, RequestContext, TokenError, Unproven};

/// How often a request is decided anew because the client or user changed meanwhile, before it is answered 503.
pub(crate) const ATTEMPTS_MAX: u32 = 3;

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

    /// What a client is told that is not what it should be.
    pub(crate) fn unproven(&self) -> Unproven {
        Unproven {
            client: self.id().clone(),
            method: TokenEndpointAuthMethod::None,
            registered: Some(self.settings().auth_methods.clone()),
        }
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
    /// Checks who the client is (RFC 6749 §2.3), and tells of it when it did not prove that.
    pub(crate) async fn authenticate(
        &self,
        context: &RequestContext,
        claimed: &ClientAuthentication,
    ) -> Result<AuthenticatedClient, TokenError> {
        let answer = self.identify(context, claimed).await;
        answer.map_err(|error| self.not_authenticated(context, error, &claimed.client_id))
    }

    /// Passes an error on, and tells of it when it means that the client did not prove who it is.
    pub(crate) fn not_authenticated(
        &self,
        context: &RequestContext,
        error: TokenError,
        client: &ClientId,
    ) -> TokenError {
        if let Some(failure) = ClientAuthenticationFailure::of(&error) {
            self.tell(context, Happening::ClientAuthenticationFailed { client, failure });
        }
        error
    }

    /// Whatever is wrong, one Argon2id call is made for a presented secret, so
    /// that time does not tell an unknown client from a wrong secret.
    async fn identify(
        &self,
        context: &RequestContext,
        claimed: &ClientAuthentication,
    ) -> Result<AuthenticatedClient, TokenError> {
        let known = self.clients.find(&*self.store, &claimed.client_id).await?;
        let is_generated = self.is_generated_secret(known.as_deref(), claimed);
        // 256 random bits cannot be guessed: whoever has them need not wait for others who guess from the same address.
        if claimed.secret.is_some() && !is_generated {
            let failure = failure_key(context, claimed);
            self.failures.check(failure, self.clock.monotonic()).map_err(TokenError::too_many_failures)?;
        }
        let answer = self.prove(context, claimed, known.as_ref(), is_generated).await;
        // What a copy in memory refuses may be right by now.
        if answer.as_ref().is_err_and(TokenError::rests_on_the_client)
            && let Some(newer) = self.newer_than(known.as_deref(), &claimed.client_id).await?
        {
            let is_generated = self.is_generated_secret(newer.as_deref(), claimed);
            return self.prove(context, claimed, newer.as_ref(), is_generated).await;
        }
        answer
    }

    /// Checks the claim against one copy of the client, whose generated secret it may have.
    async fn prove(
        &self,
        context: &RequestContext,
        claimed: &ClientAuthentication,
        found: Option<&Arc<CachedClient>>,
        is_generated: bool,
    ) -> Result<AuthenticatedClient, TokenError> {
        let candidate = found.filter(|found| found.client.settings.auth_methods.contains(&claimed.method));
        let proven = match (&claimed.secret, candidate) {
            (None, Some(client)) => client.client.settings.is_public().then_some(client),
            (None, None) => None,
            (Some(_), Some(client)) if is_generated => Some(client),
            (Some(secret), Some(client)) => {
                let failure = failure_key(context, claimed);
                self.check_chosen_secret(client, secret, failure).await?.then_some(client)
            }
            (Some(secret), None) => {
                self.refuse_secret(secret, failure_key(context, claimed)).await?;
                None
            }
        };
        let unproven = || Unproven {
            client: claimed.client_id.clone(),
            method: claimed.method,
            registered: found.map(|found| found.client.settings.auth_methods.clone()),
        };
        let client = proven.ok_or_else(|| TokenError::ClientNotAuthenticated(unproven()))?;
        if client.client.party.enabled {
            Ok(AuthenticatedClient(Arc::clone(client)))
        } else {
            Err(TokenError::ClientDisabled)
        }
    }

    /// Reads a client that was known anew: the inner `None` when it was removed, the outer when nothing has changed.
    async fn newer_than(
        &self,
        known: Option<&CachedClient>,
        id: &ClientId,
    ) -> Result<Option<Option<Arc<CachedClient>>>, TokenError> {
        let Some(known) = known else { return Ok(None) };
        let now = self.clients.reload(&*self.store, id).await?;
        let is_same = now.as_ref().is_some_and(|now| now.client.party.version == known.client.party.version);
        Ok((!is_same).then_some(now))
    }

    /// Passes `refusal` on, unless it rests on a copy of the client that is old by now: then the request is decided anew.
    pub(crate) async fn unless_changed(
        &self,
        client: &AuthenticatedClient,
        refusal: TokenError,
    ) -> Result<(), TokenError> {
        if refusal == TokenError::Changed {
            self.clients.reload(&*self.store, client.id()).await?;
            return Ok(());
        }
        if refusal.rests_on_the_client() && self.newer_than(Some(&client.0), client.id()).await?.is_some() {
            return Ok(());
        }
        Err(refusal)
    }

    /// Fails when the client is not any more as it was read.
    pub(crate) async fn confirm(
        &self,
        context: &RequestContext,
        client: &AuthenticatedClient,
    ) -> Result<Timestamp, TokenError> {
        let version = client.client().party.version;
        let rule = move |scene: &Scene<'_>| {
            let is_same = scene.surroundings.client.is_some_and(|client| client.version == version);
            (is_same.then_some(scene.now), Write::Nothing)
        };
        let target = Target::Client(client.id().clone());
        decide_in(&*self.store, target, Some(context.begin_before()), rule).await?.ok_or(TokenError::Changed)
    }

    /// Checks a secret that is not the generated one of this client.
    async fn check_chosen_secret(
        &self,
        cached: &CachedClient,
        secret: &Secret,
        failure: FailureKey,
    ) -> Result<bool, TokenError> {
        let Ok(presented) = ClientSecret::new(secret.expose()) else {
            return self.refuse_secret(secret, failure).await;
        };
        // A secret that Argon2id accepted before is recognised by its keyed hash.
        if cached.accepts(&self.process_pepper, &presented) {
            return Ok(true);
        }
        let unreadable = |error: &StoredSecretError| StoreError::Inconsistent {
            table: "clients",
            column: "settings",
            row: cached.client.id.to_string(),
            problem: error.to_string(),
        };
        match cached.stored_secret.as_ref().map(Result::as_ref).transpose().map_err(unreadable)? {
            None | Some(StoredSecret::Keyed(_)) => self.refuse_secret(secret, failure).await,
            Some(StoredSecret::Chosen(stored)) => {
                // After a start all requests of a client come at once, and one of them is enough to know the secret.
                let _first = cached.accepting.lock().await;
                if cached.accepts(&self.process_pepper, &presented) {
                    return Ok(true);
                }
                self.failures.charge(&[failure], self.clock.monotonic()).map_err(TokenError::too_many_failures)?;
                let is_right = self.hashing.verify(stored.clone(), secret.clone()).await?;
                if is_right {
                    self.failures.give_back(&[failure]);
                    // Another request may have been faster, with the same secret.
                    let _ = cached.accepted_secret.set(StoredSecret::keyed(&self.process_pepper, &presented));
                }
                Ok(is_right)
            }
        }
    }

    /// Whether the secret is the one that this server generated for the client.
    fn is_generated_secret(&self, known: Option<&CachedClient>, claimed: &ClientAuthentication) -> bool {
        let stored = known.and_then(|known| known.stored_secret.as_ref()?.as_ref().ok());
        let presented = claimed.secret.as_ref().and_then(|secret| ClientSecret::new(secret.expose()).ok());
        match (stored, presented) {
            (Some(stored), Some(presented)) => stored.matches_keyed(self.keys.ring().pepper(), &presented),
            _ => false,
        }
    }

    /// Refuses after the work that a wrong secret costs everywhere.
    async fn refuse_secret(&self, secret: &Secret, failure: FailureKey) -> Result<bool, TokenError> {
        self.failures.charge(&[failure], self.clock.monotonic()).map_err(TokenError::too_many_failures)?;
        self.hashing.verify_for_no_client(secret.clone()).await?;
        Ok(false)
    }
}

/// What wrong secrets for a client are counted under.
fn failure_key(context: &RequestContext, claimed: &ClientAuthentication) -> FailureKey {
    FailureKey::client(context.source, claimed.client_id.as_str())
}
