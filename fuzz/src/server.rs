use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use regrant_crypto::{KeyRing, SeededEntropy, random};
use regrant_engine::{AuthorizationServer, Hooks, Parts, RequestContext, SESSION_SECONDS};
use regrant_grant::{Policy, Realm};
use regrant_protocol::{Clock, Issuer, Lifetime, ManualClock, Params, Timestamp};
use regrant_store::ClientDefaults;
use regrant_store_sqlite::{Genesis, SqliteStore};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// An authorization server over an empty store, for targets that need a whole one. Its clock stands still.
pub(crate) struct Server {
    pub(crate) engine: AuthorizationServer,
    pub(crate) runtime: Runtime,
    _data: TempDir,
}

impl Server {
    pub(crate) fn open() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).build().expect("threads can be started");
        let data = tempfile::tempdir().expect("temporary files can be made");
        let entropy = Arc::new(SeededEntropy::new(1));
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(Timestamp::from_seconds(1_800_000_000)));
        let genesis = Genesis { realm: Realm(random(&*entropy)), epoch_random: random(&*entropy) };
        let store =
            SqliteStore::open(&data.path().join("regrant.db"), genesis, Arc::clone(&clock)).expect("a new store opens");
        let parts = Parts {
            issuer: Issuer::parse("https://id.example").expect("an issuer"),
            store: Arc::new(store),
            ring: KeyRing::generate(&*entropy),
            clock,
            entropy,
            session_seconds: SESSION_SECONDS,
            hooks: Hooks::default(),
        };
        let engine = runtime.block_on(AuthorizationServer::open(parts)).expect("a new store opens");
        Self { engine, runtime, _data: data }
    }

    /// A request that begins now.
    pub(crate) fn context(&self) -> RequestContext {
        RequestContext::new(IpAddr::V4(Ipv4Addr::LOCALHOST), self.engine.clock().monotonic())
    }
}

/// Rotation without an end to the grants.
pub(crate) const POLICY: Policy = Policy {
    access_lifetime: Lifetime::Never,
    idle_lifetime: Lifetime::Never,
    absolute_lifetime: Lifetime::Never,
    ..ClientDefaults::BUILT_IN.policy
};

/// The form with these fields.
pub(crate) fn form(fields: &[(&str, &str)]) -> Params {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    Params::parse(body.as_bytes()).expect("a form")
}
