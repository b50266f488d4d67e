use std::fmt;

use async_trait::async_trait;
use zeroize::Zeroizing;

/// How a request reaches a server.
///
/// A transport sends each request once: it follows no redirect and repeats nothing, least of all a POST whose answer it did not
/// get. It gives up after 20 seconds, and reads at most [`RESPONSE_BYTES_MAX`] bytes of an answer.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends `request` and gives the whole answer, whatever its status.
    ///
    /// # Errors
    /// When there is no answer. Say [`TransportError::NotSent`] only when not one byte of the request can have arrived.
    async fn send(&self, request: http::Request<RequestBody>) -> Result<http::Response<Vec<u8>>, TransportError>;
}

/// The longest answer that is read, in bytes.
pub const RESPONSE_BYTES_MAX: usize = 1024 * 1024;

/// What a request carries: secrets, mostly. It prints nothing of itself, and is wiped when dropped.
#[derive(Clone, Default)]
pub struct RequestBody(Zeroizing<Vec<u8>>);

impl RequestBody {
    /// Takes the bytes of a body.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes themselves, for the transport to send.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestBody(redacted)")
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// No connection: the server has seen nothing of it.
    #[error("cannot reach the server: {0}")]
    NotSent(String),
    /// The request, or a part of it, may have arrived.
    #[error("the server did not answer: {0}")]
    Unanswered(String),
}
