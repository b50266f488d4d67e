//! A data directory with clients and grants, made before the server that is measured starts.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, anyhow};
use regrant_crypto::{SystemEntropy, random, sha256};
use regrant_data_directory::{DataDirectory, OutsideFiles};
use regrant_engine::{AuthorizationServer, Hooks, Parts, SESSION_SECONDS, Secrecy};
use regrant_grant::{
    ApprovedFrom, Binding, Birth, Code, Generation, Grant, GrantId, GrantSecret, OPEN_CODES_MAX, Write,
};
use regrant_protocol::{
    ClientId, Clock, CodeChallenge, GrantType, Issuer, Profile, RedirectUri, Resources, Scope, Subject, SystemClock,
    Timestamp, TokenEndpointAuthMethod, Username,
};
use regrant_store::{
    AccessTokenFormat, ClientDefaults, ClientSettings, Scene, Store, Target, User, UserStatus, decide_in,
};
use tokio::task::JoinSet;

use crate::bench::bench_store::BenchStore;
use crate::bench::mint::Mint;
use crate::open_store::open_store;

/// The issuer of what is measured.
pub(super) const ISSUER: &str = "https://bench.example";
/// Where every code was sent.
pub(super) const REDIRECT_URI: &str = "https://app.example/callback";
/// The code verifier of every code.
pub(super) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

const SCOPE: &str = "read write";
/// From where everybody logged in of whom nobody will hear.
const LOGIN_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 195));
const LOGIN_AGENT: &str = "Chrome on Windows";
/// How long a prepared code can be redeemed, in seconds: as long as a measurement may take.
const CODE_SECONDS: i64 = 24 * 3600;
/// How many rows are written at once.
const ROWS_AT_ONCE: usize = 1000;
/// How many users are made before their grants.
const USERS_AT_ONCE: usize = 2000;

/// A client that was registered for a measurement.
#[derive(Clone)]
pub(super) struct StagedClient {
    pub(super) id: ClientId,
    /// Who it is, as the part of a form.
    pub(super) form: String,
}

/// The open data directory and store. It is dropped before a server starts on it.
pub(super) struct Stage {
    store: Arc<dyn Store>,
    engine: AuthorizationServer,
    mint: Mint,
    /// Users so far.
    users: AtomicUsize,
    _directory: DataDirectory,
}

impl Stage {
    /// Opens `data`, and makes what is missing there, the signing keys too.
    pub(super) async fn open(data: &Path, store: &BenchStore) -> Result<Self> {
        let directory = DataDirectory::open(data)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let (ring, store) =
            open_store(&store.config()?, Some(&OutsideFiles::default()), &directory, Arc::clone(&clock)).await?;
        let mint = Mint::new(ring.clone(), store.identity().clone());
        let parts = Parts {
            issuer: Issuer::parse(ISSUER)?,
            store: Arc::clone(&store),
            ring,
            clock,
            entropy: Arc::new(SystemEntropy),
            session_seconds: SESSION_SECONDS,
            hooks: Hooks::default(),
        };
        let engine = AuthorizationServer::open(parts).await?;
        engine.make_rs256_key().await?;
        Ok(Self { store, engine, mint, users: AtomicUsize::new(0), _directory: directory })
    }

    /// Registers a confidential client with a secret of its own.
    pub(super) async fn client(&self, name: &str, format: AccessTokenFormat) -> Result<StagedClient> {
        use GrantType::{AuthorizationCode, ClientCredentials, RefreshToken};
        let settings = ClientSettings {
            access_token_format: format,
            redirect_uris: vec![RedirectUri::parse(REDIRECT_URI)?],
            ..ClientSettings::new(
                vec![TokenEndpointAuthMethod::ClientSecretPost],
                vec![AuthorizationCode, ClientCredentials, RefreshToken],
                Scope::parse(SCOPE)?,
                ClientDefaults::BUILT_IN.policy,
            )
        };
        let id = ClientId::parse(name)?;
        let secret = self.engine.register_client(id.clone(), Secrecy::Generated, settings).await?;
        let secret = secret.context("a generated secret is told")?;
        Ok(StagedClient { form: format!("client_id={name}&client_secret={}", secret.expose()), id })
    }

    /// Makes so many grants of a client, and gives their refresh tokens.
    pub(super) async fn refresh_tokens(&self, client: &StagedClient, count: usize) -> Result<Vec<String>> {
        let rows = self.grants(client, count, None).await?;
        rows.iter().map(|row| self.mint.refresh_token(row)).collect()
    }

    /// Makes so many grants of a client whose codes were not redeemed, and gives the codes.
    pub(super) async fn codes(&self, client: &StagedClient, count: usize) -> Result<Vec<String>> {
        let code = Code {
            challenge: Some(CodeChallenge::of_digest(&sha256(VERIFIER.as_bytes()))),
            redirect_uri: *sha256(REDIRECT_URI.as_bytes()).first_chunk().context("32 bytes begin with 16")?,
            redirect_uri_was_sent: true,
            nonce: None,
            expires_at: SystemClock.now().plus_seconds(CODE_SECONDS),
        };
        let rows = self.grants(client, count, Some(code)).await?;
        rows.iter().map(|row| self.mint.code(row)).collect()
    }

    /// Makes so many grants of which nobody will hear, as logins with a browser do, and tells by how much the file `database` has
    /// grown by them, if there is one.
    pub(super) async fn bystanders(&self, client: &StagedClient, count: usize, database: &Path) -> Result<u64> {
        let size = || {
            database
                .try_exists()
                .and_then(|exists| if exists { fs::metadata(database).map(|file| file.len()) } else { Ok(0) })
        };
        let now = SystemClock.now();
        let birth = |user: &Subject| self.birth_by_login(client, user, now);
        let mut grown = 0;
        for begun in (0..count).step_by(USERS_AT_ONCE * OPEN_CODES_MAX) {
            let some = (count - begun).min(USERS_AT_ONCE * OPEN_CODES_MAX);
            let users = self.new_users(some.div_ceil(OPEN_CODES_MAX)).await?;
            let before = size()?;
            for (number, rows) in users.chunks(ROWS_AT_ONCE / OPEN_CODES_MAX).enumerate() {
                let left = some - number * (ROWS_AT_ONCE / OPEN_CODES_MAX) * OPEN_CODES_MAX;
                self.grants_of(rows, left.min(rows.len() * OPEN_CODES_MAX), &birth).await?;
            }
            grown += size()?.saturating_sub(before);
        }
        Ok(grown)
    }

    /// Makes one more, as a login with a browser does.
    pub(super) async fn bystander(&self, client: &StagedClient) -> Result<Grant> {
        let users = self.new_users(1).await?;
        let birth = |user: &Subject| self.birth_by_login(client, user, SystemClock.now());
        self.grants_of(&users, 1, &birth).await?.pop().context("one was made")
    }

    async fn grants(&self, client: &StagedClient, count: usize, code: Option<Code>) -> Result<Vec<Grant>> {
        let now = SystemClock.now();
        let birth = |user: &Subject| self.birth(client, user, code.clone(), now);
        let mut rows = Vec::with_capacity(count);
        while rows.len() < count {
            let some = (count - rows.len()).min(ROWS_AT_ONCE);
            let users = self.new_users(some.div_ceil(OPEN_CODES_MAX)).await?;
            rows.extend(self.grants_of(&users, some, &birth).await?);
        }
        Ok(rows)
    }

    /// Makes `count` grants at once, [`OPEN_CODES_MAX`] for each user.
    async fn grants_of(
        &self,
        users: &[Subject],
        count: usize,
        birth: &(dyn Fn(&Subject) -> Birth + Sync),
    ) -> Result<Vec<Grant>> {
        let mut made = JoinSet::new();
        for number in 0..count {
            made.spawn(insert(Arc::clone(&self.store), birth(&users[number / OPEN_CODES_MAX])));
        }
        made.join_all().await.into_iter().collect()
    }

    /// Users who cannot log in: as many as it takes for no grant to make room for another.
    async fn new_users(&self, count: usize) -> Result<Vec<Subject>> {
        let first = self.users.fetch_add(count, Ordering::Relaxed);
        let mut added = JoinSet::new();
        let mut subjects = Vec::with_capacity(count);
        for number in first..first + count {
            let subject = Subject::parse(&format!("user-{number:08}"))?;
            let username = Username::parse(subject.as_str())?;
            let profile = Profile::default();
            let status = UserStatus::Active;
            let user =
                User { subject: subject.clone(), username, credential: None, status, profile, cutoff: 0, version: 1 };
            let store = Arc::clone(&self.store);
            added.spawn(async move { store.add_user(user).await });
            subjects.push(subject);
        }
        added.join_all().await.into_iter().collect::<Result<Vec<()>, _>>()?;
        Ok(subjects)
    }

    /// As a login with a browser makes it: the account page shows from where. By default such a grant outlives its session, and keeps none.
    fn birth_by_login(&self, client: &StagedClient, user: &Subject, now: Timestamp) -> Birth {
        Birth {
            approved_from: Some(ApprovedFrom::new(LOGIN_ADDRESS, Some(LOGIN_AGENT))),
            ..self.birth(client, user, None, now)
        }
    }

    fn birth(&self, client: &StagedClient, user: &Subject, code: Option<Code>, now: Timestamp) -> Birth {
        Birth {
            id: GrantId(random(&SystemEntropy)),
            secret: GrantSecret::new(random(&SystemEntropy)),
            client: client.id.clone(),
            subject: user.clone(),
            scope: Scope::parse(SCOPE).expect("it was registered with the client"),
            resources: Resources::none(),
            binding: Binding::None,
            session: None,
            approved_from: None,
            generation: if code.is_some() { Generation::CODE } else { Generation::FIRST },
            code,
            authenticated_at: now,
            kid: self.mint.kid(),
        }
    }
}

async fn insert(store: Arc<dyn Store>, birth: Birth) -> Result<Grant> {
    let target = Target::NewGrant {
        grant: birth.id,
        client: birth.client.clone(),
        user: birth.subject.clone(),
        session: birth.session,
    };
    let rule = move |scene: &Scene<'_>| {
        let row = Grant::new(birth.clone(), &scene.surroundings, &ClientDefaults::BUILT_IN.policy, scene.now);
        (row.clone(), Write::Insert(row))
    };
    decide_in(&*store, target, None, rule).await.map_err(|error| anyhow!("a grant cannot be made: {error}"))
}
