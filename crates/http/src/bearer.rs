use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use regrant_engine::Refusal;
use regrant_protocol::{BearerError, BearerToken, ErrorCode, ErrorResponse, Params};

use crate::answer::{invalid_request, refusal};
use crate::single_header::single;

/// What a protected endpoint asks for (RFC 6750 §3).
const CHALLENGE: &str = "Bearer realm=\"regrant\"";

/// The access token of a request: in the `Authorization` header or in `body`, a form; never in the query.
///
/// # Errors
/// The answer, when there is none, or more than one, or one that cannot be read (RFC 6750 §3.1).
pub(crate) fn bearer_token(headers: &HeaderMap, body: Option<&Params>) -> Result<BearerToken, Box<Response>> {
    let authorization = single(headers, &AUTHORIZATION)
        .map_err(|twice| Box::new(invalid_request(StatusCode::BAD_REQUEST, &twice.to_string())))?;
    BearerToken::find(authorization.map(HeaderValue::as_bytes), body).map_err(|error| Box::new(not_presented(error)))
}

/// The refusal of a presented token: status, body, and the same as a challenge with the `scope` that would do
/// (RFC 6750 §3).
pub(crate) fn bearer_refusal(refused: &Refusal, scope: Option<&str>) -> Response {
    let mut response = refusal(refused);
    if response.status().is_client_error() {
        let ErrorResponse { error, error_description } = &refused.response;
        let mut challenge =
            format!("{CHALLENGE}, error=\"{}\", error_description=\"{error_description}\"", error.as_str());
        if let Some(scope) = scope.filter(|_| *error == ErrorCode::InsufficientScope) {
            challenge.push_str(&format!(", scope=\"{scope}\""));
        }
        let challenge = HeaderValue::try_from(challenge).unwrap_or(HeaderValue::from_static(CHALLENGE));
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

fn not_presented(error: BearerError) -> Response {
    let description = error.to_string();
    match error {
        // RFC 6750 §3.1: who sent no token is told no error.
        BearerError::Missing => {
            (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE))]).into_response()
        }
        BearerError::Malformed | BearerError::TwoMethods => {
            let response = ErrorResponse::new(ErrorCode::InvalidRequest, description);
            bearer_refusal(&Refusal { status: 400, retry_after_seconds: None, response }, None)
        }
    }
}
