use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use regrant_engine::AuthorizationServer;

use crate::answer::refused;

/// How long an API may keep the keys. One that meets a `kid` it does not know asks again.
const JWKS_CACHE: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// `GET /jwks` (RFC 7517 §5).
pub(crate) async fn jwks(State(server): State<Arc<AuthorizationServer>>) -> Response {
    let keys = match server.jwks() {
        Ok(keys) => serde_json::json!({ "keys": keys }).to_string(),
        Err(error) => return refused(&error),
    };
    let content_type = HeaderValue::from_static("application/jwk-set+json");
    ([(CONTENT_TYPE, content_type), (CACHE_CONTROL, JWKS_CACHE)], keys).into_response()
}
