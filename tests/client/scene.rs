//! A server, a client that is logged in there, and the way between them.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use regrant_client::{
    Authentication, Credential, Event, IssuerIdentifier, OAuthClient, Observer, Provider, Storage, Timer, TokenManager,
};
use regrant_crypto::SystemEntropy;
use regrant_protocol::{ClientId, Clock, Scope, Secret, Timestamp};
use regrant_tests::{AuthorizationRequest, ClientBuilder, PASSWORD, TestServer, USERNAME};

use crate::way::Way;

pub(crate) struct Scene {
    pub(crate) server: Arc<TestServer>,
    pub(crate) way: Arc<Way>,
    /// What a browser asks for in the client's name, but for what a login sets itself.
    pub(crate) request: AuthorizationRequest,
    client: OAuthClient,
}

/// The kinds of client that a scene can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Public,
    Basic,
    Post,
}

impl Scene {
    pub(crate) async fn new(kind: Kind) -> Self {
        Self::with_clock(kind, 0).await
    }

    /// A scene in which the client's clock is wrong by so many seconds.
    pub(crate) async fn with_clock(kind: Kind, wrong_seconds: i64) -> Self {
        Self::build(kind, wrong_seconds, |builder| builder).await
    }

    /// A scene whose public client lets people log in with a browser.
    pub(crate) async fn with_browser(redirect_uri: &str) -> Self {
        Self::build(Kind::Public, 0, |builder| builder.redirect_uris(&[redirect_uri])).await
    }

    async fn build(kind: Kind, wrong_seconds: i64, set: impl FnOnce(ClientBuilder<'_>) -> ClientBuilder<'_>) -> Self {
        let server = Arc::new(TestServer::start().await);
        let builder = if kind == Kind::Public { server.public("TestApp") } else { server.confidential("TestApp") };
        let app = set(builder).register().await;
        let (id, secret, request) = (app.id.clone(), app.secret.clone(), app.authorization());
        let way = Way::new(&server);
        let client = client(&server, &way, id, wrong_seconds);
        let secret = secret.map(Secret::new);
        let client = client.authenticated_by(match (kind, secret) {
            (Kind::Basic, Some(secret)) => Authentication::Basic(secret),
            (Kind::Post, Some(secret)) => Authentication::Post(secret),
            _ => Authentication::None,
        });
        Self { server, way, request, client }
    }

    pub(crate) fn client(&self) -> OAuthClient {
        self.client.clone()
    }

    /// A new login.
    pub(crate) async fn credential(&self) -> Credential {
        let password = Secret::new(PASSWORD.to_owned());
        let credential =
            self.client.password(USERNAME, &password, &Scope::empty()).await.expect("the password is right");
        self.way.take_sent();
        self.way.take_answered();
        credential
    }

    /// A manager on `storage`, whose pauses pass at once on every clock.
    pub(crate) fn manager(&self, storage: impl Storage + 'static) -> TokenManager {
        TokenManager::new(self.client(), storage).with_timer(ServerTimer(Arc::clone(&self.server)))
    }

    /// A manager on `storage` that is logged in.
    pub(crate) async fn logged_in(&self, storage: impl Storage + 'static) -> TokenManager {
        let manager = self.manager(storage);
        manager.log_in(self.credential().await).await.expect("the storage works");
        manager
    }

    /// Whether the server would accept an access token now.
    pub(crate) async fn is_good(&self, token: &regrant_client::AccessToken) -> bool {
        self.server.is_good(token.expose()).await
    }
}

fn client(server: &Arc<TestServer>, way: &Arc<Way>, id: ClientId, wrong_seconds: i64) -> OAuthClient {
    let issuer = server.engine.issuer();
    let identifier = IssuerIdentifier::parse(issuer.as_str()).expect("the issuer of a test is valid");
    let mut provider = Provider::new(identifier, &issuer.endpoint("/token")).expect("it is https");
    provider.authorization_endpoint = Some(issuer.endpoint("/authorize"));
    provider.names_itself = true;
    provider.revocation_endpoint = Some(issuer.endpoint("/revoke"));
    let clock = WrongClock { server: Arc::clone(server), wrong_seconds };
    OAuthClient::new(provider, id, Arc::clone(way) as Arc<_>)
        .with_clock_and_entropy(Arc::new(clock), Arc::new(SystemEntropy))
}

struct WrongClock {
    server: Arc<TestServer>,
    wrong_seconds: i64,
}

impl Clock for WrongClock {
    fn now(&self) -> Timestamp {
        self.server.clock.now().plus_seconds(self.wrong_seconds)
    }

    fn monotonic(&self) -> Instant {
        self.server.clock.monotonic()
    }
}

/// Moves the server's clock instead of waiting.
pub(crate) struct ServerTimer(Arc<TestServer>);

#[async_trait]
impl Timer for ServerTimer {
    async fn sleep(&self, duration: Duration) {
        self.0.clock.advance_milliseconds(u32::try_from(duration.as_millis()).expect("pauses are short"));
        tokio::task::yield_now().await;
    }
}

/// Remembers what was told.
#[derive(Clone, Default)]
pub(crate) struct Ears(Arc<Mutex<Vec<Event>>>);

impl Ears {
    /// What became of the credential.
    pub(crate) fn take(&self) -> Vec<Event> {
        let mut events = self.take_all();
        events.retain(|event| !matches!(event, Event::LockWaited(_) | Event::Joined));
        events
    }

    pub(crate) fn take_all(&self) -> Vec<Event> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Observer for Ears {
    fn observe(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}
