use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use regrant_engine::AuthorizationServer;
use tracing::warn;

/// What those who run the server ask: `/livez`, whether the process answers, and `/readyz`, whether its store does too.
pub(super) fn routes(server: Arc<AuthorizationServer>) -> Router {
    let ready = move || {
        let server = Arc::clone(&server);
        async move {
            match server.store().announced_keys().await {
                Ok(_) => (StatusCode::OK, "ready\n"),
                Err(error) => {
                    warn!(%error, "not ready");
                    (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n")
                }
            }
        }
    };
    Router::new().route("/livez", get(|| async { "alive\n" })).route("/readyz", get(ready))
}
