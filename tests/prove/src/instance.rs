//! regrant in this process, on a data directory.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, anyhow, bail};
use regrant_crypto::{Entropy, KeyRing, SeededEntropy};
use regrant_data_directory::{DataDirectory, OutsideFiles};
use regrant_engine::{AuthorizationServer, Hooks, Parts, RequestContext, SESSION_SECONDS, Secrecy, TokenError};
use regrant_grant::{Grant, Policy, REFRESH_PREFIX, RotationMode, TokenParts, Write};
use regrant_protocol::{
    AccessTokenClaims, ClientId, Clock, GrantType, Issuer, Lifetime, ManualClock, Params, Profile, Scope, Secret,
    Timestamp, TokenEndpointAuthMethod, TokenResponse,
};
use regrant_store::{AccessTokenFormat, ClientDefaults, ClientSettings, Store, StoreError, Target, decide_in};
use regrant_store_postgres::Settings;
use tokio::task::JoinSet;

use crate::world::KeptKeys;

/// The time at which an instance stands still until its clock is moved, in seconds since the Unix epoch.
pub(crate) const START_SECONDS: i64 = 1_800_000_000;
/// How long an access token lives.
pub(crate) const ACCESS_SECONDS: u32 = 3600;
/// How long a refresh token lives unless it is used.
pub(crate) const IDLE_SECONDS: u32 = 14 * 24 * 3600;
/// How long a grant lives.
pub(crate) const ABSOLUTE_SECONDS: u32 = 365 * 24 * 3600;
/// The login of the only user, as a form.
pub(crate) const LOGIN: &str = "grant_type=password&username=alice&password=correct+horse";

const USERNAME: &str = "alice";
const PASSWORD: &str = "correct horse";

/// Who refreshes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    /// The client `web`, which has a secret.
    Confidential,
    /// The client `app`, which has nothing but the token.
    PublicBearer,
}

impl Sender {
    fn client(self) -> &'static str {
        match self {
            Self::Confidential => "web",
            Self::PublicBearer => "app",
        }
    }

    fn form(self, secret: &str) -> String {
        match self {
            Self::Confidential => format!("client_id=web&client_secret={secret}"),
            Self::PublicBearer => "client_id=app".to_owned(),
        }
    }
}

/// An authorization server on a data directory that it alone has open, or several on a database, of which each call goes to the next.
/// Their clock stands still.
pub(crate) struct Instance {
    nodes: Vec<Arc<AuthorizationServer>>,
    turn: AtomicUsize,
    /// What follows, at each node of several, what the others change. It ends with the instance.
    following: JoinSet<Infallible>,
    clock: Arc<ManualClock>,
    /// Their locks.
    directories: Vec<DataDirectory>,
}

impl Instance {
    /// Opens `path` as the program does, and makes there what is missing. No two calls on one directory may share a seed.
    pub(crate) async fn open(path: &Path, seed: u64) -> Result<Self> {
        Self::open_beside(path, &OutsideFiles::default(), seed).await
    }

    /// The same with these files outside the database.
    pub(crate) async fn open_beside(path: &Path, outside: &OutsideFiles, seed: u64) -> Result<Self> {
        let mut instance = Self::without_nodes(Timestamp::from_seconds(START_SECONDS));
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(seed));
        let directory = DataDirectory::open(path)?;
        let ring = directory.key_ring(&*entropy)?;
        let clock = Arc::clone(&instance.clock) as Arc<dyn Clock>;
        let store: Arc<dyn Store> = Arc::new(directory.store_beside(&*entropy, clock, outside)?);
        instance.add(directory, store, ring, entropy).await?;
        Ok(instance)
    }

    /// Opens a node for each of these directories at `now`, with the files outside of each, on one database.
    pub(crate) async fn open_nodes(
        settings: &Settings,
        places: &[(&Path, OutsideFiles)],
        now: Timestamp,
        seed: u64,
    ) -> Result<Self> {
        let mut instance = Self::without_nodes(now);
        for (number, (path, outside)) in (0..).zip(places) {
            let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(seed.wrapping_mul(10).wrapping_add(number)));
            let directory = DataDirectory::open(path)?;
            let clock = Arc::clone(&instance.clock) as Arc<dyn Clock>;
            let opened = directory.postgres_beside(settings.clone(), &*entropy, clock, outside).await;
            let (ring, store) = opened?;
            instance.add(directory, Arc::new(store), ring, entropy).await?;
        }
        Ok(instance)
    }

    fn without_nodes(now: Timestamp) -> Self {
        let clock = Arc::new(ManualClock::new(now));
        let (turn, following) = (AtomicUsize::new(0), JoinSet::new());
        Self { nodes: Vec::new(), turn, following, clock, directories: Vec::new() }
    }

    async fn add(
        &mut self,
        directory: DataDirectory,
        store: Arc<dyn Store>,
        ring: KeyRing,
        entropy: Arc<dyn Entropy>,
    ) -> Result<()> {
        let engine = AuthorizationServer::open(Parts {
            issuer: Issuer::parse("https://id.example")?,
            store,
            ring: ring.clone(),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            entropy,
            session_seconds: SESSION_SECONDS,
            hooks: Hooks::default(),
        });
        let engine = Arc::new(engine.await?);
        if engine.store().shared().is_some() {
            self.following.spawn(engine.follower("a node", Arc::new(KeptKeys(ring))).run(|_| {}));
        }
        self.nodes.push(engine);
        self.directories.push(directory);
        Ok(())
    }

    fn engine(&self) -> &AuthorizationServer {
        &self.nodes[self.turn.fetch_add(1, Ordering::Relaxed) % self.nodes.len()]
    }

    /// Registers the user and both clients, and returns the secret of `web`.
    pub(crate) async fn register(&self) -> Result<String> {
        self.register_user().await?;
        for sender in [Sender::PublicBearer, Sender::Confidential] {
            if let Some(secret) = self.register_client(sender.client(), sender, RotationMode::Rotate).await? {
                return Ok(secret);
            }
        }
        bail!("a generated secret is told")
    }

    /// Registers the user.
    pub(crate) async fn register_user(&self) -> Result<()> {
        self.engine().register_user(USERNAME, Secret::new(PASSWORD.to_owned()), Profile::default()).await?;
        Ok(())
    }

    /// Registers a client, and returns its secret where it has one.
    pub(crate) async fn register_client(&self, id: &str, kind: Sender, mode: RotationMode) -> Result<Option<String>> {
        let (secrecy, method) = match kind {
            Sender::Confidential => (Secrecy::Generated, TokenEndpointAuthMethod::ClientSecretPost),
            Sender::PublicBearer => (Secrecy::Public, TokenEndpointAuthMethod::None),
        };
        let secret = self.engine().register_client(ClientId::parse(id)?, secrecy, settings(method, mode)?).await?;
        Ok(secret.map(|secret| secret.expose().to_owned()))
    }

    /// Logs the user in; the first refresh token of a new grant.
    pub(crate) async fn log_in(&self, sender: Sender, secret: &str) -> Result<String, TokenError> {
        let response = self.token(&format!("{LOGIN}&{}", sender.form(secret))).await?;
        Ok(response.refresh_token.map(|token| token.expose().to_owned()).unwrap_or_default())
    }

    /// The refresh token that a refresh gives.
    pub(crate) async fn refresh(&self, sender: Sender, secret: &str, token: &str) -> Result<String, TokenError> {
        let form = format!("grant_type=refresh_token&refresh_token={token}&{}", sender.form(secret));
        let response = self.token(&form).await?;
        Ok(response.refresh_token.map(|token| token.expose().to_owned()).unwrap_or_default())
    }

    /// Revokes the grant of a token.
    pub(crate) async fn revoke(&self, sender: Sender, secret: &str, token: &str) -> Result<(), TokenError> {
        self.revoke_by(&format!("token={token}&{}", sender.form(secret))).await
    }

    /// What the revocation endpoint answers to a form.
    pub(crate) async fn revoke_by(&self, form: &str) -> Result<(), TokenError> {
        self.engine().revoke(&self.context(), None, &params(form)).await
    }

    /// What the token endpoint answers to a form.
    pub(crate) async fn token(&self, form: &str) -> Result<TokenResponse, TokenError> {
        self.engine().token(&self.context(), None, &params(form)).await
    }

    /// The claims of an access token that is good now.
    pub(crate) async fn inspect(&self, access_token: &str) -> Result<Option<AccessTokenClaims>, TokenError> {
        let active = self.engine().inspect(&self.context(), access_token).await?;
        Ok(active.map(|active| active.claims))
    }

    /// The only clock that it knows.
    pub(crate) fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// The row of the grant that a token names.
    pub(crate) async fn row(&self, token: &str) -> Result<Option<Grant>> {
        let parts = TokenParts::parse(REFRESH_PREFIX, token).map_err(|_| anyhow!("not a refresh token"))?;
        let read = |scene: &regrant_store::Scene<'_>| (scene.grant.cloned(), Write::Nothing);
        let found: Result<_, StoreError> =
            decide_in(&**self.engine().store(), Target::Grant(parts.head.grant), None, read).await;
        Ok(found?)
    }

    fn context(&self) -> RequestContext {
        RequestContext::new(IpAddr::V4(Ipv4Addr::LOCALHOST), self.clock.monotonic())
    }
}

fn params(form: &str) -> Params {
    Params::parse(form.as_bytes()).expect("our own form is well-formed")
}

fn settings(method: TokenEndpointAuthMethod, rotation: RotationMode) -> Result<ClientSettings> {
    let policy = Policy {
        rotation,
        access_lifetime: Lifetime::from_seconds(ACCESS_SECONDS),
        idle_lifetime: Lifetime::from_seconds(IDLE_SECONDS),
        absolute_lifetime: Lifetime::from_seconds(ABSOLUTE_SECONDS),
        ..ClientDefaults::BUILT_IN.policy
    };
    let grant_types = vec![GrantType::Password, GrantType::RefreshToken];
    Ok(ClientSettings {
        access_token_format: AccessTokenFormat::JwtEdDsa,
        ..ClientSettings::new(vec![method], grant_types, Scope::parse("read")?, policy)
    })
}
