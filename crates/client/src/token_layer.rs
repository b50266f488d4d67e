use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::{ApiRequest, TokenError, TokenManager};

/// Attaches the access token to every request, and its proof where it is bound to a key; sends a request that was answered 401
/// once more with another token, and once more with the nonce that the API asks for.
///
/// It goes around a service that calls **one API**: every request gets the token, wherever it goes. Requests are cloned for the
/// second try, bodies included.
///
/// ```
/// use regrant_client::{TokenLayer, TokenManager};
/// use tower_layer::Layer as _;
///
/// fn authorized<S>(api: S, tokens: TokenManager) -> impl Sized {
///     TokenLayer::new(tokens).layer(api)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct TokenLayer {
    tokens: TokenManager,
}

/// The service that [`TokenLayer`] makes.
#[derive(Clone, Debug)]
pub struct TokenService<S> {
    inner: S,
    tokens: TokenManager,
}

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenServiceError<E> {
    /// There was no access token; the request was not sent.
    #[error(transparent)]
    Token(TokenError),
    /// The service failed.
    #[error("{0}")]
    Service(E),
}

impl TokenLayer {
    /// The layer that attaches the tokens of `tokens`.
    #[must_use]
    pub const fn new(tokens: TokenManager) -> Self {
        Self { tokens }
    }
}

impl<S> Layer<S> for TokenLayer {
    type Service = TokenService<S>;

    fn layer(&self, inner: S) -> TokenService<S> {
        TokenService { inner, tokens: self.tokens.clone() }
    }
}

impl<S, B, R> Service<Request<B>> for TokenService<S>
where
    S: Service<Request<B>, Response = Response<R>, Future: Send> + Clone + Send + 'static,
    B: Clone + Send + 'static,
    R: Send,
{
    type Response = Response<R>;
    type Error = TokenServiceError<S::Error>;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context).map_err(TokenServiceError::Service)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The clone has not been polled; the one that is ready has to be called.
        let spare = self.inner.clone();
        let mut ready = std::mem::replace(&mut self.inner, spare.clone());
        let tokens = self.tokens.clone();
        let mut again = spare;
        Box::pin(async move {
            let (method, uri) = (request.method().clone(), request.uri().clone());
            let mut own = ApiRequest::new(&tokens, method, uri).await.map_err(TokenServiceError::Token)?;
            let mut answer = ready.call(authorized(&own, &request)).await.map_err(TokenServiceError::Service)?;
            while own.is_to_be_repeated(answer.status(), answer.headers()).await {
                std::future::poll_fn(|context| again.poll_ready(context)).await.map_err(TokenServiceError::Service)?;
                answer = again.call(authorized(&own, &request)).await.map_err(TokenServiceError::Service)?;
            }
            Ok(answer)
        })
    }
}

fn authorized<B: Clone>(own: &ApiRequest, request: &Request<B>) -> Request<B> {
    let mut request = request.clone();
    own.authorize(request.headers_mut());
    request
}
