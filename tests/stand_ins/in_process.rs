//! The cases for which time has to pass: the same configuration and the same routes, with a clock of the test.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http;
use regrant_crypto::{KeyRing, SystemEntropy, random};
use regrant_engine::{AuthorizationServer, Hooks, Parts};
use regrant_grant::Realm;
use regrant_http::{Site, SiteOptions};
use regrant_protocol::{Clock, ManualClock, Profile, Secret, Timestamp};
use regrant_server::config::{Config, Sources};
use regrant_store_sqlite::{Genesis, SqliteStore};
use regrant_tests::{PASSWORD, START_SECONDS, USERNAME};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt;

use crate::case::Server;
use crate::message::{Answer, Request};
use crate::scene::{by_configuration, configuration};
use crate::system::{Case, SYSTEMS, System};

/// The longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

#[test]
fn the_answers_are_right_after_a_time_too() {
    let mut faults = Vec::new();
    for name in SYSTEMS {
        let system = System::read(name);
        for (of_case, cases) in by_configuration(&system, Case::waits) {
            let server = InProcess::start(&configuration(&system, of_case));
            let ran = cases
                .iter()
                .filter_map(|(called, case)| Some(format!("{called}: {}", case.run(&system, &server).err()?)));
            faults.extend(ran);
        }
    }
    assert!(faults.is_empty(), "{} cases are wrong:\n\n{}", faults.len(), faults.join("\n\n"));
}

/// What the program would serve.
struct InProcess {
    router: Router,
    clock: Arc<ManualClock>,
    runtime: Runtime,
    _folder: TempDir,
}

impl InProcess {
    /// Sets it up, with its user.
    fn start(configuration: &str) -> Self {
        let folder = tempfile::tempdir().expect("a test may write temporary files");
        let file = folder.path().join("regrant.toml");
        fs::write(&file, configuration).expect("the folder is ours");
        let config = Config::load(&Sources { file: Some(file), ..Sources::default() });
        let config = config.unwrap_or_else(|problems| panic!("{problems}"));
        let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(START_SECONDS)));
        let runtime = Runtime::new().expect("threads can be started");
        let router = runtime.block_on(router(&config, Arc::clone(&clock) as _, folder.path()));
        Self { router, clock, runtime, _folder: folder }
    }
}

async fn router(config: &Config, clock: Arc<dyn Clock>, folder: &Path) -> Router {
    let genesis = Genesis { realm: Realm(random(&SystemEntropy)), epoch_random: random(&SystemEntropy) };
    let store = SqliteStore::open(&folder.join("regrant.db"), genesis, Arc::clone(&clock));
    let parts = Parts {
        issuer: config.server.issuer.clone(),
        store: Arc::new(store.expect("a new file can be made a store")),
        ring: KeyRing::generate(&SystemEntropy),
        clock,
        entropy: Arc::new(SystemEntropy),
        session_seconds: config.sessions.lifetime_seconds,
        hooks: Hooks::default(),
    };
    let server = Arc::new(AuthorizationServer::open(parts).await.expect("a new store opens"));
    let password = Secret::new(PASSWORD.to_owned());
    server.register_user(USERNAME, password, Profile::default()).await.expect("a new user can be registered");
    for client in config.clients() {
        let kept = server.keep_client(&client.id, client.secrecy.clone(), client.settings.clone()).await;
        kept.expect("a client of a checked configuration can be registered");
    }
    server.make_rs256_key().await.expect("a key can be made");
    Site::new(server, SiteOptions { dialects: config.dialects.clone(), ..SiteOptions::default() }).router_with_hint()
}

impl Server for InProcess {
    fn send(&self, request: &Request) -> Answer {
        let mut sent = http::Request::builder().method(request.method.as_str()).uri(&request.target);
        for (name, value) in &request.headers {
            sent = sent.header(name, value);
        }
        let sent = sent.body(Body::from(request.body.clone())).expect("a case writes a request");
        self.runtime.block_on(async {
            let Ok(answer) = self.router.clone().oneshot(sent).await;
            let (head, body) = answer.into_parts();
            let body = to_bytes(body, ANSWER_BYTES_MAX).await.expect("an answer has a bounded body");
            let text = |value: &http::HeaderValue| value.to_str().expect("our headers are visible ASCII").to_owned();
            Answer {
                status: head.status.as_u16(),
                headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
                body: String::from_utf8(body.to_vec()).expect("answers are UTF-8"),
            }
        })
    }

    fn wait(&self, seconds: u32) {
        self.clock.advance_seconds(seconds);
    }

    fn url(&self) -> &str {
        unreachable!("a command line is run against the program")
    }
}
