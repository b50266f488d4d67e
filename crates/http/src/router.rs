use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{MethodRouter, any, get, post};
use regrant_engine::AuthorizationServer;
use regrant_pages::{ASSETS_PATH, Brand};
use regrant_protocol::Metadata;

use crate::by_option::by_option;
use crate::caller::Caller;
use crate::cors::{for_registered_origins, routes_for_registered_origins};
use crate::dialect::{Dialect, Routes};
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
    Site::new(server, SiteOptions { brand, ..SiteOptions::default() }).router()
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
        let routes = Routes::of(&self.dialects);
        for_scripts(self, &routes).merge(for_servers(self, &routes)).merge(for_people(self, &routes))
    }

    /// The dialect that is spoken at `path`, below the issuer.
    fn dialect_at(&self, path: &str) -> Arc<Dialect> {
        Arc::new(self.dialects.spoken_at(path).clone())
    }
}

/// The endpoints that scripts of registered origins may read.
fn for_scripts(site: &Site, routes: &Routes) -> Router<Site> {
    let base = site.server.issuer().path();
    let below = |path: &str| format!("{base}{path}");
    let mut router = Router::new();
    for path in &routes.userinfo {
        let route = get(userinfo::get).post(userinfo::post).fallback(answer::get_or_post);
        router = router.route(&below(path), route);
    }
    for path in &routes.jwks {
        router = router.route(&below(path), only_get(get(jwks::jwks)));
    }
    for path in &routes.metadata {
        router = router.route(&below(path), only_get(get(metadata::metadata)));
    }
    router = router
        .route(&format!("/.well-known/oauth-authorization-server{base}"), only_get(get(metadata::metadata)))
        .route_layer(from_fn_with_state(Arc::clone(&site.server), routes_for_registered_origins));
    // Added after the layer, so without it: these let scripts read their answers by themselves.
    for path in &routes.token {
        router = router.route(&below(path), open_to_scripts(site.dialect_at(path), token::token));
    }
    for path in &routes.revocation {
        router = router.route(&below(path), open_to_scripts(site.dialect_at(path), revoke::revoke));
    }
    router
}

/// An endpoint whose answers scripts of registered origins may read, without a layer.
fn open_to_scripts<F: Future<Output = Response> + Send + 'static>(
    dialect: Arc<Dialect>,
    endpoint: fn(Arc<Dialect>, State<Arc<AuthorizationServer>>, Caller, Request) -> F,
) -> MethodRouter<Site> {
    any(move |State(server): State<Arc<AuthorizationServer>>, caller: Caller, request: Request| {
        let dialect = Arc::clone(&dialect);
        async move {
            let answer = |request| endpoint(dialect, State(Arc::clone(&server)), caller, request);
            for_registered_origins(&server, request, answer).await
        }
    })
}

/// The endpoint that only servers with a secret of their own use.
fn for_servers(site: &Site, routes: &Routes) -> Router<Site> {
    let base = site.server.issuer().path();
    routes.introspection.iter().fold(Router::new(), |router, path| {
        let dialect = site.dialect_at(path);
        let route = any(move |server: State<_>, caller: Caller, request: Request| {
            introspect::introspect(Arc::clone(&dialect), server, caller, request)
        });
        router.route(&format!("{base}{path}"), route)
    })
}

/// What browsers show. Scripts of other origins can read none of it.
fn for_people(site: &Site, routes: &Routes) -> Router<Site> {
    let below = |path: &str| format!("{}{path}", site.server.issuer().path());
    let account = |path: &str| below(&format!("{}{path}", Metadata::ACCOUNT_PATH));
    let mut router = match site.login_page {
        None => Router::new().route(&below(Metadata::LOGIN_PATH), post(login::log_in)),
        Some(_) => Router::new(),
    };
    for path in &routes.authorization {
        router = router.route(&below(path), get(authorize::by_link).post(authorize::by_form));
    }
    for path in &routes.by_option {
        router = router.route(&below(path), by_option(open_to_scripts(site.dialect_at(path), token::token)));
    }
    router
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

fn only_get(route: MethodRouter<Site>) -> MethodRouter<Site> {
    route.fallback(answer::get_only)
}
