//! No log line has a secret, at whatever level.

use regrant_client::{Credential, Dpop, FileStorage, MemoryStorage, Storage as _, Swap, TokenLayer, TokenManager};
use regrant_protocol::{Scope, Secret};
use regrant_tests::{PASSWORD, USERNAME};
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::log::{Log, Secrets};
use crate::oidc_provider::{OidcProvider, log_in_on_another_device, userinfo};
use crate::scene::{Ears, Kind, Scene};
use crate::socket::Socket;
use crate::token_middleware::Api;
use crate::way::Fate;

#[tokio::test]
async fn no_secret_is_logged_whatever_happens() {
    let (log, _guard) = Log::of_thread();
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
    assert!(secrets.count() > 50, "{} secrets", secrets.count());
    let text = log.text();
    assert!(text.contains("exchange ended") && text.contains("as it is"), "{text}");
    secrets.assert_not_in(&text);
}

#[tokio::test]
async fn no_secret_is_logged_on_its_way_over_a_socket() {
    let socket = Socket::open().await;
    socket.server.public("TestApp").register().await;
    let (log, _guard) = Log::of_thread();
    let client = crate::processes::client(socket.server.engine.issuer().as_str()).await;
    let password = Secret::new(PASSWORD.to_owned());
    let credential = client.password(USERNAME, &password, &Scope::empty()).await.unwrap();
    let storage = MemoryStorage::default();
    let mut secrets = Secrets::default();
    secrets.add(PASSWORD);
    let manager = TokenManager::new(client, storage.clone());
    manager.log_in(credential.clone()).await.unwrap();
    secrets.learn(&storage).await;
    manager.log_in(Credential { access: None, ..credential }).await.unwrap();
    manager.access_token().await.unwrap();
    secrets.learn(&storage).await;
    manager.log_out().await.unwrap();
    let text = log.text();
    for below in ["hyper", "reqwest::connect"] {
        assert!(text.contains(below), "the library below speaks too: {text}");
    }
    assert_eq!(secrets.count(), 5);
    secrets.assert_not_in(&text);
}

#[tokio::test]
async fn no_secret_is_logged_with_tokens_that_are_bound_to_a_key() {
    let server = OidcProvider::start(&["--nonce"]);
    let (log, _guard) = Log::of_thread();
    let client = server.client("TestApp").await.with_dpop(Dpop::Required);
    let credential = log_in_on_another_device(&server, &client).await.credential().await.unwrap().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = FileStorage::new(directory.path().join("token.json"));
    let manager = TokenManager::new(client.clone(), file.clone());
    manager.log_in(credential.clone()).await.unwrap();
    tracing::trace!(?manager, ?credential, key = ?credential.dpop_key, "as it is");

    let mut secrets = Secrets::default();
    let kept: serde_json::Value = serde_json::from_slice(&std::fs::read(file.path()).unwrap()).unwrap();
    secrets.add(kept["dpop_key"]["pkcs8"].as_str().unwrap());
    secrets.learn(&file).await;
    assert_eq!(userinfo(&manager, &client).await.0, 200);
    let old = Credential { access: None, ..credential.clone() };
    assert_eq!(file.compare_and_swap(Some(credential.version()), Some(&old)).await, Ok(Swap::Done));
    let other = TokenManager::new(client.clone(), file.clone());
    assert_eq!(userinfo(&other, &client).await.0, 200);
    secrets.learn(&file).await;
    other.log_out().await.unwrap();

    let text = log.text();
    assert!(text.contains("as it is") && text.contains("reqwest::connect"), "{text}");
    assert_eq!(secrets.count(), 5, "a key, and two pairs of tokens");
    secrets.assert_not_in(&text);
}

#[tokio::test]
async fn no_secret_is_logged_by_the_middleware() {
    let (log, _guard) = Log::of_thread();
    let (scene, api, storage) = (Scene::new(Kind::Post).await, Api::open(1).await, MemoryStorage::default());
    let manager = scene.logged_in(storage.clone()).await;
    let mut secrets = Secrets::default();
    secrets.learn(&storage).await;
    scene.server.clock.advance_seconds(60);
    let client = api.client(manager);
    tracing::trace!(?client, "as it is");
    assert_eq!(client.get(format!("{}/reports", api.url)).send().await.unwrap().status().as_u16(), 200);
    secrets.learn(&storage).await;
    secrets.sent(&scene);

    let text = log.text();
    assert!(text.contains("as it is") && text.contains("reqwest::connect"), "{text}");
    assert!(secrets.count() > 4, "{}", secrets.count());
    secrets.assert_not_in(&text);
}
