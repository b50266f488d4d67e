//! A person logs in with a browser, and the program goes on without.

use std::time::Duration;

use regrant_client::{AuthorizationError, LoopbackRedirect, MemoryStorage, OAuthClient};
use regrant_protocol::Scope;
use regrant_tests::Redirect;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::scene::Scene;

#[tokio::test]
async fn a_login_over_the_loopback_redirect_is_kept_and_refreshed() {
    let scene = Scene::with_browser("http://127.0.0.1/callback").await;
    let redirect = LoopbackRedirect::listen().await.unwrap();
    let uri = redirect.uri().unwrap();
    let authorization = scene.client().authorization(&uri, &Scope::parse("read").unwrap()).unwrap();
    let location = browse(&scene, authorization.url()).await;

    // Somebody else knocks first: another page, and an answer to another request.
    let browser = tokio::spawn(async move {
        let visits = ["/favicon.ico".to_owned(), "/callback?code=x&state=y".to_owned(), location.1];
        let mut statuses = Vec::new();
        for path in visits {
            statuses.push(visit(&location.0, &path).await);
        }
        statuses
    });
    let answer = redirect.answer(&authorization, Duration::from_secs(60)).await.unwrap();
    assert_eq!(browser.await.unwrap(), ["404", "404", "200"]);

    let credential = authorization.finish(&answer).await.unwrap();
    assert_eq!(credential.scope.as_str(), "read");
    let manager = scene.manager(MemoryStorage::default());
    manager.log_in(credential).await.unwrap();
    for _ in 0..2 {
        assert!(scene.is_good(&manager.access_token().await.unwrap()).await);
        scene.server.clock.advance_seconds(3600);
    }
}

#[tokio::test]
async fn a_code_is_redeemed_by_the_request_that_asked_for_it_alone() {
    let scene = Scene::with_browser("https://app.example/cb").await;
    let begin = |client: OAuthClient| client.authorization("https://app.example/cb", &Scope::empty()).unwrap();
    let (own, other) = (begin(scene.client()), begin(scene.client()));
    let (_, path) = browse(&scene, own.url()).await;
    let query = path.split_once('?').unwrap().1;
    assert_eq!(other.finish(query).await.map(drop), Err(AuthorizationError::State));
    assert!(own.finish(query).await.is_ok());
}

/// Where a browser ends when its user logs in and allows everything: host and port, and path with query.
async fn browse(scene: &Scene, url: &str) -> (String, String) {
    let asked = Redirect::parse(url).parameters.into_iter();
    let request = asked.fold(scene.request.clone(), |request, (name, value)| request.with(&name, &value));
    let redirect = scene.server.user_agent().approve(&request).await;
    let pairs = form_urlencoded::Serializer::new(String::new()).extend_pairs(&redirect.parameters).finish();
    let (_, address) = redirect.address.split_once("://").unwrap();
    let (host, path) = address.split_once('/').unwrap();
    (host.to_owned(), format!("/{path}?{pairs}"))
}

/// The status with which a page is answered.
async fn visit(host: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}
