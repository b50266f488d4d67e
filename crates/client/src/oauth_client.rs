use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use form_urlencoded::Serializer;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method};
use regrant_crypto::{Entropy, SystemEntropy};
use regrant_protocol::{ClientId, Clock, Resources, Scope, Secret, SystemClock, Timestamp};
use zeroize::Zeroizing;

use crate::{
    Credential, Delivery, Failure, Pending, Proof, Provider, RefreshToken, RequestBody, Temporary, Tokens, Transport,
    TransportError, classify, clock_offset_milliseconds,
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
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// How a client proves who it is (RFC 6749 §2.3).
#[derive(Clone, Debug)]
pub enum Authentication {
    /// Not at all: a public client.
    None,
    /// In the `Authorization` header (`client_secret_basic`).
    Basic(Secret),
    /// In the form (`client_secret_post`).
    Post(Secret),
}

/// What a request to the token endpoint came to, and when.
pub(crate) struct Reply {
    pub(crate) outcome: Result<Tokens, Failure>,
    pub(crate) received_at: Timestamp,
    pub(crate) clock_offset: Option<i64>,
}

/// The parameters of a request; none is given twice but `resource`.
type Form<'a> = Vec<(&'a str, &'a str)>;

impl OAuthClient {
    /// A public client, on the clock and with the randomness of this machine.
    #[must_use]
    pub fn new(provider: Provider, id: ClientId, transport: Arc<dyn Transport>) -> Self {
        Self {
            provider,
            id,
            authentication: Authentication::None,
            resources: Resources::none(),
            transport,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
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
        self.log_in(with_scope(form, scope), scope).await
    }

    /// The client's own tokens (RFC 6749 §4.4).
    ///
    /// # Errors
    /// When the server gives none.
    pub async fn client_credentials(&self, scope: &Scope) -> Result<Credential, Failure> {
        self.log_in(with_scope(vec![("grant_type", "client_credentials")], scope), scope).await
    }

    /// Revokes a refresh token and all that came from it (RFC 7009). `Ok(false)` where the server has no such endpoint.
    ///
    /// # Errors
    /// When the server did not confirm it.
    pub async fn revoke(&self, token: &RefreshToken) -> Result<bool, Failure> {
        let Some(endpoint) = self.provider.revocation_endpoint.clone() else {
            return Ok(false);
        };
        let form = vec![("token", token.expose()), ("token_type_hint", "refresh_token")];
        let answer = self.post(&endpoint, form).await.map_err(unanswered)?;
        match classify(answer.status().as_u16(), answer.headers(), answer.body()) {
            Err(failure) if answer.status().as_u16() != 200 => Err(failure),
            // RFC 7009 §2.2: the status says it all.
            _ => Ok(true),
        }
    }

    pub(crate) async fn log_in<'a>(&'a self, form: Form<'a>, asked: &Scope) -> Result<Credential, Failure> {
        let reply = self.token(form).await;
        let mut tokens = reply.outcome?;
        tokens.scope.get_or_insert_with(|| asked.clone());
        Ok(Credential::of_login(self, tokens, reply.received_at, reply.clock_offset.unwrap_or(0)))
    }

    pub(crate) async fn client_credentials_reply(&self, scope: &Scope) -> Reply {
        self.token(with_scope(vec![("grant_type", "client_credentials")], scope)).await
    }

    /// One try of a refresh, whose marker is on disk already.
    pub(crate) async fn refresh(&self, token: &RefreshToken, pending: &Pending) -> Reply {
        let challenge = pending.challenge();
        let mut form =
            vec![("grant_type", "refresh_token"), ("refresh_token", token.expose()), ("retry_challenge", &challenge)];
        if pending.tries > 1 {
            form.push(("retry_verifier", pending.verifier.expose()));
        }
        self.token(form).await
    }

    async fn token<'a>(&'a self, mut form: Form<'a>) -> Reply {
        form.extend(self.resources.iter().map(|resource| ("resource", resource.as_str())));
        let answer = self.post(&self.provider.token_endpoint, form).await;
        let received_at = self.clock.now();
        let (head, body) = match answer {
            Ok(answer) => answer.into_parts(),
            Err(error) => return Reply { outcome: Err(unanswered(error)), received_at, clock_offset: None },
        };
        Reply {
            outcome: classify(head.status.as_u16(), &head.headers, &Zeroizing::new(body)),
            received_at,
            clock_offset: clock_offset_milliseconds(&head.headers, received_at),
        }
    }

    async fn post<'a>(&'a self, endpoint: &str, form: Form<'a>) -> Result<http::Response<Vec<u8>>, TransportError> {
        let request = self.request(endpoint, form).map_err(|error| TransportError::NotSent(error.to_string()))?;
        self.transport.send(request).await
    }

    fn request<'a>(&'a self, endpoint: &str, mut form: Form<'a>) -> Result<http::Request<RequestBody>, http::Error> {
        let mut request = http::Request::builder()
            .method(Method::POST)
            .uri(endpoint)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        match &self.authentication {
            Authentication::None => form.push(("client_id", self.id.as_str())),
            Authentication::Post(secret) => {
                form.extend([("client_id", self.id.as_str()), ("client_secret", secret.expose())]);
            }
            Authentication::Basic(secret) => request = request.header(AUTHORIZATION, self.basic(secret)),
        }
        let body = Serializer::new(String::new()).extend_pairs(form).finish();
        request.body(RequestBody::new(body.into_bytes()))
    }

    /// RFC 6749 §2.3.1: each part is form-urlencoded before they are joined.
    fn basic(&self, secret: &Secret) -> HeaderValue {
        let encoded = |part: &str| form_urlencoded::byte_serialize(part.as_bytes()).collect::<String>();
        let pair = Zeroizing::new(format!("{}:{}", encoded(self.id.as_str()), encoded(secret.expose())));
        let text = format!("Basic {}", STANDARD.encode(&*pair));
        let mut value = HeaderValue::from_str(&text).expect("base64 may stand in a header");
        value.set_sensitive(true);
        value
    }

    pub(crate) const fn resources(&self) -> &Resources {
        &self.resources
    }

    pub(crate) const fn proof(&self) -> Proof {
        match self.authentication {
            Authentication::None => Proof::Nothing,
            Authentication::Basic(_) | Authentication::Post(_) => Proof::ClientAuthentication,
        }
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        &*self.entropy
    }
}

fn with_scope<'a>(mut form: Form<'a>, scope: &'a Scope) -> Form<'a> {
    if !scope.is_empty() {
        form.push(("scope", scope.as_str()));
    }
    form
}

fn unanswered(error: TransportError) -> Failure {
    let delivery = match &error {
        TransportError::NotSent(_) => Delivery::NotSent,
        TransportError::Unanswered(_) => Delivery::Unanswered,
    };
    Failure::Temporary(Temporary { cause: error.to_string(), retry_after: None, delivery })
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
