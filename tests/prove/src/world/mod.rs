//! Authorization servers in this process, on one store.

mod careless_store;
mod kept_keys;
mod place;

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use anyhow::{Context, Result, anyhow, ensure};
use regrant_crypto::{KeyRing, SystemEntropy, random, sha256};
use regrant_engine::{
    AuthorizationServer, Hooks, Observer, Parts, Refusal, RequestContext, SESSION_SECONDS, Secrecy, TokenError,
};
use regrant_grant::{Grant, GrantId, GrantSecret, ImportedBirth, ImportedToken, Policy, Write};
use regrant_protocol::{
    ClientId, Clock, GrantType, Issuer, Lifetime, Params, Profile, Scope, Subject, SystemClock,
    TokenEndpointAuthMethod, TokenResponse, Username,
};
use regrant_store::{
    AccessTokenFormat, ClientDefaults, ClientSettings, Credential, ImportedGrant, Scene, Store, Target, User,
    UserStatus, decide_in,
};
use tokio::task::JoinSet;

use crate::history::{Call, Operation, Outcome, Stopwatch, Tokens};
use careless_store::CarelessStore;
pub(crate) use careless_store::Carelessness;
pub(crate) use kept_keys::KeptKeys;
pub(crate) use place::{NODES, StoreKind, open_node};

/// Real authorization servers in this process, with the clock of the machine: the nodes of one store. Each call goes to the next.
pub(crate) struct World {
    nodes: Vec<Arc<AuthorizationServer>>,
    /// What follows, at each node, what the others change. It ends with the world.
    _following: JoinSet<Infallible>,
    turn: AtomicUsize,
    stopwatch: Stopwatch,
    names_used: AtomicU64,
}

/// A client of its own and a user of its own, and what is needed to refresh.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    /// The client.
    pub(crate) client: ClientId,
    /// The client's secret; `None` of a public client.
    pub(crate) secret: Option<String>,
    /// The user.
    pub(crate) subject: Subject,
    /// What the login was answered with.
    pub(crate) tokens: Tokens,
}

impl Login {
    /// The parameters by which its client says who it is.
    fn client_parameters(&self) -> String {
        client_parameters(&self.client, self.secret.as_deref())
    }
}

/// How a grant begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// With a login at a confidential client: the first refresh token is ours.
    LogIn,
    /// With a login at a public client, whose refresh token alone has to prove it.
    PublicLogIn,
    /// In another system: the first refresh token is a string that was taken over.
    Import,
}

/// A refresh, and the tokens of a 200.
pub(crate) type Refresh = (Operation, Option<Tokens>);

impl World {
    /// Builds a node on each of these stores, which are all of the same rows. A fault is planted in each of them.
    pub(crate) async fn open(
        stores: Vec<Arc<dyn Store>>,
        planted: Option<Carelessness>,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Self> {
        let ring = KeyRing::generate(&SystemEntropy);
        let (mut nodes, mut following) = (Vec::new(), JoinSet::new());
        for store in stores {
            let store = match planted {
                None => store,
                Some(carelessness) => Arc::new(CarelessStore::new(store, carelessness)),
            };
            let parts = Parts {
                issuer: Issuer::parse("https://id.example")?,
                store,
                ring: ring.clone(),
                clock: Arc::new(SystemClock),
                entropy: Arc::new(SystemEntropy),
                session_seconds: SESSION_SECONDS,
                hooks: Hooks { observer: observer.clone(), ..Hooks::default() },
            };
            let node = Arc::new(AuthorizationServer::open(parts).await?);
            following.spawn(node.follower("a node", Arc::new(KeptKeys(ring.clone()))).run(|_| {}));
            nodes.push(node);
        }
        let (turn, names_used) = (AtomicUsize::new(0), AtomicU64::new(0));
        Ok(Self { nodes, _following: following, turn, stopwatch: Stopwatch::start(), names_used })
    }

    /// The store behind the next node, for changes that come from elsewhere.
    pub(crate) fn store(&self) -> &dyn Store {
        &**self.node().store()
    }

    /// The store behind each node.
    pub(crate) fn stores(&self) -> impl Iterator<Item = &dyn Store> {
        self.nodes.iter().map(|node| &**node.store())
    }

    /// Nanoseconds since it was opened.
    pub(crate) fn now(&self) -> u64 {
        self.stopwatch.nanoseconds()
    }

    fn node(&self) -> &AuthorizationServer {
        &self.nodes[self.next()]
    }

    fn next(&self) -> usize {
        self.turn.fetch_add(1, Ordering::Relaxed) % self.nodes.len()
    }

    /// Makes a user and a client with a grant.
    pub(crate) async fn begin(&self, origin: Origin) -> Result<Login> {
        match origin {
            Origin::LogIn => {
                let (client, secret, _) = self.add_client().await?;
                self.log_in(client, Some(secret)).await
            }
            Origin::PublicLogIn => {
                let client = self.add_public_client().await?;
                self.log_in(client, None).await
            }
            Origin::Import => self.take_over().await,
        }
    }

    async fn log_in(&self, client: ClientId, secret: Option<String>) -> Result<Login> {
        let (subject, username) = self.add_user().await?;
        let client_parameters = client_parameters(&client, secret.as_deref());
        let form = format!("grant_type=password&username={username}&password={PASSWORD}&{client_parameters}");
        let response = self.token(&form).await?;
        let tokens = read(&response).ok_or_else(|| anyhow!("a login was answered without tokens"))?;
        Ok(Login { client, secret, subject, tokens })
    }

    async fn take_over(&self) -> Result<Login> {
        let (client, secret, _) = self.add_client().await?;
        let (subject, _) = self.add_user().await?;
        let (id, token) = (GrantId(random(&SystemEntropy)), self.name("a-token-of-another-system"));
        let now = SystemClock.now();
        let birth = ImportedBirth {
            id,
            secret: GrantSecret::new(random(&SystemEntropy)),
            client: client.clone(),
            subject: subject.clone(),
            scope: Scope::parse("read")?,
            created_at: now,
            authenticated_at: now,
            idle_expires_at: Some(now.plus_seconds(3600)),
            absolute_expires_at: None,
            ends_elsewhere_at: None,
            access_lifetime: Lifetime::from_seconds(3600),
        };
        let refresh_token = Some(ImportedToken(sha256(token.as_bytes())));
        let grant = ImportedGrant { birth, refresh_token, access_tokens: Vec::new() };
        let imported = self.node().import(vec![grant]).await?;
        ensure!(imported.refresh_tokens == 1, "a token was not taken over: {imported:?}");
        Ok(Login { client, secret: Some(secret), subject, tokens: Tokens::imported(token, id) })
    }

    async fn add_user(&self) -> Result<(Subject, String)> {
        let username = self.name("user");
        let subject = Subject::parse(&self.name("subject"))?;
        let user = User {
            subject: subject.clone(),
            username: Username::parse(&username)?,
            credential: Some(Credential::new(PASSWORD_HASH.to_owned())),
            status: UserStatus::Active,
            profile: Profile::default(),
            cutoff: 0,
            version: 1,
        };
        self.store().add_user(user).await?;
        Ok((subject, username))
    }

    /// Makes a client; its name, its secret, and what is kept of it.
    pub(crate) async fn add_client(&self) -> Result<(ClientId, String, Option<Credential>)> {
        let client = ClientId::parse(&self.name("client"))?;
        let settings = settings(TokenEndpointAuthMethod::ClientSecretPost)?;
        let generated = self.node().register_client(client.clone(), Secrecy::Generated, settings).await?;
        let secret = generated.context("a confidential client is registered with a secret")?.expose().to_owned();
        let kept = self.store().client(&client).await?.and_then(|client| client.settings.credential);
        Ok((client, secret, kept))
    }

    async fn add_public_client(&self) -> Result<ClientId> {
        let client = ClientId::parse(&self.name("public-client"))?;
        let settings = settings(TokenEndpointAuthMethod::None)?;
        self.node().register_client(client.clone(), Secrecy::Public, settings).await?;
        Ok(client)
    }

    /// Refreshes with `presented`, at the next node.
    pub(crate) async fn refresh(&self, login: &Login, presented: &Tokens) -> Refresh {
        self.refresh_at(self.next(), login, presented).await
    }

    /// The same, at this node.
    pub(crate) async fn refresh_at(&self, node: usize, login: &Login, presented: &Tokens) -> Refresh {
        let (token, client_parameters) = (&presented.refresh_token, login.client_parameters());
        let form = format!("grant_type=refresh_token&refresh_token={token}&{client_parameters}");
        let invoked = self.stopwatch.nanoseconds();
        let answer = self.nodes[node].token(&self.context(), None, &params(&form)).await;
        let completed = self.stopwatch.nanoseconds();
        let tokens = answer.as_ref().ok().and_then(read);
        let outcome = match (&answer, &tokens) {
            (Ok(_), Some(tokens)) => Outcome::Refreshed(tokens.successor),
            (Ok(_), None) => Outcome::Unknown,
            (Err(error), _) => match Refusal::from(error).status {
                429 | 503 => Outcome::Unknown,
                // A failure of the server too: nobody may be told so.
                _ => Outcome::Refused,
            },
        };
        (Operation { invoked, completed, call: Call::Refresh(presented.generation()), outcome }, tokens)
    }

    /// Revokes the grant of a token (RFC 7009), at the next node.
    pub(crate) async fn revoke(&self, login: &Login) -> Result<()> {
        self.revoke_at(self.next(), login).await
    }

    /// The same, at this node.
    pub(crate) async fn revoke_at(&self, node: usize, login: &Login) -> Result<()> {
        let params = params(&format!("token={}&{}", login.tokens.refresh_token, login.client_parameters()));
        Ok(self.nodes[node].revoke(&self.context(), None, &params).await?)
    }

    /// Runs a change and notes when.
    pub(crate) async fn end(&self, change: impl Future<Output = Result<()>>) -> Result<Operation> {
        let invoked = self.stopwatch.nanoseconds();
        change.await?;
        Ok(Operation { invoked, completed: self.stopwatch.nanoseconds(), call: Call::End, outcome: Outcome::Ended })
    }

    /// The row of a grant.
    pub(crate) async fn row(&self, grant: GrantId) -> Result<Grant> {
        row(self.store(), grant).await
    }

    async fn token(&self, form: &str) -> Result<TokenResponse, TokenError> {
        self.node().token(&self.context(), None, &params(form)).await
    }

    fn context(&self) -> RequestContext {
        RequestContext::new(IpAddr::V4(Ipv4Addr::LOCALHOST), SystemClock.monotonic())
    }

    fn name(&self, what: &str) -> String {
        format!("{what}-{}", self.names_used.fetch_add(1, Ordering::Relaxed))
    }
}

/// The row of a grant in a store.
pub(crate) async fn row(store: &dyn Store, grant: GrantId) -> Result<Grant> {
    let read = |scene: &Scene<'_>| (scene.grant.cloned(), Write::Nothing);
    let found = decide_in(store, Target::Grant(grant), None, read).await?;
    found.context("the grant of a login exists")
}

const PASSWORD: &str = "brent123";

/// Of [`PASSWORD`], with the least that Argon2id can cost: logging in is not what is raced here.
const PASSWORD_HASH: &str =
    "$argon2id$v=19$m=8,t=1,p=1$AAECAwQFBgcICQoLDA0ODw$e72a5mWrp3qpKAMaYAD1ivgwfWK+8icWiT0fxiEIqhw";

fn client_parameters(client: &ClientId, secret: Option<&str>) -> String {
    match secret {
        Some(secret) => format!("client_id={client}&client_secret={secret}"),
        None => format!("client_id={client}"),
    }
}

fn read(response: &TokenResponse) -> Option<Tokens> {
    Tokens::new(response.refresh_token.as_ref()?.expose(), response.access_token.expose())
}

fn params(form: &str) -> Params {
    Params::parse(form.as_bytes()).expect("our own forms are well-formed")
}

fn settings(auth_method: TokenEndpointAuthMethod) -> Result<ClientSettings> {
    let policy = Policy {
        access_lifetime: Lifetime::from_seconds(3600),
        idle_lifetime: Lifetime::from_seconds(14 * 24 * 3600),
        absolute_lifetime: Lifetime::from_seconds(365 * 24 * 3600),
        ..ClientDefaults::BUILT_IN.policy
    };
    let grant_types = vec![GrantType::Password, GrantType::RefreshToken];
    Ok(ClientSettings {
        access_token_format: AccessTokenFormat::JwtEdDsa,
        ..ClientSettings::new(vec![auth_method], grant_types, Scope::parse("read write")?, policy)
    })
}
