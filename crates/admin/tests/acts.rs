//! What operators do is told to the observer of the server, once, with the door and without any secret.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use regrant_admin::{AdminToken, Administration, BackupError, Program, ProgramStatus, router, router_with_token};
use regrant_crypto::{KeyRing, SeededEntropy};
use regrant_engine::{
    AuthorizationServer, Door, Event, FAILURE_BURST, Happening, Hooks, KeyFile, KeyFileNotRead, KeyFileNotWritten,
    Observer, Parts, RequestId, SESSION_SECONDS,
};
use regrant_grant::Realm;
use regrant_protocol::{ClientId, Issuer, ManualClock, Profile, Secret, Timestamp};
use regrant_store::{ClientDefaults, IdTokenAlgorithm};
use regrant_store_sqlite::{Genesis, SqliteStore};
use tempfile::TempDir;
use tower::ServiceExt as _;

#[tokio::test]
async fn what_an_operator_does_is_told_once_and_what_is_refused_is_not() {
    let (router, heard, subject, _data) = office().await;
    let app = r#"{"id":"app","secret":"hush-hush","grant_types":["client_credentials"]}"#;
    let user = format!("/users/{subject}");
    for (method, path, body, acts) in [
        ("POST", "/clients", app, &["client_registered app"][..]),
        ("POST", "/clients", app, &[]),
        ("PATCH", "/clients/app", r#"{"name":"App"}"#, &["client_changed app"]),
        ("PATCH", "/clients/app", r#"{"scope":"\""}"#, &[]),
        ("POST", "/clients/app/rotate-secret", r#"{"secret":"hush-hush"}"#, &["client_secret_rotated app"]),
        ("POST", "/clients/app/disable", "", &["client_disabled app"]),
        ("POST", "/clients/app/enable", "", &["client_enabled app"]),
        ("POST", "/clients/app/end-grants", "", &["client_grants_ended app"]),
        ("POST", "/grants/end", r#"{"client":"app"}"#, &["client_grants_ended app"]),
        (
            "POST",
            "/grants/end",
            r#"{"client":"app","made_before":"2026-03-01T12:00:00Z"}"#,
            &["grants_ended client app, made before 2026-03-01T12:00:00Z"],
        ),
        ("DELETE", "/clients/app", "", &["client_removed app"]),
        ("DELETE", "/clients/app", "", &[]),
        ("GET", "/clients", "", &[]),
        ("PATCH", &user, r#"{"profile":{"name":"A"}}"#, &["user_changed SUBJECT"]),
        (
            "POST",
            &format!("{user}/password"),
            r#"{"password":"hush-hush","end_grants":true}"#,
            &["user_password_set SUBJECT", "user_grants_ended SUBJECT"],
        ),
        ("POST", &format!("{user}/lock"), "", &["user_locked SUBJECT"]),
        ("POST", &format!("{user}/disable"), "", &["user_disabled SUBJECT"]),
        ("POST", &format!("{user}/enable"), "", &["user_enabled SUBJECT"]),
        ("POST", &format!("{user}/end-grants"), "", &["user_grants_ended SUBJECT"]),
        ("DELETE", &user, "", &["user_removed SUBJECT"]),
        ("POST", "/keys/prepare", "", &["master_key_prepared 2"]),
        ("POST", "/keys/prepare", "", &[]),
        ("POST", "/keys/rotate", r#"{"key":"master"}"#, &["master_key_rotated 2"]),
        ("POST", "/backup", r#"{"path":"/copy.db"}"#, &["backup_written /copy.db"]),
        ("POST", "/trust-clock", "", &["clock_trusted clock"]),
        ("POST", "/explain", r#"{"token":"hush-hush"}"#, &[]),
    ] {
        send(&router, method, path, body).await;
        let expected: Vec<_> = acts.iter().map(|act| act.replace("SUBJECT", &subject)).collect();
        let heard: Vec<_> = heard.0.lock().unwrap().drain(..).collect();
        assert_eq!(heard, expected, "{method} {path} {body}");
    }
}

#[tokio::test]
async fn who_has_no_admin_token_is_told_of_with_the_source() {
    let (administration, heard, ..) = administration().await;
    let token = "0123456789abcdef0123456789abcdef";
    let router = router_with_token(administration, AdminToken::parse(token).expect("it is one"));
    let ask = async |authorization: &str| {
        let mut request = request("GET", "/clients", "");
        if !authorization.is_empty() {
            let value = authorization.parse().expect("it is a header");
            request.headers_mut().insert("authorization", value);
        }
        let answer = router.clone().oneshot(request).await.expect("a router does not fail");
        (answer.status().as_u16(), heard.0.lock().unwrap().drain(..).collect::<Vec<_>>())
    };
    assert_eq!(ask(&format!("Bearer {token}")).await, (200, vec![]));
    assert_eq!(ask("").await, (401, vec!["refused no_token".to_owned()]));
    for _ in 0..FAILURE_BURST {
        assert_eq!(ask("Bearer hush").await, (401, vec!["refused wrong_token".to_owned()]));
    }
    assert_eq!(ask("Bearer hush").await, (429, vec!["refused too_many_failures".to_owned()]));
}

#[tokio::test]
async fn what_was_begun_is_done_and_told_though_the_one_who_asked_is_gone() {
    let (router, heard, ..) = office().await;
    let app = r#"{"id":"app","secret":"hush-hush","grant_types":["client_credentials"]}"#;
    let asked = router.oneshot(request("POST", "/clients", app));
    tokio::select! {
        biased;
        _ = asked => panic!("it takes longer than one look"),
        () = std::future::ready(()) => {}
    }
    while heard.0.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(*heard.0.lock().unwrap(), ["client_registered app"]);
}

#[tokio::test]
async fn the_acts_on_keys_are_told_apart_and_each_key_is_named() {
    let (router, heard, _, _data) = office().await;
    let told = |heard: &Heard| {
        // The names of signing keys are random.
        let acts = heard.0.lock().unwrap().drain(..).collect::<Vec<_>>();
        let (acts, objects): (Vec<_>, Vec<_>) = acts
            .iter()
            .map(|told| told.split_once(' ').map(|(act, key)| (act.to_owned(), key.to_owned())).unwrap())
            .unzip();
        (acts, objects)
    };
    send(&router, "POST", "/keys/rotate", r#"{"key":"es256"}"#).await;
    let (acts, made) = told(&heard);
    assert_eq!(acts, ["key_rotated"]);
    let withdraw = format!("/keys/{}/withdraw", made[0]);
    send(&router, "POST", &withdraw, "").await;
    assert_eq!(told(&heard), (vec!["key_withdrawn".to_owned()], made));
    send(&router, "POST", &withdraw, "").await;
    assert_eq!(told(&heard).0, Vec::<String>::new(), "it was withdrawn before");

    send(&router, "POST", "/keys/rotate", r#"{"key":"es256","emergency":true}"#).await;
    let (mut acts, objects) = told(&heard);
    acts.sort();
    assert_eq!(acts, ["key_rotated_in_emergency", "key_withdrawn_in_emergency"]);
    assert_ne!(objects[0], objects[1]);

    send(&router, "POST", "/keys/rotate", r#"{"key":"master"}"#).await;
    assert_eq!(told(&heard), (vec!["master_key_rotated".to_owned()], vec!["2".to_owned()]));
    send(&router, "POST", "/keys/rotate", r#"{"key":"master","emergency":true}"#).await;
    let (mut acts, objects) = told(&heard);
    assert_eq!(acts[..3], ["master_key_rotated_in_emergency", "master_key_retired", "master_key_retired"]);
    assert_eq!(objects[..3], ["3", "1", "2"]);
    let mut of_signing = acts.split_off(3);
    of_signing.sort();
    let (made, withdrawn) = ("key_rotated_in_emergency", "key_withdrawn_in_emergency");
    assert_eq!(of_signing, [made, made, withdrawn, withdrawn]);
}

async fn send(router: &Router, method: &str, path: &str, body: &str) {
    router.clone().oneshot(request(method, path, body)).await.expect("a router does not fail");
}

fn request(method: &str, path: &str, body: &str) -> Request<Body> {
    let source: SocketAddr = ([192, 0, 2, 7], 4711).into();
    let mut request = Request::builder().method(method).uri(format!("/admin/v1{path}")).extension(ConnectInfo(source));
    request = request.extension(RequestId::parse("request-1").expect("it is one"));
    if !body.is_empty() {
        request = request.header("content-type", "application/json");
    }
    request.body(Body::from(body.to_owned())).expect("a test makes a request")
}

/// What an observer heard of operators.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Observer for Heard {
    fn happened(&self, event: &Event<'_>) {
        assert!(!format!("{event:?}").contains("hush"), "{event:?}");
        let told = if let Happening::Administered { act, object, door: Door::Socket } = event.happening {
            format!("{} {object}", act.as_str())
        } else if let Happening::OperatorRefused { failure } = event.happening {
            format!("refused {}", failure.as_str())
        } else {
            return;
        };
        assert_eq!(event.source, Some(IpAddr::from([192, 0, 2, 7])));
        assert_eq!(event.request.map(RequestId::as_str), Some("request-1"));
        self.0.lock().expect("nobody panics with it").push(told);
    }
}

/// The router behind the socket; the rest as [`administration`].
async fn office() -> (Router, Arc<Heard>, String, TempDir) {
    let (administration, heard, subject, data) = administration().await;
    (router(administration, Door::Socket), heard, subject, data)
}

/// A server with one user, who hears of it, the user's subject, and where the data are.
async fn administration() -> (Arc<Administration>, Arc<Heard>, String, TempDir) {
    let entropy = Arc::new(SeededEntropy::new(1));
    let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(1_800_000_000)));
    let data = tempfile::tempdir().expect("a test may write temporary files");
    let genesis = Genesis { realm: Realm([1; 16]), epoch_random: [2; 16] };
    let store = SqliteStore::open(&data.path().join("regrant.db"), genesis, clock.clone());
    let heard = Arc::new(Heard::default());
    let parts = Parts {
        issuer: Issuer::parse("https://id.example").expect("it is one"),
        store: Arc::new(store.expect("a new file can be made a store")),
        ring: KeyRing::generate(&*entropy),
        clock,
        entropy,
        session_seconds: SESSION_SECONDS,
        hooks: Hooks { observer: Some(heard.clone()), ..Hooks::default() },
    };
    let server = Arc::new(AuthorizationServer::open(parts).await.expect("a new store opens"));
    let password = Secret::new("wonderland".to_owned());
    let subject = server.register_user("alice", password, Profile::default()).await;
    let administration = Administration { server, key_file: Arc::new(NoFile), program: Arc::new(NoProgram) };
    (Arc::new(administration), heard, subject.expect("a new user can be registered").to_string(), data)
}

struct NoFile;

impl KeyFile for NoFile {
    fn read(&self) -> Result<KeyRing, KeyFileNotRead> {
        Err(KeyFileNotRead("nothing is there".to_owned()))
    }

    fn replace(&self, _: &KeyRing) -> Result<(), KeyFileNotWritten> {
        Ok(())
    }
}

struct NoProgram;

#[async_trait]
impl Program for NoProgram {
    fn client_defaults(&self) -> ClientDefaults {
        ClientDefaults { id_token_algorithm: IdTokenAlgorithm::Es256, ..ClientDefaults::BUILT_IN }
    }

    fn where_configured(&self, _: &ClientId) -> Option<String> {
        None
    }

    fn status(&self) -> ProgramStatus {
        ProgramStatus { version: String::new(), store: String::new(), started_at: None, sweep: None }
    }

    async fn back_up(&self, _: &Path) -> Result<u64, BackupError> {
        Ok(0)
    }
}
