use axum::Router;
use axum::extract::Request;
use tokio::sync::watch;
use tower::ServiceExt;

/// Answers each request with the routes that are the newest when it comes.
pub(super) fn latest(routes: watch::Receiver<Router>) -> Router {
    Router::new().fallback(move |request: Request| routes.borrow().clone().oneshot(request))
}
