//! What HTTP alone costs: a bare axum app that answers the same form with as many bytes.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use axum::Router;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use serde::Serialize;
use tokio::net::TcpListener;

use crate::standard_output::print_line;

/// As long as an opaque access token of a grant with two scopes.
const ACCESS_TOKEN: &str = concat!(
    "rga_AQEBAAAAAAAAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
);

#[derive(Serialize)]
struct TokenResponse<'a> {
    access_token: &'a str,
    token_type: &'a str,
    expires_in: u32,
    scope: &'a str,
    refresh_token: &'a str,
    refresh_token_expires_in: u32,
}

/// Serves `POST /token` until the process ends.
///
/// # Errors
/// When no address can be listened on.
pub(super) fn serve_bare() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    runtime.block_on(async {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        print_line(&format!("listening on http://{}", listener.local_addr()?))?;
        axum::serve(listener, Router::new().route("/token", post(token))).await?;
        Ok(())
    })
}

/// Gives back the refresh token that it was given.
async fn token(body: Bytes) -> Response {
    let presented = form_urlencoded::parse(&body).find(|(name, _)| name == "refresh_token");
    let Some((_, refresh_token)) = presented else { return StatusCode::BAD_REQUEST.into_response() };
    let response = TokenResponse {
        access_token: ACCESS_TOKEN,
        token_type: "Bearer",
        expires_in: 3600,
        scope: "read write",
        refresh_token: &refresh_token,
        refresh_token_expires_in: 1_209_600,
    };
    let body = serde_json::to_vec(&response).expect("strings always serialize");
    ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")], body).into_response()
}
