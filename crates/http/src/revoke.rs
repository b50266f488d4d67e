use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use regrant_engine::{AuthorizationServer, Endpoint};

use crate::caller::Caller;
use crate::dialect::{Dialect, Fault};

/// `POST /revoke` (RFC 7009), in the words of `dialect`.
pub(crate) async fn revoke(
    dialect: Arc<Dialect>,
    State(server): State<Arc<AuthorizationServer>>,
    Caller(context): Caller,
    request: Request,
) -> Response {
    let read = match dialect.read(Endpoint::Revocation, &server, request).await {
        Ok(read) => read,
        Err(answer) => return answer,
    };
    let call = dialect.revocation_call(&read);
    match server.answer_revocation_call(&context, &call).await {
        Ok(()) => dialect.revoked(),
        Err(error) => dialect.told(Endpoint::Revocation, &Fault::refused(&error), server.issuer()),
    }
}
