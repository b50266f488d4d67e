use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Response, StatusCode};
use tower_layer::Layer;
use tower_service::Service;

use crate::{AccessToken, TokenError, TokenManager};

/// Attaches the access token to every request, and sends a request that was answered 401 once more with another one.
///
/// It goes around a service that calls **one API**: every request gets the token, wherever it goes. Requests are cloned for the
/// second try, bodies included.
///
/// ```
/// use regrant_client::{BearerLayer, TokenManager};
/// use tower_layer::Layer as _;
///
/// fn authorized<S>(api: S, tokens: TokenManager) -> impl Sized {
///     BearerLayer::new(tokens).layer(api)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct BearerLayer {
    tokens: TokenManager,
}

/// The service that [`BearerLayer`] makes.
#[derive(Clone, Debug)]
pub struct Bearer<S> {
    inner: S,
    tokens: TokenManager,
}

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BearerError<E> {
    /// There was no access token; the request was not sent.
    #[error(transparent)]
    Token(TokenError),
    /// The service failed.
    #[error("{0}")]
    Service(E),
}

impl BearerLayer {
    /// The layer that attaches the tokens of `tokens`.
    #[must_use]
    pub const fn new(tokens: TokenManager) -> Self {
        Self { tokens }
    }
}

impl<S> Layer<S> for BearerLayer {
    type Service = Bearer<S>;

    fn layer(&self, inner: S) -> Bearer<S> {
        Bearer { inner, tokens: self.tokens.clone() }
    }
}

impl<S, B, R> Service<Request<B>> for Bearer<S>
where
    S: Service<Request<B>, Response = Response<R>, Future: Send> + Clone + Send + 'static,
    B: Clone + Send + 'static,
    R: Send,
{
    type Response = Response<R>;
    type Error = BearerError<S::Error>;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context).map_err(BearerError::Service)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The clone has not been polled; the one that is ready has to be called.
        let spare = self.inner.clone();
        let mut ready = std::mem::replace(&mut self.inner, spare.clone());
        let tokens = self.tokens.clone();
        Box::pin(async move {
            let first = tokens.access_token().await.map_err(BearerError::Token)?;
            let answer = ready.call(attach(&first, request.clone())).await.map_err(BearerError::Service)?;
            if answer.status() != StatusCode::UNAUTHORIZED {
                return Ok(answer);
            }
            tokens.invalidate(&first);
            let Ok(second) = tokens.access_token().await else { return Ok(answer) };
            if second == first {
                return Ok(answer);
            }
            let mut again = spare;
            std::future::poll_fn(|context| again.poll_ready(context)).await.map_err(BearerError::Service)?;
            again.call(attach(&second, request)).await.map_err(BearerError::Service)
        })
    }
}

fn attach<B>(token: &AccessToken, mut request: Request<B>) -> Request<B> {
    let text = format!("Bearer {}", token.expose());
    let mut value = HeaderValue::from_str(&text).expect("only tokens that can stand in a header are accepted");
    value.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, value);
    request
}
