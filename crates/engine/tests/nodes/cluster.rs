//! Nodes: each has a store, a key file and randomness of its own, and all have one database and one clock.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

use regrant_crypto::{KeyRing, SeededEntropy, unverified_header};
use regrant_databases::{Database, Postgres};
use regrant_engine::{
    AuthorizationServer, Browser, BrowserCookies, BrowserError, Follower, Hooks, KeyFile, KeyFileNotRead,
    KeyFileNotWritten, Next, OpenError, Parts, RequestContext, SESSION_SECONDS, Secrecy, TokenError, Verdict,
};
use regrant_grant::{REFRESH_PREFIX, Realm, TokenParts};
use regrant_protocol::{
    BearerToken, ClientId, Clock, GrantType, Issuer, ManualClock, Params, Profile, Scope, Secret, Timestamp,
    TokenEndpointAuthMethod, TokenResponse,
};
use regrant_store::{AccessTokenFormat, ClientDefaults, ClientSettings};
use regrant_store_postgres::{Address, Genesis, PostgresStore, Settings, TimeOfDay};

const ISSUER: &str = "https://id.example";
const PASSWORD: &str = "wonderland";

/// A database, and the time there.
pub(crate) struct Cluster {
    pub(crate) clock: Arc<ManualClock>,
    url: String,
    /// `None` where it is a test's own.
    database: Option<Database<'static>>,
}

/// An authorization server, and what is beside it.
pub(crate) struct Node {
    pub(crate) server: Arc<AuthorizationServer>,
    pub(crate) file: Arc<File>,
    pub(crate) follower: Follower,
}

/// A key file.
pub(crate) struct File(Mutex<String>);

impl File {
    pub(crate) fn of(ring: &KeyRing) -> Arc<Self> {
        Arc::new(Self(Mutex::new(ring.to_text().to_string())))
    }

    /// What an operator does.
    pub(crate) fn copy(&self, from: &Self) {
        let text = from.0.lock().expect("nobody panics with it").clone();
        *self.0.lock().expect("nobody panics with it") = text;
    }

    pub(crate) fn ring(&self) -> KeyRing {
        let text = self.0.lock().expect("nobody panics with it");
        KeyRing::from_text(&text).expect("the engine writes key files that can be read")
    }
}

impl KeyFile for File {
    fn read(&self) -> Result<KeyRing, KeyFileNotRead> {
        Ok(self.ring())
    }

    fn replace(&self, ring: &KeyRing) -> Result<(), KeyFileNotWritten> {
        *self.0.lock().expect("nobody panics with it") = ring.to_text().to_string();
        Ok(())
    }
}

impl Cluster {
    pub(crate) fn new() -> Self {
        let database = Postgres::shared().database();
        let alone = Self::at(&database.url());
        Self { database: Some(database), ..alone }
    }

    /// On the database at this URL.
    pub(crate) fn at(url: &str) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(1_800_000_000)));
        Self { clock, url: url.to_owned(), database: None }
    }

    /// Runs statements in the database behind the backs of all nodes.
    pub(crate) fn sql(&self, statements: &str) {
        self.database.as_ref().expect("it is not a test's own").sql(statements);
    }

    /// Nodes of these names with the same key file, the client `app` and the user alice.
    pub(crate) async fn nodes<const N: usize>(&self, names: [&str; N], format: AccessTokenFormat) -> [Node; N] {
        let file = File::of(&KeyRing::generate(&SeededEntropy::new(1)));
        let mut nodes = Vec::new();
        for name in names {
            nodes.push(self.node(name, &file).await.expect("key file and store belong together"));
        }
        let server = &nodes[0].server;
        let settings = ClientSettings { access_token_format: format, ..settings() };
        server.register_client(app(), Secrecy::Public, settings).await.expect("the name is free");
        let alice = server.register_user("alice", Secret::new(PASSWORD.to_owned()), Profile::default());
        alice.await.expect("the name is free");
        nodes.try_into().ok().expect("there is one for each name")
    }

    /// A node whose key file is a copy of that one.
    pub(crate) async fn node(&self, name: &str, file: &File) -> Result<Node, OpenError> {
        let seed = name.bytes().fold(7, |seed, byte| seed * 31 + u64::from(byte));
        let file = File::of(&file.ring());
        let address = Address::parse(&self.url, None).expect("it is a URL");
        let settings = Settings { time_of_day: TimeOfDay::Given, ..Settings::new(address) };
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as _;
        let genesis = Genesis { realm: Realm([1; 16]), epoch_random: [2; 16] };
        let store = PostgresStore::open(settings, genesis, Arc::clone(&clock)).await.expect("the database is ours");
        let parts = Parts {
            issuer: Issuer::parse(ISSUER).expect("it is a URL"),
            store: Arc::new(store),
            ring: file.ring(),
            clock,
            entropy: Arc::new(SeededEntropy::new(seed)),
            session_seconds: SESSION_SECONDS,
            hooks: Hooks::default(),
        };
        let server = Arc::new(AuthorizationServer::open(parts).await?);
        let follower = server.follower(name, Arc::clone(&file) as _);
        Ok(Node { server, file, follower })
    }
}

impl Node {
    pub(crate) async fn follow(&self) -> regrant_engine::Followed {
        self.follower.follow_once().await.expect("the store answers")
    }

    pub(crate) async fn rotate(&self, emergency: bool) -> Result<u8, regrant_engine::KeyRotationError> {
        Ok(self.server.rotate_master_key(&*self.file, emergency).await?.0)
    }

    fn context(&self) -> RequestContext {
        RequestContext::new(IpAddr::V4(Ipv4Addr::LOCALHOST), self.server.clock().monotonic())
    }

    async fn token(&self, form: &str) -> Result<TokenResponse, TokenError> {
        self.server.token(&self.context(), None, &form_of(form)).await
    }

    pub(crate) async fn log_in(&self) -> Result<TokenResponse, TokenError> {
        self.token(&format!("grant_type=password&client_id=app&username=alice&password={PASSWORD}")).await
    }

    pub(crate) async fn refresh(&self, given: &TokenResponse) -> Result<TokenResponse, TokenError> {
        let token = refresh_token(given);
        self.token(&format!("grant_type=refresh_token&client_id=app&refresh_token={token}")).await
    }

    /// What becomes of a refresh.
    pub(crate) async fn verdict(&self, given: &TokenResponse) -> Verdict {
        match self.refresh(given).await {
            Ok(_) => Verdict::Rotated,
            Err(TokenError::Refresh { verdict, .. }) => verdict,
            Err(TokenError::Store(_)) => Verdict::Unavailable,
            Err(other) => panic!("{other}"),
        }
    }

    pub(crate) async fn revoke(&self, given: &TokenResponse) -> Result<(), TokenError> {
        let form = format!("client_id=app&token={}", refresh_token(given));
        self.server.revoke(&self.context(), None, &form_of(&form)).await
    }

    /// Whether an access token is good, which every endpoint says alike; or that nobody can say.
    pub(crate) async fn is_good(&self, given: &TokenResponse) -> Result<bool, TokenError> {
        let token = given.access_token.expose();
        let header = format!("Bearer {token}");
        let is_good = self.server.inspect(&self.context(), token).await?.is_some();
        let told =
            self.server.userinfo(&self.context(), &BearerToken::parse(header.as_bytes()).expect("it is one")).await;
        assert_eq!(told.is_ok(), is_good, "{told:?}");
        Ok(is_good)
    }

    /// The sealed request of the login page that the account page leads to.
    pub(crate) async fn login_page(&self) -> Result<String, BrowserError> {
        let next = self.server.account(&self.browser(), None).await?.next;
        let Next::LogIn(prompt) = next else { panic!("nobody is logged in: {next:?}") };
        Ok(prompt.request)
    }

    /// Whether a login page is taken back as one of ours. It is that of another browser, so that nothing comes of it.
    pub(crate) async fn post_login(&self, request: &str) -> Result<bool, BrowserError> {
        let form = form_of(&format!("request={request}&username=alice&password=wrong"));
        match self.server.log_in(&self.browser(), &form).await {
            Ok(step) => Ok(matches!(step.next, Next::LogIn(_))),
            Err(BrowserError::NotOurs) => Ok(false),
            Err(other) => Err(other),
        }
    }

    fn browser(&self) -> Browser {
        Browser { context: self.context(), cookies: BrowserCookies::default(), user_agent: None }
    }

    /// The names of the public keys.
    pub(crate) fn key_set(&self) -> Vec<String> {
        let jwks = serde_json::to_value(self.server.jwks().expect("they are here")).expect("keys serialize");
        let mut names: Vec<_> =
            jwks.as_array().into_iter().flatten().filter_map(|key| key["kid"].as_str()).map(str::to_owned).collect();
        names.sort();
        names
    }

    /// The name of the key that signs.
    pub(crate) async fn signer(&self) -> String {
        let given = self.log_in().await.expect("alice knows her password");
        unverified_header(given.access_token.expose()).expect("it is a JWT").kid
    }
}

fn form_of(form: &str) -> Params {
    Params::parse(form.as_bytes()).expect("it is a form")
}

fn refresh_token(given: &TokenResponse) -> &str {
    given.refresh_token.as_ref().expect("the client may refresh").expose()
}

/// The number of the master key that a refresh token is made under.
pub(crate) fn kid(given: &TokenResponse) -> u8 {
    let token = refresh_token(given);
    TokenParts::parse(REFRESH_PREFIX, token).expect("it is one of ours").head.kid.0
}

pub(crate) fn app() -> ClientId {
    ClientId::parse("app").expect("it is a name")
}

pub(crate) fn settings() -> ClientSettings {
    let scope = Scope::parse("openid profile").expect("it is a scope");
    let grant_types = vec![GrantType::Password, GrantType::RefreshToken];
    let policy = ClientDefaults::BUILT_IN.policy;
    ClientSettings {
        id_token_algorithm: regrant_store::IdTokenAlgorithm::Es256,
        ..ClientSettings::new(vec![TokenEndpointAuthMethod::None], grant_types, scope, policy)
    }
}
