use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use regrant_engine::AuthorizationServer;
use regrant_protocol::{ActiveToken, BearerToken};

use super::json::JsonObject;
use super::values::JsonStyle;
use crate::answer::refused;
use crate::caller::Caller;
use crate::single_header::single;

/// `option=resource` of redCORE: whether a bearer's access token is good, and whose it is.
///
/// The token stands in the header. The original reads it from a form and from the query too, which logs keep.
pub(crate) async fn resource(
    State(server): State<Arc<AuthorizationServer>>,
    Caller(context): Caller,
    headers: HeaderMap,
) -> Response {
    let header = single(&headers, &AUTHORIZATION).ok().flatten().map(HeaderValue::as_bytes);
    let Ok(token) = BearerToken::find(header, None) else { return no_token() };
    match server.inspect(&context, token.expose()).await {
        Ok(Some(token)) => good(&token),
        Ok(None) => bad_token(),
        Err(error) => refused(&error),
    }
}

fn good(token: &ActiveToken) -> Response {
    let mut members = JsonObject::new(JsonStyle::Php);
    members.literal("success", "true");
    match &token.claims {
        claims if claims.sub == claims.client_id => members.literal("user_id", "null"),
        claims => members.text("user_id", &claims.sub),
    }
    members.text("message", "You have successfully accessed this API!");
    let content_type = HeaderValue::from_static("application/json; charset=UTF-8");
    ([(CONTENT_TYPE, content_type)], members.into_bytes()).into_response()
}

/// An answer without members is an empty list of PHP.
fn no_token() -> Response {
    let challenge = HeaderValue::from_static("Bearer realm=\"Service\"");
    let json = HeaderValue::from_static("application/json");
    (StatusCode::UNAUTHORIZED, [(CONTENT_TYPE, json), (WWW_AUTHENTICATE, challenge)], "[]").into_response()
}

fn bad_token() -> Response {
    const BODY: &str = "{\"error\":\"invalid_token\",\"error_description\":\"The access token provided is invalid\"}";
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            WWW_AUTHENTICATE,
            HeaderValue::from_static(
                "Bearer realm=\"Service\", error=\"invalid_token\", error_description=\"The access token provided is invalid\"",
            ),
        ),
    ];
    (StatusCode::UNAUTHORIZED, headers, BODY).into_response()
}
