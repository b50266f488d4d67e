use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use regrant_crypto::{Entropy, KeyRing, SeededEntropy, random};
use regrant_engine::{AuthorizationServer, Hooks, Parts, SESSION_SECONDS, Secrecy};
use regrant_grant::{Policy, Realm};
use regrant_http::{Dialects, Site, SiteOptions};
use regrant_protocol::{
    ClientId, Clock, GrantType, Issuer, Lifetime, ManualClock, Profile, RedirectUri, Scope, Secret, Timestamp,
    TokenEndpointAuthMethod, WebOrigin,
};
use regrant_store::{ClientDefaults, ClientSettings, IdTokenAlgorithm};
use regrant_store_sqlite::{Genesis, SqliteStore};
use tempfile::TempDir;
use tower::ServiceExt;

/// The longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Where the client `app` is.
pub(crate) const ORIGIN: &str = "https://app.example";
/// An authorization request of `app`; its challenge is that of RFC 7636 Appendix B.
pub(crate) const REQUEST: &str = "response_type=code&client_id=app&state=%C3%A9+b\
    &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
/// The verifier of the challenge of [`REQUEST`].
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// The secret of every client but `app`, which its encoders write otherwise.
pub(crate) const SHOP_SECRET: &str = "a+b c:d-0123456789abcdef";

/// Names and values.
pub(crate) type Headers<'a> = &'a [(&'a str, &'a str)];

/// The router of `https://id.example/t1`, with the public client `app`, the confidential clients `shop`, `other` and
/// `idle`, and the user `alice`.
pub(crate) struct Server {
    router: Router,
    _data: TempDir,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(|server| Site::new(Arc::clone(server), SiteOptions::default()).router_with_hint()).await
    }

    /// Starts a server that speaks `dialects`.
    pub(crate) async fn start_speaking(dialects: Dialects) -> Self {
        let options = SiteOptions { dialects, ..SiteOptions::default() };
        Self::start_with(|server| Site::new(Arc::clone(server), options).router_with_hint()).await
    }

    /// Starts a program that answers with a router of its own.
    pub(crate) async fn start_with(program: impl FnOnce(&Arc<AuthorizationServer>) -> Router) -> Self {
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(7));
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(Timestamp::from_seconds(1_800_000_000)));
        let data = tempfile::tempdir().expect("a test may write temporary files");
        let genesis = Genesis { realm: Realm(random(&*entropy)), epoch_random: random(&*entropy) };
        let store = SqliteStore::open(&data.path().join("regrant.db"), genesis, Arc::clone(&clock))
            .expect("a new file can be made a store");
        let parts = Parts {
            issuer: Issuer::parse("https://id.example/t1").expect("it is an issuer"),
            store: Arc::new(store),
            ring: KeyRing::generate(&*entropy),
            clock,
            entropy,
            session_seconds: SESSION_SECONDS,
            hooks: Hooks::default(),
        };
        let server = Arc::new(AuthorizationServer::open(parts).await.expect("a new store opens"));
        let id = ClientId::parse("app").expect("it is a name");
        server.register_client(id, Secrecy::Public, app()).await.expect("the client may exist");
        let secret = Secrecy::Chosen(Secret::new(SHOP_SECRET.to_owned()));
        for (id, settings) in [("shop", shop()), ("other", shop()), ("idle", idle())] {
            let id = ClientId::parse(id).expect("it is a name");
            server.register_client(id, secret.clone(), settings).await.expect("the client may exist");
        }
        let profile = Profile { name: Some("Alice".to_owned()), ..Profile::default() };
        server.register_user("alice", Secret::new("wonderland".to_owned()), profile).await.expect("the user may exist");
        Self { router: program(&server), _data: data }
    }

    /// Sends a request to `path` below the issuer.
    pub(crate) async fn send(&self, method: &str, path: &str, headers: Headers<'_>, body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("/t1{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).expect("a test sends what can be sent");
        let (head, body) = self.router.clone().oneshot(request).await.expect("a router always answers").into_parts();
        let body = to_bytes(body, ANSWER_BYTES_MAX).await.expect("an answer is small");
        Answer {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8(body.to_vec()).expect("an answer is text"),
        }
    }
}

/// The settings of `shop` and `other`, whose users give them their passwords.
fn shop() -> ClientSettings {
    let grant_types = vec![GrantType::Password, GrantType::RefreshToken];
    let methods = vec![TokenEndpointAuthMethod::ClientSecretBasic, TokenEndpointAuthMethod::ClientSecretPost];
    let scope = Scope::parse("openid read write").expect("it is a scope");
    let mut settings = ClientSettings::new(methods, grant_types, scope, app().policy);
    settings.default_scope = Scope::empty();
    settings.id_token_algorithm = IdTokenAlgorithm::Es256;
    settings.id_token_on_refresh = true;
    settings
}

/// The settings of `idle`, which may not refresh.
fn idle() -> ClientSettings {
    let grant_types = vec![GrantType::ClientCredentials];
    ClientSettings::new(vec![TokenEndpointAuthMethod::ClientSecretPost], grant_types, Scope::empty(), app().policy)
}

fn app() -> ClientSettings {
    let hour = Lifetime::from_seconds(3600);
    let policy = Policy {
        access_lifetime: hour,
        idle_lifetime: hour,
        absolute_lifetime: hour,
        ..ClientDefaults::BUILT_IN.policy
    };
    let grant_types = vec![GrantType::AuthorizationCode, GrantType::RefreshToken];
    let scope = Scope::parse("openid profile read").expect("it is a scope");
    let mut settings = ClientSettings::new(vec![TokenEndpointAuthMethod::None], grant_types, scope, policy);
    settings.redirect_uris = vec![RedirectUri::parse("https://app.example/cb").expect("it may be registered")];
    settings.post_logout_redirect_uris = settings.redirect_uris.clone();
    settings.allowed_origins = vec![WebOrigin::parse(ORIGIN).expect("it may be registered")];
    settings.id_token_algorithm = IdTokenAlgorithm::Es256;
    settings
}
