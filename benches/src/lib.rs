//! A server in this process, on a directory on disk, for benchmarks of its parts: `cargo bench --package regrant-benches`.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;

use regrant_crypto::{KeyRing, SystemEntropy, random};
use regrant_engine::{AuthorizationServer, Hooks, Parts, RequestContext, SESSION_SECONDS, Secrecy, TokenError};
use regrant_grant::Realm;
use regrant_protocol::{
    ClientId, Clock, GrantType, Issuer, Params, Profile, Scope, Secret, SystemClock, TokenEndpointAuthMethod,
    TokenResponse,
};
use regrant_store::{AccessTokenFormat, ClientDefaults, ClientSettings, Store};
use regrant_store_sqlite::{Genesis, SqliteStore};
use tempfile::TempDir;

const PASSWORD: &str = "correct horse battery staple";

/// An authorization server with one user and one confidential client.
pub struct InProcess {
    /// The server.
    pub engine: AuthorizationServer,
    /// Its store.
    pub store: Arc<dyn Store>,
    /// Who the client is, as the part of a form.
    pub client: String,
    _folder: TempDir,
}

impl InProcess {
    /// A new one, whose data lie in `parent`.
    ///
    /// # Panics
    /// When `parent` cannot be written to: there is nothing to measure then.
    pub async fn open(parent: &Path, format: AccessTokenFormat) -> Self {
        let folder = TempDir::new_in(parent).expect("the directory can be written to");
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let genesis = Genesis { realm: Realm(random(&SystemEntropy)), epoch_random: random(&SystemEntropy) };
        let store = SqliteStore::open(&folder.path().join("regrant.db"), genesis, Arc::clone(&clock));
        let store: Arc<dyn Store> = Arc::new(store.expect("a new file can be made a store"));
        let parts = Parts {
            issuer: Issuer::parse("https://bench.example").expect("it is an issuer"),
            store: Arc::clone(&store),
            ring: KeyRing::generate(&SystemEntropy),
            clock,
            entropy: Arc::new(SystemEntropy),
            session_seconds: SESSION_SECONDS,
            hooks: Hooks::default(),
        };
        let engine = AuthorizationServer::open(parts).await.expect("a new store opens");
        let password = Secret::new(PASSWORD.to_owned());
        engine.register_user("alice", password, Profile::default()).await.expect("a new user can be registered");
        let settings = ClientSettings {
            access_token_format: format,
            ..ClientSettings::new(
                vec![TokenEndpointAuthMethod::ClientSecretPost],
                vec![GrantType::Password, GrantType::RefreshToken],
                Scope::parse("read write").expect("it is a scope"),
                ClientDefaults::BUILT_IN.policy,
            )
        };
        let id = ClientId::parse("bench").expect("it is an identifier");
        let secret = engine.register_client(id, Secrecy::Generated, settings).await.expect("it can be registered");
        let secret = secret.expect("a generated secret is told");
        let client = format!("client_id=bench&client_secret={}", secret.expose());
        Self { engine, store, client, _folder: folder }
    }

    /// The refresh token of a new grant.
    ///
    /// # Panics
    /// When the server refuses its own user.
    pub async fn log_in(&self) -> String {
        let password = PASSWORD.replace(' ', "+");
        let form = format!("grant_type=password&username=alice&password={password}&{}", self.client);
        next_token(&self.token(&form).await.expect("the user may log in"))
    }

    /// The form of a refresh.
    #[must_use]
    pub fn refresh_form(&self, token: &str) -> String {
        format!("grant_type=refresh_token&{}&refresh_token={token}", self.client)
    }

    /// What the token endpoint answers to a form.
    ///
    /// # Errors
    /// What it refuses.
    pub async fn token(&self, form: &str) -> Result<TokenResponse, TokenError> {
        let context = RequestContext::new(IpAddr::V4(Ipv4Addr::LOCALHOST), self.engine.clock().monotonic());
        let params = Params::parse(form.as_bytes()).expect("our own form is well-formed");
        self.engine.token(&context, None, &params).await
    }
}

/// The refresh token of an answer.
///
/// # Panics
/// When there is none: these clients always get one.
#[must_use]
pub fn next_token(response: &TokenResponse) -> String {
    response.refresh_token.as_ref().expect("a refresh token comes with every answer").expose().to_owned()
}
