//! The demo clients and the demo user of `regrant dev`, and a small API that their access tokens open.

use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use regrant_engine::{AuthorizationServer, RegistrationError, Secrecy};
use regrant_grant::{Policy, RotationMode};
use regrant_http::{Caller, json, refused};
use regrant_protocol::{ClientId, GrantType, Lifetime, Resources, Scope, Secret, TokenEndpointAuthMethod, Username};
use regrant_store::{AccessTokenFormat, ChangeError, ClientSettings};

pub(crate) const CLIENT: &str = "TestClient";
pub(crate) const CLIENT_SECRET: &str = "TestSecret";
pub(crate) const USER: &str = "bshaffer";
pub(crate) const PASSWORD: &str = "brent123";
pub(crate) const API_PATH: &str = "/demo/hello";

const PUBLIC_CLIENT: &str = "TestApp";
const SCOPE: &str = "read write";
/// Refresh tokens that are not used for two weeks end.
const IDLE_SECONDS: u32 = 14 * 24 * 60 * 60;
/// Grants end after a year.
const ABSOLUTE_SECONDS: u32 = 365 * 24 * 60 * 60;

/// What the command line says about the demo clients.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DemoSettings {
    pub(crate) retry_window_seconds: Option<u32>,
    pub(crate) access_lifetime_seconds: u32,
}

/// Makes the demo clients and the demo user where they are missing, and gives the clients the settings of this start.
pub(crate) async fn prepare(server: &AuthorizationServer, demo: DemoSettings) -> Result<()> {
    use GrantType::{AuthorizationCode, ClientCredentials, Password, RefreshToken};
    let confidential = settings(
        demo,
        vec![TokenEndpointAuthMethod::ClientSecretBasic, TokenEndpointAuthMethod::ClientSecretPost],
        vec![AuthorizationCode, ClientCredentials, Password, RefreshToken],
    )?;
    let public = settings(demo, vec![TokenEndpointAuthMethod::None], vec![AuthorizationCode, RefreshToken])?;
    let secret = Secrecy::Chosen(Secret::new(CLIENT_SECRET.to_owned()));
    prepare_client(server, ClientId::parse(CLIENT)?, secret, confidential).await.context("demo client")?;
    prepare_client(server, ClientId::parse(PUBLIC_CLIENT)?, Secrecy::Public, public).await.context("demo client")?;
    if server.store().user_named(&Username::parse(USER)?).await?.is_none() {
        server.register_user(USER, Secret::new(PASSWORD.to_owned())).await.context("demo user")?;
    }
    Ok(())
}

async fn prepare_client(
    server: &AuthorizationServer,
    id: ClientId,
    secrecy: Secrecy,
    settings: ClientSettings,
) -> Result<(), RegistrationError> {
    if server.store().client(&id).await.map_err(ChangeError::from)?.is_some() {
        return server.change_client(&id, settings).await;
    }
    server.register_client(id, secrecy, settings).await.map(drop)
}

fn settings(
    demo: DemoSettings,
    auth_methods: Vec<TokenEndpointAuthMethod>,
    grant_types: Vec<GrantType>,
) -> Result<ClientSettings> {
    Ok(ClientSettings {
        auth_methods,
        credential: None,
        grant_types,
        redirect_uris: vec!["http://127.0.0.1/callback".to_owned()],
        scope: Scope::parse(SCOPE)?,
        default_scope: Scope::parse(SCOPE)?,
        resources: Resources::none(),
        audience: Vec::new(),
        access_token_format: AccessTokenFormat::JwtEs256,
        policy: Policy {
            rotation: RotationMode::Rotate,
            retry_window_seconds: demo.retry_window_seconds,
            on_reuse: None,
            access_lifetime: Lifetime::from_seconds(demo.access_lifetime_seconds),
            idle_lifetime: Lifetime::from_seconds(IDLE_SECONDS),
            absolute_lifetime: Lifetime::from_seconds(ABSOLUTE_SECONDS),
        },
    })
}

/// `GET /demo/hello`: greets the user of a good access token (RFC 6750).
pub(crate) fn api(server: Arc<AuthorizationServer>) -> Router {
    Router::new().route(API_PATH, get(hello)).with_state(server)
}

async fn hello(
    State(server): State<Arc<AuthorizationServer>>,
    Caller(context): Caller,
    headers: HeaderMap,
) -> Response {
    let presented = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(bearer);
    // RFC 6750 §3.1: no error code where no token was sent.
    let Some(token) = presented else { return unauthorized("Bearer realm=\"regrant demo\"") };
    match server.inspect(&context, token).await {
        Ok(Some(active)) => {
            let hello = active.username.unwrap_or(active.claims.sub);
            json(StatusCode::OK, serde_json::json!({ "hello": hello }).to_string().into_bytes())
        }
        Ok(None) => unauthorized("Bearer realm=\"regrant demo\", error=\"invalid_token\""),
        Err(error) => refused(&error, "demo", context.source),
    }
}

fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn unauthorized(challenge: &'static str) -> Response {
    (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))]).into_response()
}
