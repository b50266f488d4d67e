//! The token on its way to an API.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::http::{Request, Response};
use regrant_client::{LogInReason, MemoryStorage, TokenError, TokenLayer, TokenServiceError};
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::scene::{Kind, Scene};

/// What an API has seen: the tokens, in order.
type Seen = Arc<Mutex<Vec<String>>>;

/// An API that refuses the first `refusals` requests.
async fn call(
    scene: &Scene,
    refusals: usize,
    is_logged_in: bool,
) -> (Result<u16, TokenServiceError<Infallible>>, Vec<String>) {
    let storage = MemoryStorage::default();
    let manager = if is_logged_in { scene.logged_in(storage).await } else { scene.manager(storage) };
    scene.server.clock.advance_seconds(60);
    let seen = Seen::default();
    let seen_by_api = Arc::clone(&seen);
    let api = service_fn(move |request: Request<String>| {
        let seen = Arc::clone(&seen_by_api);
        async move {
            assert_eq!(request.body(), "body");
            let token = request.headers()["authorization"].to_str().unwrap().strip_prefix("Bearer ").unwrap();
            let mut seen = seen.lock().unwrap();
            seen.push(token.to_owned());
            let status = if seen.len() > refusals { 200 } else { 401 };
            Ok::<_, Infallible>(Response::builder().status(status).body(()).unwrap())
        }
    });
    let answer = TokenLayer::new(manager).layer(api).oneshot(Request::new("body".to_owned())).await;
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    (answer.map(|answer| answer.status().as_u16()), seen)
}

#[tokio::test]
async fn a_request_that_was_refused_is_sent_once_more_with_another_token() {
    for (refusals, status, requests, exchanges) in [(0, 200, 1, 0), (1, 200, 2, 1), (2, 401, 2, 1), (9, 401, 2, 1)] {
        let scene = Scene::new(Kind::Public).await;
        let (answer, seen) = call(&scene, refusals, true).await;
        assert_eq!(answer, Ok(status), "{refusals}");
        assert_eq!((seen.len(), scene.way.take_sent().len()), (requests, exchanges), "{refusals}");
        assert!(requests == 1 || seen[0] != seen[1]);
    }
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let scene = Scene::new(Kind::Public).await;
    let (answer, seen) = call(&scene, 0, false).await;
    assert_eq!(answer, Err(TokenServiceError::Token(TokenError::LogIn(LogInReason::NoCredential))));
    assert!(seen.is_empty());
}
