use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use regrant_engine::AuthorizationServer;

use crate::single_header::single;

/// How long a browser may remember that it may ask, in seconds. What it may read is decided anew at each answer.
const PREFLIGHT_SECONDS_MAX: HeaderValue = HeaderValue::from_static("600");

/// Lets scripts of registered origins read what an endpoint for clients answers, errors too (Fetch, "CORS protocol").
///
/// Never credentials: a client proves itself in the request, and no cookie counts at these endpoints. Never on
/// `/authorize` or a page (RFC 9700 §2.6).
pub(crate) async fn for_registered_origins<F: Future<Output = Response>>(
    server: &AuthorizationServer,
    request: Request,
    answer: impl FnOnce(Request) -> F,
) -> Response {
    let origin = registered_origin(server, request.headers()).await;
    let is_preflight =
        request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if is_preflight && origin.is_some() { preflight() } else { answer(request).await };
    // On every answer, so that no cache gives that of one origin to another.
    response.headers_mut().append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        let readable = HeaderValue::from_static("Retry-After, WWW-Authenticate");
        response.headers_mut().insert(ACCESS_CONTROL_EXPOSE_HEADERS, readable);
    }
    response
}

/// The same around routes. Each request pays for what is put around it there, so the busiest do without.
pub(crate) async fn routes_for_registered_origins(
    State(server): State<Arc<AuthorizationServer>>,
    request: Request,
    next: Next,
) -> Response {
    for_registered_origins(&server, request, |request| next.run(request)).await
}

async fn registered_origin(server: &AuthorizationServer, headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = single(headers, &ORIGIN).ok().flatten()?;
    server.is_allowed_origin(origin.to_str().ok()?).await.then(|| origin.clone())
}

fn preflight() -> Response {
    let headers = [
        (ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST")),
        (ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Authorization, Content-Type")),
        (ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS_MAX),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}
