use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::Router;
use regrant_crypto::{Entropy, KeyRing, SeededEntropy, random};
use regrant_engine::{AuthorizationServer, Hooks, Parts, RequestContext, SESSION_SECONDS};
use regrant_grant::{Grant, REFRESH_PREFIX, Realm, TokenParts, Write};
use regrant_http::router;
use regrant_protocol::{Clock, Issuer, ManualClock, Profile, Secret, Subject, Timestamp};
use regrant_store::{Store, Target, UserChange, decide_in};
use regrant_store_sqlite::{Genesis, SqliteStore};
use tempfile::TempDir;

use crate::{ClientBuilder, FaultyStore, Request, TestKeyFile, UserAgent};

/// The user that every server knows.
pub const USERNAME: &str = "bshaffer";
/// The password of [`USERNAME`].
pub const PASSWORD: &str = "brent123";
/// The time that a new server's clock shows, in seconds since the Unix epoch.
pub const START_SECONDS: i64 = 1_800_000_000;

/// An authorization server of its own for one test.
pub struct TestServer {
    /// The only clock that server and store know. It stands still until it is moved.
    pub clock: Arc<ManualClock>,
    /// The store, which fails on demand.
    pub store: Arc<FaultyStore>,
    /// Where its master keys lie.
    pub key_file: Arc<TestKeyFile>,
    /// The engine behind the router.
    pub engine: Arc<AuthorizationServer>,
    /// The subject of [`USERNAME`].
    pub subject: Subject,
    entropy: Arc<dyn Entropy>,
    router: Router,
    _data: Arc<TempDir>,
}

/// What a server is started with.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Its issuer.
    pub issuer: &'static str,
    /// The seed of its randomness.
    pub seed: u64,
}

impl Default for Setup {
    fn default() -> Self {
        Self { issuer: "https://id.example", seed: 1 }
    }
}

impl TestServer {
    /// Starts a server with one user and no client.
    pub async fn start() -> Self {
        Self::start_with(Setup::default()).await
    }

    /// Starts a server with one user and no client, as `setup` says.
    pub async fn start_with(setup: Setup) -> Self {
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(setup.seed));
        let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(START_SECONDS)));
        let shared_clock: Arc<dyn Clock> = Arc::clone(&clock) as Arc<dyn Clock>;
        let ring = KeyRing::generate(&*entropy);

        let data = tempfile::tempdir().expect("a test may write temporary files");
        let genesis = Genesis { realm: Realm(random(&*entropy)), epoch_random: random(&*entropy) };
        let sqlite = SqliteStore::open(&data.path().join("regrant.db"), genesis, Arc::clone(&shared_clock));
        let store = Arc::new(FaultyStore::new(sqlite.expect("a new file can be made a store")));

        let key_file = Arc::new(TestKeyFile::new(&ring, Arc::clone(&store)));

        let parts = Parts {
            issuer: Issuer::parse(setup.issuer).expect("the issuer of a test is valid"),
            store: Arc::clone(&store) as Arc<dyn Store>,
            ring,
            clock: shared_clock,
            entropy: Arc::clone(&entropy),
            session_seconds: SESSION_SECONDS,
            hooks: Hooks::default(),
        };
        let engine = Arc::new(AuthorizationServer::open(parts).await.expect("a new store opens"));
        let password = Secret::new(PASSWORD.to_owned());
        let subject =
            engine.register_user(USERNAME, password, Profile::default()).await.expect("a new user can be registered");
        let router = router(Arc::clone(&engine));
        Self { clock, store, key_file, engine, subject, entropy, router, _data: Arc::new(data) }
    }

    /// The same server in a new process: with the same store, clock and key file, and nothing else that this one knows.
    pub async fn restart(&self) -> Self {
        let parts = Parts {
            issuer: self.engine.issuer().clone(),
            store: Arc::clone(&self.store) as Arc<dyn Store>,
            ring: self.key_file.ring(),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            entropy: Arc::clone(&self.entropy),
            session_seconds: SESSION_SECONDS,
            hooks: Hooks::default(),
        };
        let engine = Arc::new(AuthorizationServer::open(parts).await.expect("store and key file belong together"));
        Self {
            clock: Arc::clone(&self.clock),
            store: Arc::clone(&self.store),
            key_file: Arc::clone(&self.key_file),
            router: router(Arc::clone(&engine)),
            engine,
            subject: self.subject.clone(),
            entropy: Arc::clone(&self.entropy),
            _data: Arc::clone(&self._data),
        }
    }

    /// A `POST` to `path`, with an empty form until one is given.
    #[must_use]
    pub fn post(&self, path: &str) -> Request {
        self.request("POST", path)
    }

    /// A `GET` of `path`.
    #[must_use]
    pub fn get(&self, path: &str) -> Request {
        self.request("GET", path)
    }

    /// A request with any method.
    #[must_use]
    pub fn request(&self, method: &str, path: &str) -> Request {
        Request::new(self.router.clone(), method, path)
    }

    /// A confidential client with a generated secret, to be registered as the builder says.
    #[must_use]
    pub fn confidential(&self, id: &str) -> ClientBuilder<'_> {
        ClientBuilder::confidential(self, id)
    }

    /// A public client, to be registered as the builder says.
    #[must_use]
    pub fn public(&self, id: &str) -> ClientBuilder<'_> {
        ClientBuilder::public(self, id)
    }

    /// A browser without cookies.
    #[must_use]
    pub fn user_agent(&self) -> UserAgent<'_> {
        UserAgent::new(self)
    }

    /// A path below the issuer.
    #[must_use]
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.engine.issuer().path())
    }

    /// What the clock shows, in seconds since the Unix epoch.
    #[must_use]
    pub fn clock_seconds(&self) -> i64 {
        self.clock.now().seconds()
    }

    /// Registers another user, with the password [`PASSWORD`].
    pub async fn register_user(&self, username: &str) -> Subject {
        let password = Secret::new(PASSWORD.to_owned());
        self.engine.register_user(username, password, Profile::default()).await.expect("a new user can be registered")
    }

    /// Changes [`USERNAME`] in the store, behind the server's back.
    pub async fn change_user(&self, change: UserChange) {
        self.store.change_user(&self.subject, change).await.expect("the user exists");
    }

    /// Changes the profile of the user in the store, behind the server's back.
    pub async fn change_profile(&self, profile: Profile) {
        let found = self.store.user(&self.subject).await.expect("the store answers");
        let seen_version = found.expect("the user exists").version;
        self.change_user(UserChange::Profile { seen_version, profile: Box::new(profile) }).await;
    }

    /// Whether an API of the same process would accept an access token now.
    pub async fn is_good(&self, access_token: &str) -> bool {
        let source = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let context = RequestContext::new(source, self.clock.monotonic());
        self.engine.inspect(&context, access_token).await.expect("the store answers").is_some()
    }

    /// The row of the grant that a refresh token names; `None` when there is none.
    pub async fn find_grant(&self, refresh_token: &str) -> Option<Grant> {
        let parts = TokenParts::parse(REFRESH_PREFIX, refresh_token).expect("a test asks about a token of its server");
        let target = Target::Grant(parts.head.grant);
        let read = decide_in(&*self.store, target, None, |scene| (scene.grant.cloned(), Write::Nothing)).await;
        read.expect("the store answers")
    }

    /// The row of the grant that a refresh token names.
    pub async fn grant(&self, refresh_token: &str) -> Grant {
        self.find_grant(refresh_token).await.expect("the token's grant exists")
    }
}
