use std::sync::Arc;

use axum::Router;
use axum::routing::{MethodRouter, get, post};
use regrant_engine::AuthorizationServer;
use regrant_protocol::Metadata;

use crate::answer::{get_only, post_only};
use crate::{introspect, jwks, metadata, revoke, token};

/// The paths of the token endpoint below the issuer: our own first, then those that the clients of other systems use.
pub const TOKEN_PATHS: [&str; 3] = [Metadata::TOKEN_PATH, "/oauth2/token", "/api/oauth2/token"];

/// Every endpoint, below the path of the issuer; the metadata where RFC 8414 §3.1 puts it.
pub fn router(server: Arc<AuthorizationServer>) -> Router {
    let base = server.issuer().path().to_owned();
    let below = |path: &str| format!("{base}{path}");
    let mut router = Router::new();
    for path in TOKEN_PATHS {
        router = router.route(&below(path), only_post(post(token::token)));
    }
    router
        .route(&below(Metadata::REVOCATION_PATH), only_post(post(revoke::revoke)))
        .route(&below(Metadata::INTROSPECTION_PATH), only_post(post(introspect::introspect)))
        .route(&below(Metadata::JWKS_PATH), only_get(get(jwks::jwks)))
        .route(&format!("/.well-known/oauth-authorization-server{base}"), only_get(get(metadata::metadata)))
        .with_state(server)
}

fn only_post(route: MethodRouter<Arc<AuthorizationServer>>) -> MethodRouter<Arc<AuthorizationServer>> {
    route.fallback(post_only)
}

fn only_get(route: MethodRouter<Arc<AuthorizationServer>>) -> MethodRouter<Arc<AuthorizationServer>> {
    route.fallback(get_only)
}
