use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use regrant_engine::{AuthorizationServer, Endpoint};

use crate::answer::json;
use crate::caller::Caller;
use crate::dialect::{Dialect, Fault};

/// `POST /introspect` (RFC 7662), in the words of `dialect`.
pub(crate) async fn introspect(
    dialect: Arc<Dialect>,
    State(server): State<Arc<AuthorizationServer>>,
    Caller(context): Caller,
    request: Request,
) -> Response {
    let read = match dialect.read(Endpoint::Introspection, &server, request).await {
        Ok(read) => read,
        Err(answer) => return answer,
    };
    let call = dialect.introspection_call(&read);
    match server.answer_introspection_call(&context, &call).await {
        Ok(response) => json(StatusCode::OK, response.to_json()),
        Err(error) => dialect.told(Endpoint::Introspection, &Fault::refused(&error), server.issuer()),
    }
}
