use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};
use regrant_engine::AuthorizationServer;
use regrant_pages::{ASSETS_PATH, Brand};
use regrant_protocol::Metadata;

use crate::cors::for_registered_origins;
use crate::site::{Site, SiteOptions};
use crate::{
    account, answer, assets, authorize, consent, elsewhere, error_page, introspect, jwks, login, logout, metadata,
    revoke, token, userinfo,
};

/// The paths of the token endpoint below the issuer: our own first, then those that the clients of other systems use.
pub const TOKEN_PATHS: [&str; 3] = [Metadata::TOKEN_PATH, "/oauth2/token", "/api/oauth2/token"];

/// Every endpoint and every page, below the path of the issuer; the metadata also where RFC 8414 §3.1 puts it. The pages
/// have our own name and colours: see [`router_with_brand`].
pub fn router(server: Arc<AuthorizationServer>) -> Router {
    router_with_brand(server, Brand::default())
}

/// As [`router`], with the name, logo and colours of the operator on the pages.
pub fn router_with_brand(server: Arc<AuthorizationServer>, brand: Brand) -> Router {
    Site::new(server, SiteOptions { brand, login_page: None }).router()
}

impl Site {
    /// Every endpoint and every page, below the path of the issuer; the metadata also where RFC 8414 §3.1 puts it.
    pub fn router(&self) -> Router {
        self.routes().with_state(self.clone())
    }

    /// As [`Site::router`], for a host with nothing else on it: every other address is answered by a hint, which for a browser
    /// is a page.
    pub fn router_with_hint(&self) -> Router {
        self.routes().fallback(elsewhere::nothing_here).with_state(self.clone())
    }

    fn routes(&self) -> Router<Self> {
        let (server, people) = (&self.server, for_people(self));
        for_scripts(server).merge(for_servers(server)).merge(people)
    }
}

/// The endpoints that scripts of registered origins may read.
fn for_scripts(server: &Arc<AuthorizationServer>) -> Router<Site> {
    let base = server.issuer().path();
    let below = |path: &str| format!("{base}{path}");
    let metadata = only_get(get(metadata::metadata));
    let mut router = Router::new();
    for path in TOKEN_PATHS {
        router = router.route(&below(path), only_post(post(token::token)));
    }
    router
        .route(&below(Metadata::REVOCATION_PATH), only_post(post(revoke::revoke)))
        .route(&below(Metadata::USERINFO_PATH), get(userinfo::get).post(userinfo::post).fallback(answer::get_or_post))
        .route(&below(Metadata::JWKS_PATH), only_get(get(jwks::jwks)))
        .route(&format!("/.well-known/oauth-authorization-server{base}"), metadata.clone())
        .route(&below("/.well-known/openid-configuration"), metadata)
        .route_layer(from_fn_with_state(Arc::clone(server), for_registered_origins))
}

/// The endpoint that only servers with a secret of their own use.
fn for_servers(server: &AuthorizationServer) -> Router<Site> {
    let path = server.issuer().path().to_owned() + Metadata::INTROSPECTION_PATH;
    Router::new().route(&path, only_post(post(introspect::introspect)))
}

/// What browsers show. Scripts of other origins can read none of it.
fn for_people(site: &Site) -> Router<Site> {
    let below = |path: &str| format!("{}{path}", site.server.issuer().path());
    let account = |path: &str| below(&format!("{}{path}", Metadata::ACCOUNT_PATH));
    let login = match site.login_page {
        None => Router::new().route(&below(Metadata::LOGIN_PATH), post(login::log_in)),
        Some(_) => Router::new(),
    };
    login
        .route(&below(Metadata::AUTHORIZATION_PATH), get(authorize::by_link).post(authorize::by_form))
        .route(&below(Metadata::CONSENT_PATH), get(consent::resume).post(consent::decide))
        .route(&account(""), get(account::show))
        .route(&account("/end"), get(account::see_account).post(account::end))
        .route(&account("/end-all"), get(account::see_account).post(account::end_all))
        .route(&account("/password"), get(account::see_account).post(account::change_password))
        .route(&account("/log-out"), get(account::see_account).post(account::log_out))
        .route(&below(Metadata::END_SESSION_PATH), get(logout::by_link).post(logout::by_form))
        .route(&below(&format!("{ASSETS_PATH}/{{name}}")), get(assets::asset))
        .method_not_allowed_fallback(error_page::method_not_allowed)
}

fn only_post(route: MethodRouter<Site>) -> MethodRouter<Site> {
    route.fallback(answer::post_only)
}

fn only_get(route: MethodRouter<Site>) -> MethodRouter<Site> {
    route.fallback(answer::get_only)
}
