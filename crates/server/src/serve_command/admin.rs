use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use regrant_engine::AuthorizationServer;
use tracing::warn;

use crate::metrics::{self, Metrics};
use crate::serve::connections_open;

/// What those who run the server ask: `/livez`, whether the process answers, `/readyz`, whether its store does too, and
/// `/metrics`, what Prometheus keeps.
pub(super) fn routes(server: Arc<AuthorizationServer>, metrics: Arc<Metrics>) -> Router {
    let asked = Arc::clone(&server);
    let metrics = move || {
        let (server, metrics) = (Arc::clone(&asked), Arc::clone(&metrics));
        async move {
            // What the store does not tell now it tells the next time.
            let keys = server.store().signing_keys().await.unwrap_or_default();
            let keys: Vec<_> = keys.into_iter().map(|key| (key.algorithm, key.created_at)).collect();
            ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], metrics.to_text(connections_open(), &keys))
        }
    };
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
    Router::new()
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
}
