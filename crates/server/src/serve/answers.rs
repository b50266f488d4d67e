use std::convert::Infallible;

use axum::body::Body;
use http::{Request, Response};
use tower::Service;

/// What answers requests, as axum's router does: always ready, so that `call` needs no `poll_ready`.
///
/// Such services are put around the router, and not into it as layers: a layer of axum's router stands around each of its routes, and
/// costs every request boxes and clones of boxed services there.
pub trait Answers:
    Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + Sync + 'static
{
}

impl<S> Answers for S where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}
