//! No log line has a secret, at whatever level.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Arc, Mutex};

use regrant_client::{FileStorage, MemoryStorage, Storage, TokenLayer, TokenManager};
use tower::{Layer as _, ServiceExt as _, service_fn};
use tracing_subscriber::fmt::MakeWriter;

use crate::scene::{Ears, Kind, Scene};
use crate::socket::Socket;
use crate::way::Fate;

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

/// What must not be seen: tokens, verifiers, passwords and secrets of the client.
#[derive(Default)]
struct Secrets(BTreeSet<String>);

impl Secrets {
    /// Those that a storage keeps now.
    async fn learn(&mut self, storage: &dyn Storage) {
        let Some(kept) = storage.load().await.unwrap() else { return };
        self.0.extend(kept.refresh_token.map(|token| token.expose().to_owned()));
        self.0.extend(kept.access.map(|access| access.token.expose().to_owned()));
        self.0.extend(kept.pending.map(|pending| pending.verifier.expose().to_owned()));
    }

    /// Those that were sent in a request to the token endpoint.
    fn sent(&mut self, scene: &Scene) {
        let names = ["refresh_token", "retry_verifier", "client_secret", "password", "code", "code_verifier"];
        for request in scene.way.take_sent() {
            self.0.extend(names.iter().filter_map(|name| request.get(name)).map(str::to_owned));
        }
    }
}

#[tokio::test]
async fn no_secret_is_logged_whatever_happens() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(log.clone());
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    let mut secrets = Secrets::default();
    let fates: [&[Fate]; 7] = [
        &[],
        &[Fate::LostAfter],
        &[Fate::Truncated, Fate::Page(502)],
        &[Fate::Busy(1), Fate::NotSent],
        &[Fate::Busy(600)],
        &[Fate::Answered(400, r#"{"error":"invalid_scope"}"#)],
        &[Fate::Answered(400, r#"{"error":"invalid_grant"}"#)],
    ];
    for kind in [Kind::Public, Kind::Basic, Kind::Post] {
        for fates in fates {
            let scene = Scene::new(kind).await;
            let directory = tempfile::tempdir().unwrap();
            let file = FileStorage::new(directory.path().join("token.json"));
            let manager = scene.manager(file.clone()).observed_by(Ears::default());
            manager.log_in(scene.credential().await).await.unwrap();
            tracing::trace!(?manager, credential = ?manager.credential().await, client = ?scene.client(), "as it is");
            secrets.learn(&file).await;
            scene.server.clock.advance_seconds(3600);
            scene.way.next(fates);
            let token = manager.access_token().await;
            tracing::trace!(?token, "asked for");
            secrets.learn(&file).await;
            secrets.sent(&scene);
            scene.server.clock.advance_seconds(60);
            let api = service_fn(|_: axum::http::Request<String>| async {
                Ok::<_, std::convert::Infallible>(axum::http::Response::builder().status(401).body(()).unwrap())
            });
            let _ = TokenLayer::new(manager.clone()).layer(api).oneshot(axum::http::Request::default()).await;
            secrets.learn(&file).await;
            let _ = manager.log_out().await;
            secrets.sent(&scene);
        }
    }
    assert!(secrets.0.len() > 50, "{} secrets", secrets.0.len());
    let text = log.text();
    assert!(text.contains("exchange ended") && text.contains("as it is"), "{text}");
    for secret in &secrets.0 {
        assert!(!text.contains(secret.as_str()), "{secret} is in the log");
    }
}

#[tokio::test]
async fn no_secret_is_logged_on_its_way_over_a_socket() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(log.clone());
    let socket = Socket::open().await;
    socket.server.public("TestApp").register().await;
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    let client = crate::processes::client(socket.server.engine.issuer().as_str()).await;
    let password = regrant_protocol::Secret::new(regrant_tests::PASSWORD.to_owned());
    let credential =
        client.password(regrant_tests::USERNAME, &password, &regrant_protocol::Scope::empty()).await.unwrap();
    let storage = MemoryStorage::default();
    let mut secrets = Secrets::default();
    secrets.0.insert(regrant_tests::PASSWORD.to_owned());
    let manager = TokenManager::new(client, storage.clone());
    manager.log_in(credential.clone()).await.unwrap();
    secrets.learn(&storage).await;
    manager.log_in(regrant_client::Credential { access: None, ..credential }).await.unwrap();
    manager.access_token().await.unwrap();
    secrets.learn(&storage).await;
    manager.log_out().await.unwrap();
    let text = log.text();
    assert!(text.contains("hyper"), "the library below speaks too: {text}");
    assert_eq!(secrets.0.len(), 5);
    for secret in &secrets.0 {
        assert!(!text.contains(secret.as_str()), "{secret} is in the log");
    }
}
