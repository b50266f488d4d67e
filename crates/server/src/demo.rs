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
use regrant_grant::{ClientKind, Policy};
use regrant_http::{Caller, json, refused};
use regrant_pages::{Brand, ScopeWords};
use regrant_protocol::{
    BearerError, BearerToken, ClientId, GrantType, Lifetime, Profile, RedirectUri, Scope, Secret,
    TokenEndpointAuthMethod, Username, WebOrigin,
};
use regrant_store::{ChangeError, ClientDefaults, ClientSettings};

pub(crate) const CLIENT: &str = "TestClient";
pub(crate) const CLIENT_SECRET: &str = "TestSecret";
pub(crate) const USER: &str = "bshaffer";
pub(crate) const PASSWORD: &str = "brent123";
pub(crate) const API_PATH: &str = "/demo/hello";

const PUBLIC_CLIENT: &str = "TestApp";
const SCOPE: &str = "openid profile email offline_access read write";
const DEFAULT_SCOPE: &str = "read write";
/// What the scopes that are nobody's but the demo's mean: name and title.
const SCOPE_WORDS: [(&str, &str); 2] = [("read", "Read your demo data"), ("write", "Change your demo data")];
/// Where the demo web app listens: any port of this machine.
const WEB_APP_URIS: &[&str] = &["http://127.0.0.1/callback"];
/// Where the demo browser app is served from: any port of this machine, or this very one.
const BROWSER_APP_URIS: &[&str] = &["http://127.0.0.1/", "http://127.0.0.1/callback", "http://localhost:8090/"];
const BROWSER_APP_ORIGINS: &[&str] = &["http://127.0.0.1", "http://localhost:8090"];

/// What the command line says about the demo clients.
#[derive(Clone, Debug)]
pub(crate) struct DemoSettings {
    pub(crate) defaults: ClientDefaults,
    pub(crate) retry_window_seconds: Option<u32>,
    pub(crate) access_lifetime_seconds: Option<u32>,
}

/// Makes the demo clients and the demo user where they are missing, and gives them the settings of this start.
pub(crate) async fn prepare(server: &AuthorizationServer, demo: DemoSettings) -> Result<()> {
    let secret = Secrecy::Chosen(Secret::new(CLIENT_SECRET.to_owned()));
    prepare_client(server, ClientId::parse(CLIENT)?, secret, web_app(&demo)?).await.context("demo client")?;
    let browser_app = browser_app(&demo)?;
    prepare_client(server, ClientId::parse(PUBLIC_CLIENT)?, Secrecy::Public, browser_app)
        .await
        .context("demo client")?;
    prepare_user(server).await.context("demo user")
}

/// A web application with a server of its own, which keeps a secret.
fn web_app(demo: &DemoSettings) -> Result<ClientSettings> {
    use GrantType::{AuthorizationCode, ClientCredentials, Password, RefreshToken};
    let auth_methods = vec![TokenEndpointAuthMethod::ClientSecretBasic, TokenEndpointAuthMethod::ClientSecretPost];
    let grant_types = vec![AuthorizationCode, ClientCredentials, Password, RefreshToken];
    let mut settings = settings(demo, auth_methods, grant_types, WEB_APP_URIS)?;
    settings.name = Some("Demo web app".to_owned());
    Ok(settings)
}

/// A page of scripts, which can keep no secret.
fn browser_app(demo: &DemoSettings) -> Result<ClientSettings> {
    let auth_methods = vec![TokenEndpointAuthMethod::None];
    let grant_types = vec![GrantType::AuthorizationCode, GrantType::RefreshToken];
    let mut settings = settings(demo, auth_methods, grant_types, BROWSER_APP_URIS)?;
    settings.name = Some("Demo browser app".to_owned());
    settings.allowed_origins =
        BROWSER_APP_ORIGINS.iter().map(|origin| WebOrigin::parse(origin)).collect::<Result<_, _>>()?;
    Ok(settings)
}

fn settings(
    demo: &DemoSettings,
    auth_methods: Vec<TokenEndpointAuthMethod>,
    grant_types: Vec<GrantType>,
    redirect_uris: &[&str],
) -> Result<ClientSettings> {
    let defaults = &demo.defaults;
    let policy = Policy {
        retry_window_seconds: demo.retry_window_seconds.or(defaults.policy.retry_window_seconds),
        access_lifetime: demo.access_lifetime_seconds.map_or(defaults.policy.access_lifetime, Lifetime::from_seconds),
        ..defaults.policy
    };
    let offline = defaults.refresh_token_scope.as_ref().map(|scope| format!(" {}", scope.as_str())).unwrap_or_default();
    let scope = Scope::parse(&format!("{SCOPE}{offline}"))?;
    let is_public = auth_methods == [TokenEndpointAuthMethod::None];
    let kind = if is_public { ClientKind::Public } else { ClientKind::Confidential };
    let mut settings = ClientSettings { auth_methods, grant_types, policy, ..defaults.settings(kind, scope) };
    settings.default_scope = Scope::parse(DEFAULT_SCOPE)?;
    settings.redirect_uris = redirect_uris.iter().map(|uri| RedirectUri::parse(uri)).collect::<Result<_, _>>()?;
    settings.post_logout_redirect_uris = settings.redirect_uris.clone();
    Ok(settings)
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

async fn prepare_user(server: &AuthorizationServer) -> Result<()> {
    let profile = Profile {
        name: Some("Brent Shaffer".to_owned()),
        given_name: Some("Brent".to_owned()),
        family_name: Some("Shaffer".to_owned()),
        preferred_username: Some(USER.to_owned()),
        email: Some("brent@example.com".to_owned()),
        email_verified: true,
        ..Profile::default()
    };
    match server.store().user_named(&Username::parse(USER)?).await? {
        None => drop(server.register_user(USER, Secret::new(PASSWORD.to_owned()), profile).await?),
        Some(user) if user.profile != profile => {
            server.update_profile(&user.subject, |_| Ok::<_, RegistrationError>(profile.clone())).await?;
        }
        Some(_) => {}
    }
    Ok(())
}

/// Our own pages, with words for the scopes of the demo.
pub(crate) fn brand() -> Brand {
    let words = SCOPE_WORDS.map(|(name, title)| ScopeWords {
        name: name.to_owned(),
        title: title.to_owned(),
        detail: "There is no such data: this permission is for trying things out.".to_owned(),
    });
    Brand { scopes: words.to_vec(), ..Brand::default() }
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
    let authorization = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
    let token = match BearerToken::find(authorization, None) {
        Ok(token) => token,
        // RFC 6750 §3.1: no error code where no token was sent.
        Err(BearerError::Missing) => return challenge(StatusCode::UNAUTHORIZED, "Bearer realm=\"regrant demo\""),
        Err(BearerError::Malformed | BearerError::TwoMethods) => {
            return challenge(StatusCode::BAD_REQUEST, "Bearer realm=\"regrant demo\", error=\"invalid_request\"");
        }
    };
    match server.inspect(&context, token.expose()).await {
        Ok(Some(active)) => {
            let hello = active.username.unwrap_or(active.claims.sub);
            json(StatusCode::OK, serde_json::json!({ "hello": hello }).to_string().into_bytes())
        }
        Ok(None) => challenge(StatusCode::UNAUTHORIZED, "Bearer realm=\"regrant demo\", error=\"invalid_token\""),
        Err(error) => refused(&error),
    }
}

fn challenge(status: StatusCode, challenge: &'static str) -> Response {
    (status, [(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))]).into_response()
}

#[cfg(test)]
mod tests {
    use regrant_pages::{ConsentPage, ConsentScope, Pages};

    use super::*;

    #[test]
    fn every_scope_of_the_demo_is_explained() {
        let scopes = SCOPE.split(' ').map(|name| ConsentScope { name: name.to_owned(), is_required: false }).collect();
        let page = Pages::new(brand(), "").consent(&ConsentPage { scopes, ..ConsentPage::default() });
        assert!(page.html.contains("Read your demo data"), "{}", page.html);
        assert!(!page.html.contains("There is no description"), "{}", page.html);
    }
}
