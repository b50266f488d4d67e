use std::fmt;
use std::sync::Arc;

use regrant_crypto::{Entropy, SystemEntropy};
use regrant_protocol::{ClientId, Clock, Resources, Scope, Secret, SystemClock, Timestamp};

use crate::learned::Learned;
use crate::token_request::{Form, Reply, unanswered, with_scope, with_target};
use crate::{
    AccessToken, Credential, Dpop, DpopKey, Failure, Pending, PrivateKeyJwt, Proof, Provider, RefreshToken, Target,
    TokenError, TokenType, Transport, classify,
};

/// A client at one server: who it is there, and the requests that it sends.
///
/// ```
/// use std::sync::Arc;
/// use regrant_client::{Authentication, IssuerIdentifier, OAuthClient, Provider, ReqwestTransport};
/// use regrant_protocol::{ClientId, Secret};
///
/// let issuer = IssuerIdentifier::parse("https://id.example")?;
/// let provider = Provider::new(issuer, "https://id.example/token")?;
/// let secret = Secret::new("a secret from the environment".to_owned());
/// let client = OAuthClient::new(provider, ClientId::parse("reports")?, Arc::new(ReqwestTransport::new()?))
///     .authenticated_by(Authentication::Basic(secret));
/// assert_eq!(client.id().as_str(), "reports");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct OAuthClient {
    provider: Provider,
    id: ClientId,
    authentication: Authentication,
    resources: Resources,
    dpop: Dpop,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    learned: Arc<Learned>,
}

/// How a client proves who it is (RFC 6749 §2.3, OpenID Connect Core §9).
#[derive(Clone, Debug)]
pub enum Authentication {
    /// Not at all: a public client.
    None,
    /// In the `Authorization` header (`client_secret_basic`).
    Basic(Secret),
    /// In the form (`client_secret_post`).
    Post(Secret),
    /// By a signature, and no secret is sent (`private_key_jwt`).
    PrivateKeyJwt(PrivateKeyJwt),
}

impl OAuthClient {
    /// A public client, on the clock and with the randomness of this machine.
    #[must_use]
    pub fn new(provider: Provider, id: ClientId, transport: Arc<dyn Transport>) -> Self {
        Self {
            provider,
            id,
            authentication: Authentication::None,
            resources: Resources::none(),
            dpop: Dpop::Off,
            transport,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            learned: Arc::default(),
        }
    }

    /// The same client, which proves who it is.
    #[must_use]
    pub fn authenticated_by(self, authentication: Authentication) -> Self {
        Self { authentication, ..self }
    }

    /// The same client, whose tokens are for these resource servers (RFC 8707).
    #[must_use]
    pub fn for_resources(self, resources: Resources) -> Self {
        Self { resources, ..self }
    }

    /// The same client, whose next logins are bound to a key of their own, or not. Logins that are kept stay as they are.
    #[must_use]
    pub fn with_dpop(self, dpop: Dpop) -> Self {
        Self { dpop, ..self }
    }

    /// The same client with another clock and other randomness, as tests need.
    #[must_use]
    pub fn with_clock_and_entropy(self, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { clock, entropy, ..self }
    }

    /// The server.
    #[must_use]
    pub const fn provider(&self) -> &Provider {
        &self.provider
    }

    /// The client's name at the server.
    #[must_use]
    pub const fn id(&self) -> &ClientId {
        &self.id
    }

    /// A login with a user's password (RFC 6749 §4.3). OAuth 2.1 has no such grant: only where nothing else is left.
    ///
    /// # Errors
    /// [`Failure::Terminal`] when the password is wrong.
    pub async fn password(&self, username: &str, password: &Secret, scope: &Scope) -> Result<Credential, Failure> {
        let form = vec![("grant_type", "password"), ("username", username), ("password", password.expose())];
        self.log_in(with_scope(form, scope), scope, self.new_key()).await
    }

    /// The client's own tokens (RFC 6749 §4.4).
    ///
    /// # Errors
    /// When the server gives none.
    pub async fn client_credentials(&self, scope: &Scope) -> Result<Credential, Failure> {
        self.log_in(with_scope(vec![("grant_type", "client_credentials")], scope), scope, self.new_key()).await
    }

    /// Revokes a refresh token and all that came from it (RFC 7009). `Ok(false)` where the server has no such endpoint.
    ///
    /// # Errors
    /// When the server did not confirm it.
    pub async fn revoke(&self, token: &RefreshToken) -> Result<bool, Failure> {
        self.revoke_as("refresh_token", token.expose()).await
    }

    /// Revokes an access token (RFC 7009), where there is no refresh token to revoke. `Ok(false)` where the server has no such
    /// endpoint.
    ///
    /// # Errors
    /// When the server did not confirm it.
    pub async fn revoke_access_token(&self, token: &AccessToken) -> Result<bool, Failure> {
        self.revoke_as("access_token", token.expose()).await
    }

    async fn revoke_as(&self, hint: &str, token: &str) -> Result<bool, Failure> {
        let Some(endpoint) = self.provider.revocation_endpoint.clone() else {
            return Ok(false);
        };
        let form = vec![("token", token), ("token_type_hint", hint)];
        let answer = self.post(&endpoint, form, None).await.map_err(unanswered)?;
        match classify(answer.status().as_u16(), answer.headers(), answer.body()) {
            Err(failure) if answer.status().as_u16() != 200 => Err(failure),
            // RFC 7009 §2.2: the status says it all.
            _ => Ok(true),
        }
    }

    /// Asks for the tokens of a login, bound to `key`.
    pub(crate) async fn log_in<'a>(
        &'a self,
        mut form: Form<'a>,
        asked: &Scope,
        key: Option<DpopKey>,
    ) -> Result<Credential, Failure> {
        form.extend(self.resources.iter().map(|resource| ("resource", resource.as_str())));
        let reply = self.token(form, key.as_ref()).await;
        self.logged_in(reply, asked, key).await
    }

    /// The credential of a login that was answered.
    pub(crate) async fn logged_in(
        &self,
        reply: Reply,
        asked: &Scope,
        key: Option<DpopKey>,
    ) -> Result<Credential, Failure> {
        let mut tokens = reply.outcome?;
        tokens.scope.get_or_insert_with(|| asked.clone());
        let bound = self.bound(key, tokens.token_type);
        let key = match bound.and_then(|key| tokens.check_length().map(|()| key)) {
            Ok(key) => key,
            Err(failure) => {
                if let Some(token) = &tokens.refresh_token {
                    // Nobody will use it; a server that cannot be told lets it expire.
                    let _ = self.revoke(token).await;
                }
                return Err(failure);
            }
        };
        Ok(Credential::of_login(self, tokens, reply.received_at, reply.clock_offset.unwrap_or(0), key))
    }

    /// The key that tokens of this type are bound to, of those that were asked for with `key` (RFC 9449 §5).
    pub(crate) fn bound(&self, key: Option<DpopKey>, given: TokenType) -> Result<Option<DpopKey>, Failure> {
        match (key, given) {
            (Some(key), TokenType::Dpop) => Ok(Some(key)),
            (None, TokenType::Bearer) => Ok(None),
            (Some(_), TokenType::Bearer) if self.dpop == Dpop::WhereOffered => Ok(None),
            (Some(_), TokenType::Bearer) | (None, TokenType::Dpop) => Err(Failure::TokenType(given)),
        }
    }

    /// The key of a login that begins now; `None` where its tokens are not to be bound.
    pub(crate) fn new_key(&self) -> Option<DpopKey> {
        let offered = &self.provider.dpop_algorithms;
        let is_bound = match self.dpop {
            Dpop::Off => false,
            Dpop::WhereOffered => !offered.is_empty(),
            Dpop::Required => true,
        };
        is_bound.then(|| DpopKey::generate(offered))
    }

    /// The client's own tokens for `target`; for `scope` where it names none.
    pub(crate) async fn client_credentials_reply(
        &self,
        target: &Target,
        scope: &Scope,
        key: Option<&DpopKey>,
    ) -> Reply {
        let mut target = target.clone();
        if target.scope.is_empty() {
            target.scope = scope.clone();
        }
        self.token(with_target(vec![("grant_type", "client_credentials")], &target), key).await
    }

    /// One try of a refresh, whose marker is on disk already.
    pub(crate) async fn refresh(&self, token: &RefreshToken, pending: &Pending, key: Option<&DpopKey>) -> Reply {
        let challenge = pending.challenge();
        let mut form =
            vec![("grant_type", "refresh_token"), ("refresh_token", token.expose()), ("retry_challenge", &challenge)];
        if pending.tries > 1 {
            form.push(("retry_verifier", pending.verifier.expose()));
        }
        self.token(with_target(form, &pending.target), key).await
    }

    pub(crate) const fn resources(&self) -> &Resources {
        &self.resources
    }

    /// What proves to the server that a retry comes from the sender of the first try of a refresh of `credential`.
    pub(crate) fn proof(&self, credential: Option<&Credential>) -> Proof {
        match self.authentication {
            Authentication::None if credential.is_some_and(|credential| credential.dpop_key.is_some()) => Proof::Key,
            Authentication::None => Proof::Nothing,
            Authentication::Basic(_) | Authentication::Post(_) | Authentication::PrivateKeyJwt(_) => {
                Proof::ClientAuthentication
            }
        }
    }

    /// What the clock of the server shows now, as far as this process knows.
    pub(crate) fn server_now(&self) -> Timestamp {
        self.learned.server_time(self.clock.now())
    }

    pub(crate) const fn authentication(&self) -> &Authentication {
        &self.authentication
    }

    pub(crate) fn transport(&self) -> &dyn Transport {
        &*self.transport
    }

    /// What belongs to another server or client is neither sent nor served nor overwritten here.
    pub(crate) fn check_owner(&self, credential: &Credential) -> Result<(), TokenError> {
        if credential.issuer == self.provider.issuer && credential.client_id == self.id {
            return Ok(());
        }
        let (issuer, client) = (credential.issuer.clone(), credential.client_id.as_str().to_owned());
        Err(TokenError::OtherServer { issuer, client })
    }

    pub(crate) fn learned(&self) -> &Learned {
        &self.learned
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        &*self.entropy
    }
}

impl fmt::Debug for OAuthClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthClient")
            .field("provider", &self.provider)
            .field("id", &self.id)
            .field("authentication", &self.authentication)
            .finish_non_exhaustive()
    }
}
