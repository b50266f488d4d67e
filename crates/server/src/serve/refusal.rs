//! Why a request is refused before any handler sees it, and the answer that says so.

use axum::body::Body;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};

use super::chunks::CHUNK_EXTENSION_BYTES_MAX;
use super::head::{HEADER_BYTES_MAX, HEADERS_MAX, TARGET_BYTES_MAX};

/// What is wrong with a request as HTTP. The text is sent to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The framing of a chunked body is broken, or it has trailers.
    #[error(
        "the chunked body is malformed, or has trailers or more than {CHUNK_EXTENSION_BYTES_MAX} bytes of extensions"
    )]
    Chunk,
    /// `Content-Length` is not one number.
    #[error("Content-Length must be one decimal number")]
    ContentLength,
    /// A NUL, another control character, or a byte beyond ASCII in the request line.
    #[error("the request head contains a forbidden byte")]
    ForbiddenByte,
    /// A header is continued on the next line (RFC 9112 §5.2).
    #[error("folded header lines are not accepted: put each header on one line")]
    FoldedHeader,
    /// A header line without a proper name, such as one with a space before the colon (RFC 9112 §5.1).
    #[error("a header line must be a name, a colon directly after it, and a value")]
    HeaderName,
    /// The header lines have more than [`HEADER_BYTES_MAX`] bytes.
    #[error("the headers are longer than {HEADER_BYTES_MAX} bytes")]
    HeadersTooLarge,
    /// Not exactly one `Host` (RFC 9112 §3.2).
    #[error("an HTTP/1.1 request needs exactly one Host header")]
    Host,
    /// `Content-Length` and `Transfer-Encoding` together (RFC 9112 §6.3).
    #[error("send either Content-Length or Transfer-Encoding, not both")]
    LengthAndEncoding,
    /// A line that does not end in CR LF.
    #[error("each line of the request head must end in CR LF")]
    LineEnd,
    /// `Content-Length` twice, even if equal.
    #[error("Content-Length was sent more than once")]
    RepeatedContentLength,
    /// The first line is not `method target HTTP/1.1` (or 1.0).
    #[error("the first line must be a method, a target and HTTP/1.1 or HTTP/1.0")]
    RequestLine,
    /// The target has more than [`TARGET_BYTES_MAX`] bytes.
    #[error("the request target is longer than {TARGET_BYTES_MAX} bytes")]
    TargetTooLong,
    /// More than [`HEADERS_MAX`] header lines.
    #[error("the request has more than {HEADERS_MAX} headers")]
    TooManyHeaders,
    /// The request did not arrive in time; it was not acted on and may be sent again.
    #[error("the request did not arrive in time: send it again")]
    TooSlow,
    /// A transfer coding besides one `chunked`, or one in HTTP/1.0.
    #[error("the only transfer coding accepted is chunked, once, in HTTP/1.1")]
    TransferEncoding,
}

impl Refusal {
    /// The status of the answer.
    pub fn status(self) -> StatusCode {
        match self {
            Self::HeadersTooLarge | Self::TooManyHeaders => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::TargetTooLong => StatusCode::URI_TOO_LONG,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Chunk
            | Self::ContentLength
            | Self::FoldedHeader
            | Self::ForbiddenByte
            | Self::HeaderName
            | Self::Host
            | Self::LengthAndEncoding
            | Self::LineEnd
            | Self::RepeatedContentLength
            | Self::RequestLine
            | Self::TransferEncoding => StatusCode::BAD_REQUEST,
        }
    }

    /// The answer, in the form of an OAuth error (RFC 6749 §5.2).
    pub fn response(self) -> Response<Body> {
        // A client must not take a slow network for a fault of its request.
        let error = if self == Self::TooSlow { "temporarily_unavailable" } else { "invalid_request" };
        let body = serde_json::json!({ "error": error, "error_description": self.to_string() }).to_string();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}
