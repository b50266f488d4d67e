use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use regrant_engine::{AuthorizationServer, Endpoint};

use crate::answer::{json, refused};
use crate::caller::Caller;

/// `GET /.well-known/oauth-authorization-server` (RFC 8414 §3).
pub(crate) async fn metadata(State(server): State<Arc<AuthorizationServer>>, Caller(context): Caller) -> Response {
    match server.metadata().await {
        Ok(metadata) => json(StatusCode::OK, serde_json::to_vec(&metadata).expect("strings always serialize")),
        Err(error) => refused(&server.refused(&context, Endpoint::Metadata, None, error)),
    }
}
