//! A server of its own for one test of the engine.

use std::sync::{Arc, Mutex};

use regrant_crypto::{KeyRing, SeededEntropy, sha256};
use regrant_grant::{
    Binding, Birth, CODE_LIFETIME_SECONDS, Code, Generation, Grant, GrantId, GrantSecret, Policy, Realm, Write,
};
use regrant_protocol::{
    ClientId, Clock, CodeChallenge, GrantType, IdTokenClaims, Issuer, Lifetime, ManualClock, Nonce, Params, Profile,
    RedirectUri, Resources, Scope, Secret, Subject, Timestamp, TokenEndpointAuthMethod, TokenResponse,
};
use regrant_store::{ClientDefaults, ClientSettings, IdTokenAlgorithm, Scene, Target, decide_in};
use regrant_store_sqlite::{Genesis, SqliteStore};
use tempfile::TempDir;

use crate::code::redirect_uri_digest;
use crate::{
    AuthorizationServer, Event, Happening, KeyFile, KeyFileNotRead, KeyFileNotWritten, Observer, Parts, RequestContext,
    Secrecy, TokenError,
};

pub(crate) const ISSUER: &str = "https://id.example";
const CALLBACK: &str = "https://app.example/cb";
/// RFC 7636 Appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A server with the user alice and the public clients `app` and `other`.
pub(crate) struct World {
    pub(crate) server: AuthorizationServer,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) alice: Subject,
    pub(crate) data: TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(crate::Hooks::default()).await
    }

    /// The same in a program that adds something.
    pub(crate) async fn with(hooks: crate::Hooks) -> Self {
        let entropy = Arc::new(SeededEntropy::new(1));
        let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(1_800_000_000)));
        let data = tempfile::tempdir().unwrap();
        let genesis = Genesis { realm: Realm([1; 16]), epoch_random: [2; 16] };
        let store = SqliteStore::open(&data.path().join("regrant.db"), genesis, clock.clone()).unwrap();
        let parts = Parts {
            issuer: Issuer::parse(ISSUER).unwrap(),
            store: Arc::new(store),
            ring: KeyRing::generate(&*entropy),
            clock: clock.clone(),
            entropy,
            session_seconds: crate::SESSION_SECONDS,
            hooks,
        };
        let server = AuthorizationServer::open(parts).await.unwrap();
        for id in ["app", "other"] {
            server.register_client(ClientId::parse(id).unwrap(), Secrecy::Public, settings()).await.unwrap();
        }
        let profile = Profile { name: Some("Alice".to_owned()), ..Profile::default() };
        let alice = server.register_user("alice", Secret::new("wonderland".to_owned()), profile).await.unwrap();
        Self { server, clock, alice, data }
    }

    /// Hears from now on of everything that happens.
    pub(crate) fn listen(&mut self) -> Arc<Listener> {
        let listener = Arc::new(Listener::default());
        self.server.hooks.observer = Some(listener.clone());
        listener
    }

    /// What the user's consent leaves behind: a row of generation 0, and its code.
    pub(crate) async fn code(&self) -> String {
        self.code_of(|_| {}).await
    }

    /// The same for another grant than usual.
    pub(crate) async fn code_of(&self, change: impl FnOnce(&mut Birth)) -> String {
        let row = self.row_of(change).await;
        self.server.keys.code(&row).unwrap().expose().to_owned()
    }

    /// The row alone.
    pub(crate) async fn row_of(&self, change: impl FnOnce(&mut Birth)) -> Grant {
        let mut birth = Birth {
            id: self.row_id(),
            secret: GrantSecret::new([4; 16]),
            client: ClientId::parse("app").unwrap(),
            subject: self.alice.clone(),
            scope: Scope::parse("openid profile read").unwrap(),
            resources: Resources::parse(["https://a.example", "https://b.example"]).unwrap(),
            binding: Binding::None,
            session: None,
            approved_from: None,
            code: Some(Code {
                challenge: Some(CodeChallenge::of_digest(&sha256(VERIFIER.as_bytes()))),
                redirect_uri: redirect_uri_digest(CALLBACK),
                redirect_uri_was_sent: true,
                nonce: Some(Nonce::parse("n-0S6_WzA2Mj").unwrap()),
                expires_at: self.now().plus_seconds(i64::from(CODE_LIFETIME_SECONDS)),
            }),
            authenticated_at: self.now().plus_seconds(-5),
            kid: self.server.keys.newest_kid(),
            generation: Generation::CODE,
        };
        change(&mut birth);
        let target = Target::NewGrant {
            grant: birth.id,
            client: birth.client.clone(),
            user: birth.subject.clone(),
            session: birth.session,
        };
        let rule = move |scene: &Scene<'_>| {
            let row = Grant::new(birth.clone(), &scene.surroundings, &policy(), scene.now);
            (row.clone(), Write::Insert(row))
        };
        decide_in(&*self.server.store, target, None, rule).await.unwrap()
    }

    /// The name of the row that [`World::row_of`] makes.
    pub(crate) fn row_id(&self) -> GrantId {
        GrantId([3; 16])
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.server.clock.now()
    }

    pub(crate) fn context(&self) -> RequestContext {
        RequestContext::new([192, 0, 2, 1].into(), self.clock.monotonic())
    }

    pub(crate) async fn token(&self, form: &str) -> Result<TokenResponse, TokenError> {
        self.server.token(&self.context(), None, &Params::parse(form.as_bytes()).unwrap()).await
    }

    /// Redeems a code with the verifier that belongs to it; `rest` is what else the form has.
    pub(crate) async fn redeem(&self, code: &str, rest: &str) -> Result<TokenResponse, TokenError> {
        let form = format!("grant_type=authorization_code&client_id=app&code={code}&code_verifier={VERIFIER}{rest}");
        self.token(&form).await
    }

    pub(crate) async fn refresh(&self, given: &TokenResponse, rest: &str) -> Result<TokenResponse, TokenError> {
        let token = given.refresh_token.as_ref().unwrap().expose();
        self.token(&format!("grant_type=refresh_token&client_id=app&refresh_token={token}{rest}")).await
    }

    /// Gives the client `app` its usual settings, changed.
    pub(crate) async fn change(&self, change: impl FnOnce(&mut ClientSettings)) {
        let mut settings = settings();
        change(&mut settings);
        self.server.change_client(&ClientId::parse("app").unwrap(), settings).await.unwrap();
    }

    /// The claims of the ID token in an answer.
    pub(crate) fn id_token(&self, response: &TokenResponse) -> IdTokenClaims {
        self.server.verify_id_token_hint(response.id_token.as_ref().unwrap()).unwrap()
    }
}

/// Keeps what it hears.
#[derive(Default)]
pub(crate) struct Listener(Mutex<Vec<String>>);

impl Listener {
    /// What has happened since it was asked before, in the words of `Debug`.
    pub(crate) fn heard(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Observer for Listener {
    fn happened(&self, event: &Event<'_>) {
        assert!(Happening::NAMES.contains(&event.happening.name()), "{event:?}");
        self.0.lock().unwrap().push(format!("{:?}", event.happening));
    }
}

fn policy() -> Policy {
    Policy {
        access_lifetime: Lifetime::from_seconds(300),
        idle_lifetime: Lifetime::from_seconds(3600),
        absolute_lifetime: Lifetime::from_seconds(7200),
        ..ClientDefaults::BUILT_IN.policy
    }
}

/// The usual settings of `app`.
pub(crate) fn settings() -> ClientSettings {
    let scope = Scope::parse("openid profile read").unwrap();
    let grant_types = vec![GrantType::AuthorizationCode, GrantType::RefreshToken];
    ClientSettings {
        redirect_uris: vec![RedirectUri::parse(CALLBACK).unwrap()],
        resources: Resources::parse(["https://a.example", "https://b.example"]).unwrap(),
        id_token_algorithm: IdTokenAlgorithm::Es256,
        ..ClientSettings::new(vec![TokenEndpointAuthMethod::None], grant_types, scope, policy())
    }
}

/// A key file that holds nothing and takes everything.
pub(crate) struct Nowhere;

impl KeyFile for Nowhere {
    fn read(&self) -> Result<KeyRing, KeyFileNotRead> {
        Err(KeyFileNotRead("nothing is there".to_owned()))
    }

    fn replace(&self, _: &KeyRing) -> Result<(), KeyFileNotWritten> {
        Ok(())
    }
}
