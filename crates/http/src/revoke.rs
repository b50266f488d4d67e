use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, HeaderValue};
use axum::response::{IntoResponse, Response};
use regrant_engine::AuthorizationServer;

use crate::answer::refused;
use crate::caller::Caller;
use crate::form::Form;

/// `POST /revoke` (RFC 7009).
pub(crate) async fn revoke(
    State(server): State<Arc<AuthorizationServer>>,
    Caller(context): Caller,
    form: Form,
) -> Response {
    match server.revoke(&context, form.authorization(), &form.params).await {
        Ok(()) => (StatusCode::OK, [(CACHE_CONTROL, HeaderValue::from_static("no-store"))]).into_response(),
        Err(error) => refused(&error),
    }
}
