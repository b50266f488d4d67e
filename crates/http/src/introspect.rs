use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use regrant_engine::AuthorizationServer;

use crate::answer::{json, refused};
use crate::caller::Caller;
use crate::form::Form;

/// `POST /introspect` (RFC 7662).
pub(crate) async fn introspect(
    State(server): State<Arc<AuthorizationServer>>,
    Caller(context): Caller,
    form: Form,
) -> Response {
    match server.introspect(&context, form.authorization(), &form.params).await {
        Ok(response) => json(StatusCode::OK, response.to_json()),
        Err(error) => refused(&error),
    }
}
