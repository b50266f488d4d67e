use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use regrant_engine::{AuthorizationServer, Endpoint};

use crate::caller::Caller;
use crate::dialect::{Dialect, Fault};

/// `POST /token` (RFC 6749 §3.2), in the words of `dialect`.
pub(crate) async fn token(
    dialect: Arc<Dialect>,
    State(server): State<Arc<AuthorizationServer>>,
    Caller(context): Caller,
    request: Request,
) -> Response {
    let read = match dialect.read(Endpoint::Token, &server, request).await {
        Ok(read) => read,
        Err(answer) => return answer,
    };
    let call = dialect.token_call(&read);
    match server.answer_token_call(&context, &call).await {
        Ok(given) => dialect.given(given, read.params.get("refresh_token"), server.clock().now()),
        Err(error) => {
            let fault = Fault::Refused { error: &error, username: read.params.get("username") };
            dialect.told(Endpoint::Token, &fault, server.issuer())
        }
    }
}
