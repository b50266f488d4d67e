//! The token on the requests of a `reqwest` client.

use std::sync::{Arc, Mutex};

use http_body_util::BodyExt as _;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use regrant_client::{MemoryStorage, NotSentAgain, TokenManager, TokenMiddleware, UrlError};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use tokio::net::TcpListener;

use crate::scene::{Kind, Scene};

/// An API that refuses its first requests, and what it has seen: the tokens and bodies, in order.
pub(crate) struct Api {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// The token of a request, and its body.
type Seen = (Option<String>, String);

impl Api {
    pub(crate) async fn open(refusals: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::<Mutex<Vec<_>>>::default();
        let seen_by_api = Arc::clone(&seen);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let seen = Arc::clone(&seen_by_api);
                let service = service_fn(move |request: hyper::Request<Incoming>| {
                    let seen = Arc::clone(&seen);
                    async move {
                        let token = request.headers().get("authorization").map(|own| own.to_str().unwrap().to_owned());
                        let body = request.into_body().collect().await?.to_bytes();
                        let mut seen = seen.lock().unwrap();
                        seen.push((token, String::from_utf8(body.to_vec()).unwrap()));
                        let status = if seen.len() > refusals { 200 } else { 401 };
                        let answer = hyper::Response::builder().status(status);
                        Ok::<_, hyper::Error>(answer.body(http_body_util::Empty::<Bytes>::new()).unwrap())
                    }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { url, seen }
    }

    /// A client of this API.
    pub(crate) fn client(&self, tokens: TokenManager) -> ClientWithMiddleware {
        let tokens = TokenMiddleware::new(&self.url, tokens).unwrap();
        let plain = reqwest::Client::builder().no_proxy().build().unwrap();
        ClientBuilder::new(plain).with(tokens).build()
    }

    fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

async fn logged_in(scene: &Scene) -> TokenManager {
    let manager = scene.logged_in(MemoryStorage::default()).await;
    scene.server.clock.advance_seconds(60);
    manager
}

#[tokio::test]
async fn a_request_that_was_refused_is_sent_once_more_with_another_token() {
    for (refusals, status, requests, exchanges) in [(0, 200, 1, 0), (1, 200, 2, 1), (2, 401, 2, 1), (9, 401, 2, 1)] {
        let (scene, api) = (Scene::new(Kind::Public).await, Api::open(refusals).await);
        let client = api.client(logged_in(&scene).await);
        let answer = client.post(format!("{}/reports?year=2027", api.url)).body("body").send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{refusals}");
        assert_eq!(answer.extensions().get::<NotSentAgain>(), None);
        let seen = api.take_seen();
        assert_eq!((seen.len(), scene.way.take_sent().len()), (requests, exchanges), "{refusals}");
        assert!(seen.iter().all(|(token, body)| token.as_ref().unwrap().starts_with("Bearer ") && body == "body"));
        assert!(requests == 1 || seen[0] != seen[1], "another token");
    }
}

#[tokio::test]
async fn a_body_that_is_a_stream_is_sent_once_and_that_is_said() {
    let (scene, api) = (Scene::new(Kind::Public).await, Api::open(1).await);
    let client = api.client(logged_in(&scene).await);
    let body = || reqwest::Body::wrap(http_body_util::Full::new(Bytes::from_static(b"body")));
    let first = client.post(&api.url).body(body()).send().await.unwrap();
    assert_eq!((first.status().as_u16(), first.extensions().get()), (401, Some(&NotSentAgain)));
    let second = client.post(&api.url).body(body()).send().await.unwrap();
    assert_eq!(second.status().as_u16(), 200);
    let seen = api.take_seen();
    assert_eq!(seen.len(), 2);
    assert_ne!(seen[0], seen[1], "the next request has another token");
}

#[tokio::test]
async fn no_other_server_gets_the_token() {
    let scene = Scene::new(Kind::Public).await;
    let (api, other) = (Api::open(0).await, Api::open(0).await);
    let client = api.client(logged_in(&scene).await);
    for url in [&other.url, &other.url.replace("127.0.0.1", "localhost")] {
        assert_eq!(client.get(url).send().await.unwrap().status().as_u16(), 200);
    }
    assert_eq!(other.take_seen(), [(None, String::new()), (None, String::new())]);
    let plain = TokenMiddleware::new("http://api.example", scene.manager(MemoryStorage::default()));
    assert!(matches!(plain, Err(UrlError::Insecure(_))));
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let (scene, api) = (Scene::new(Kind::Public).await, Api::open(0).await);
    let error = api.client(scene.manager(MemoryStorage::default())).get(&api.url).send().await.unwrap_err();
    assert_eq!(error.to_string(), "log in again: nobody is logged in");
    assert_eq!(api.take_seen(), []);
}
