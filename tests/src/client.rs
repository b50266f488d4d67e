use regrant_engine::Secrecy;
use regrant_grant::{Policy, RotationMode};
use regrant_protocol::{ClientId, GrantType, Lifetime, RedirectUri, Resources, Scope, Secret, TokenEndpointAuthMethod};
use regrant_store::{AccessTokenFormat, ClientChange, ClientDefaults, ClientSettings, IdTokenAlgorithm, Store};

use crate::{Answer, AuthorizationRequest, PASSWORD, Request, TestServer, USERNAME, VERIFIER};

/// A client before it is registered. Without further words it may use every grant type that its kind allows and that needs
/// no browser, has the scope `read write`, ES256 tokens, access tokens of an hour, refresh tokens of two weeks, and a
/// grant of a year.
pub struct ClientBuilder<'a> {
    server: &'a TestServer,
    id: ClientId,
    secrecy: Secrecy,
    settings: ClientSettings,
}

/// A registered client, as its owner has it.
pub struct TestClient<'a> {
    server: &'a TestServer,
    /// Its name.
    pub id: ClientId,
    /// Its secret; `None` for a public client.
    pub secret: Option<String>,
    /// The first of its redirect URIs.
    redirect_uri: Option<String>,
}

impl<'a> ClientBuilder<'a> {
    pub(crate) fn confidential(server: &'a TestServer, id: &str) -> Self {
        use GrantType::{ClientCredentials, Password, RefreshToken};
        let methods = [TokenEndpointAuthMethod::ClientSecretBasic, TokenEndpointAuthMethod::ClientSecretPost];
        let grant_types = [ClientCredentials, Password, RefreshToken];
        Self::new(server, id, Secrecy::Generated, settings(&methods, &grant_types))
    }

    pub(crate) fn public(server: &'a TestServer, id: &str) -> Self {
        let grant_types = [GrantType::Password, GrantType::RefreshToken];
        Self::new(server, id, Secrecy::Public, settings(&[TokenEndpointAuthMethod::None], &grant_types))
    }

    fn new(server: &'a TestServer, id: &str, secrecy: Secrecy, settings: ClientSettings) -> Self {
        Self { server, id: ClientId::parse(id).expect("a test names a client"), secrecy, settings }
    }

    /// A secret that somebody chose: it is hashed with Argon2id, where a generated one takes no time.
    #[must_use]
    pub fn secret(mut self, secret: &str) -> Self {
        self.secrecy = Secrecy::Chosen(Secret::new(secret.to_owned()));
        self
    }

    /// Any other setting.
    #[must_use]
    pub fn set(mut self, change: impl FnOnce(&mut ClientSettings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// What it may ask for, and gets when it asks for nothing.
    #[must_use]
    pub fn scope(self, scope: &str) -> Self {
        let scope = Scope::parse(scope).expect("a test names a scope");
        self.set(|settings| (settings.scope, settings.default_scope) = (scope.clone(), scope))
    }

    /// The resource servers it may name.
    #[must_use]
    pub fn resources(self, resources: &[&str]) -> Self {
        let resources = Resources::parse(resources.iter().copied()).expect("a test names resources");
        self.set(|settings| settings.resources = resources)
    }

    /// The grant types it may use.
    #[must_use]
    pub fn grant_types(self, grant_types: &[GrantType]) -> Self {
        self.set(|settings| settings.grant_types = grant_types.to_vec())
    }

    /// Where browsers are sent back to, and the grant type that needs it.
    #[must_use]
    pub fn redirect_uris(self, redirect_uris: &[&str]) -> Self {
        let parse = |uri: &&str| RedirectUri::parse(uri).expect("a test names redirect URIs that may be registered");
        let redirect_uris: Vec<_> = redirect_uris.iter().map(parse).collect();
        self.set(|settings| {
            settings.redirect_uris = redirect_uris;
            settings.grant_types.push(GrantType::AuthorizationCode);
        })
    }

    /// The scopes of OpenID Connect beside `read write`.
    #[must_use]
    pub fn openid(self) -> Self {
        self.scope("openid profile email offline_access read write")
    }

    /// Does not insist on PKCE, as an OAuth 2.0 client that knows nothing of it needs.
    #[must_use]
    pub fn pkce_optional(self) -> Self {
        self.set(|settings| settings.require_pkce = false)
    }

    /// What its access tokens look like.
    #[must_use]
    pub fn format(self, format: AccessTokenFormat) -> Self {
        self.set(|settings| settings.access_token_format = format)
    }

    /// What a refresh does to its refresh tokens.
    #[must_use]
    pub fn rotation(self, rotation: RotationMode) -> Self {
        self.set(|settings| settings.policy.rotation = rotation)
    }

    /// Its retry window in seconds, where the longest that its proof allows is not meant.
    #[must_use]
    pub fn retry_window(self, seconds: u32) -> Self {
        self.set(|settings| settings.policy.retry_window_seconds = Some(seconds))
    }

    /// The lifetime of access token, unused refresh token and grant, in seconds; 0 for never.
    #[must_use]
    pub fn lifetimes(self, access: u32, idle: u32, absolute: u32) -> Self {
        self.set(|settings| {
            settings.policy.access_lifetime = Lifetime::from_seconds(access);
            settings.policy.idle_lifetime = Lifetime::from_seconds(idle);
            settings.policy.absolute_lifetime = Lifetime::from_seconds(absolute);
        })
    }

    /// Registers the client.
    pub async fn register(self) -> TestClient<'a> {
        let chosen = match &self.secrecy {
            Secrecy::Chosen(secret) => Some(secret.expose().to_owned()),
            Secrecy::Generated | Secrecy::Public => None,
        };
        let redirect_uri = self.settings.redirect_uris.first().map(|uri| uri.as_str().to_owned());
        let registered = self.server.engine.register_client(self.id.clone(), self.secrecy, self.settings).await;
        let generated = registered.expect("a test registers a client that may exist");
        let secret = generated.map(|secret| secret.expose().to_owned()).or(chosen);
        TestClient { server: self.server, id: self.id, secret, redirect_uri }
    }
}

impl TestClient<'_> {
    /// The same client at another server on the same store.
    #[must_use]
    pub fn at<'b>(&self, server: &'b TestServer) -> TestClient<'b> {
        let (id, secret, redirect_uri) = (self.id.clone(), self.secret.clone(), self.redirect_uri.clone());
        TestClient { server, id, secret, redirect_uri }
    }

    /// A `POST` to `path` from this client: with its secret where it has one, otherwise with its name.
    #[must_use]
    pub fn post(&self, path: &str) -> Request {
        let request = self.server.post(&self.server.path(path));
        match &self.secret {
            Some(secret) => request.basic(self.id.as_str(), secret),
            None => request.with("client_id", self.id.as_str()),
        }
    }

    /// A request to the token endpoint.
    #[must_use]
    pub fn token(&self, grant_type: &str) -> Request {
        self.post("/token").with("grant_type", grant_type)
    }

    /// The password grant for the user that every server knows.
    #[must_use]
    pub fn password(&self) -> Request {
        self.token("password").with("username", USERNAME).with("password", PASSWORD)
    }

    /// A successful login of the user that every server knows.
    pub async fn log_in(&self) -> Answer {
        self.password().send().await.assert_ok()
    }

    /// A request to the authorization endpoint, with the first of its redirect URIs, `state=xyz` and PKCE.
    #[must_use]
    pub fn authorization(&self) -> AuthorizationRequest {
        AuthorizationRequest::new(self.id.as_str(), self.redirect_uri.as_deref())
    }

    /// A code for the user that every server knows, who logs in with a new browser and allows everything.
    pub async fn obtain_code(&self) -> String {
        self.server.user_agent().obtain_code(&self.authorization()).await
    }

    /// A redemption with nothing but the code.
    #[must_use]
    pub fn present(&self, code: &str) -> Request {
        self.token("authorization_code").with("code", code)
    }

    /// A redemption with the verifier of [`TestClient::authorization`].
    #[must_use]
    pub fn redeem(&self, code: &str) -> Request {
        self.present(code).with("code_verifier", VERIFIER)
    }

    /// A refresh.
    #[must_use]
    pub fn refresh(&self, refresh_token: &str) -> Request {
        self.token("refresh_token").with("refresh_token", refresh_token)
    }

    /// A revocation.
    #[must_use]
    pub fn revoke(&self, token: &str) -> Request {
        self.post("/revoke").with("token", token)
    }

    /// An introspection.
    #[must_use]
    pub fn introspect(&self, token: &str) -> Request {
        self.post("/introspect").with("token", token)
    }

    /// Changes the client in the store, behind the server's back.
    pub async fn change(&self, change: ClientChange) {
        self.server.store.change_client(&self.id, change).await.expect("the client exists");
    }

    /// Changes settings of the client in the store, behind the server's back.
    pub async fn change_settings(&self, change: impl FnOnce(&mut ClientSettings)) {
        let client = self.server.store.client(&self.id).await.expect("the store answers");
        let client = client.expect("the client exists");
        let (seen_version, mut settings) = (client.party.version, Box::new(client.settings));
        change(&mut settings);
        self.change(ClientChange::Settings { seen_version, settings }).await;
    }
}

fn settings(auth_methods: &[TokenEndpointAuthMethod], grant_types: &[GrantType]) -> ClientSettings {
    let policy = Policy {
        access_lifetime: Lifetime::from_seconds(3600),
        idle_lifetime: Lifetime::from_seconds(14 * 24 * 3600),
        absolute_lifetime: Lifetime::from_seconds(365 * 24 * 3600),
        ..ClientDefaults::BUILT_IN.policy
    };
    let scope = Scope::parse("read write").expect("it is a scope");
    let mut settings = ClientSettings::new(auth_methods.to_vec(), grant_types.to_vec(), scope, policy);
    // An RSA key takes seconds to make: a test that wants RS256 has the engine make one.
    settings.id_token_algorithm = IdTokenAlgorithm::Es256;
    settings
}
