use async_trait::async_trait;
use http::Extensions;
use reqwest::{Request, Response, Url};
use reqwest_middleware::{Error, Middleware, Next, Result};

use crate::issuer_identifier::check_secure;
use crate::{ApiRequest, TokenManager, UrlError};

/// Attaches the access token to the requests of a `reqwest` client that go to one API, and sends a request that was answered 401
/// once more with another token.
///
/// Requests to another scheme, host or port pass without a token, also where a redirect leads there. A request whose body is a
/// stream cannot be cloned: it is sent once, and its 401 has [`NotSentAgain`] among its extensions. Its token is refreshed all the
/// same, for the next request.
///
/// ```
/// use regrant_client::{TokenMiddleware, TokenManager, UrlError};
/// use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
///
/// fn reports(tokens: TokenManager) -> Result<ClientWithMiddleware, UrlError> {
///     let tokens = TokenMiddleware::new("https://api.example", tokens)?;
///     Ok(ClientBuilder::new(reqwest::Client::new()).with(tokens).build())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct TokenMiddleware {
    api: Url,
    tokens: TokenManager,
}

/// Among the extensions of an answer 401: the request could not be sent again, because its body was a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotSentAgain;

impl TokenMiddleware {
    /// The middleware that attaches the tokens of `tokens` to requests to the API at `url`: its scheme, host and port, whatever
    /// the path.
    ///
    /// # Errors
    /// When `url` is neither `https://` nor on this machine: the token would travel in the clear.
    pub fn new(url: &str, tokens: TokenManager) -> std::result::Result<Self, UrlError> {
        check_secure(url)?;
        let api = Url::parse(url).map_err(|_| UrlError::Insecure(url.to_owned()))?;
        Ok(Self { api, tokens })
    }
}

#[async_trait]
impl Middleware for TokenMiddleware {
    async fn handle(&self, mut request: Request, extensions: &mut Extensions, next: Next<'_>) -> Result<Response> {
        if request.url().origin() != self.api.origin() {
            return next.run(request, extensions).await;
        }
        let uri = request.url().as_str().parse().map_err(Error::middleware::<http::uri::InvalidUri>)?;
        let mut own = ApiRequest::new(&self.tokens, request.method().clone(), uri).await.map_err(Error::middleware)?;
        loop {
            let spare = request.try_clone();
            own.authorize(request.headers_mut());
            let mut answer = next.clone().run(request, extensions).await?;
            if !own.is_to_be_repeated(answer.status(), answer.headers()).await {
                return Ok(answer);
            }
            let Some(again) = spare else {
                tracing::warn!(api = %self.api, "answered 401; its body is a stream, so it is not sent again");
                answer.extensions_mut().insert(NotSentAgain);
                return Ok(answer);
            };
            request = again;
        }
    }
}
