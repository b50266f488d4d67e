use axum::body::Body;
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use regrant_engine::{Refusal, TokenError};
use regrant_protocol::{ErrorCode, ErrorResponse};

/// What a client is asked for when it did not authenticate (RFC 7617 §2).
pub(crate) const BASIC_CHALLENGE: &str = "Basic realm=\"regrant\", charset=\"UTF-8\"";

/// JSON that nobody may keep (RFC 6749 §5.1).
#[must_use]
pub fn json(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// A refusal as it crosses the wire: status, challenge where credentials were wrong, and when to come again.
#[must_use]
pub fn refusal(refusal: &Refusal) -> Response {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = error(status, &refusal.response);
    // RFC 9110 §15.5.2: 401 names a scheme; RFC 6749 §5.2: the one that the client used, where it used a header.
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(BASIC_CHALLENGE));
    }
    if let Some(seconds) = refusal.retry_after_seconds {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// What the caller is told of why an endpoint refused. Log and audit know of it already.
#[must_use]
pub fn refused(error: &TokenError) -> Response {
    refusal(&Refusal::from(error))
}

/// An error of a request's form, which no rule of OAuth has seen yet.
pub(crate) fn invalid_request(status: StatusCode, description: &str) -> Response {
    error(status, &ErrorResponse::new(ErrorCode::InvalidRequest, description))
}

/// Any other method than GET.
pub(crate) async fn get_only() -> Response {
    method_not_allowed("GET, HEAD")
}

/// Any other method than GET and POST.
pub(crate) async fn get_or_post() -> Response {
    method_not_allowed("GET, HEAD, POST")
}

fn method_not_allowed(allow: &'static str) -> Response {
    let description = format!("this endpoint takes {allow} only");
    let mut response = invalid_request(StatusCode::METHOD_NOT_ALLOWED, &description);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    response
}

fn error(status: StatusCode, body: &ErrorResponse) -> Response {
    json(status, serde_json::to_vec(body).expect("strings always serialize"))
}
