use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use regrant_engine::{AuthorizationServer, Refusal, RequestContext};
use regrant_protocol::Params;

use crate::answer::json;
use crate::bearer::{bearer_refusal, bearer_token};
use crate::caller::Caller;
use crate::form::Form;

/// `GET /userinfo` (OpenID Connect Core §5.3).
pub(crate) async fn get(
    State(server): State<Arc<AuthorizationServer>>,
    Caller(context): Caller,
    headers: HeaderMap,
) -> Response {
    userinfo(&server, &context, &headers, None).await
}

/// `POST /userinfo`, with the token in the header or in the form.
pub(crate) async fn post(
    State(server): State<Arc<AuthorizationServer>>,
    Caller(context): Caller,
    headers: HeaderMap,
    form: Option<Form>,
) -> Response {
    userinfo(&server, &context, &headers, form.as_ref().map(|form| &form.params)).await
}

async fn userinfo(
    server: &AuthorizationServer,
    context: &RequestContext,
    headers: &HeaderMap,
    body: Option<&Params>,
) -> Response {
    let token = match bearer_token(headers, body) {
        Ok(token) => token,
        Err(answer) => return *answer,
    };
    match server.userinfo(context, &token).await {
        Ok(claims) => json(StatusCode::OK, serde_json::Value::from(claims).to_string().into_bytes()),
        Err(error) => bearer_refusal(&Refusal::from(&error), Some("openid")),
    }
}
