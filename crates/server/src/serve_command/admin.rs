use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use regrant_admin::{AdminToken, Administration, router_with_token};
use regrant_protocol::Timestamp;
use regrant_store::SealedSigningKey;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::metrics::{self, Metrics};
use crate::serve::{Answers, connections_open};

use super::latest::latest;

/// What the admin listener answers, and to whom.
pub(super) struct AdminDoor {
    administration: Arc<Administration>,
    metrics: Arc<Metrics>,
    token: Option<AdminToken>,
    routes: watch::Sender<Router>,
}

impl AdminDoor {
    /// Opens the admin API to who has `token`, if there is one. The service answers with whatever is open when a request comes.
    pub(super) fn open(
        administration: Arc<Administration>,
        metrics: Arc<Metrics>,
        token: Option<AdminToken>,
    ) -> (Self, impl Answers) {
        let (routes, newest) = watch::channel(routes(&administration, &metrics, token.as_ref()));
        (Self { administration, metrics, token, routes }, latest(newest))
    }

    /// Lets in who has `token` from the next request on, and nobody else.
    pub(super) fn replace_token(&mut self, token: Option<AdminToken>) {
        if token == self.token {
            return;
        }
        drop(self.routes.send_replace(routes(&self.administration, &self.metrics, token.as_ref())));
        info!(is_set = token.is_some(), "the admin token is another; the old one is refused from now on");
        self.token = token;
    }
}

/// What those who run the server ask: `/livez`, whether the process answers, `/readyz`, whether its store can be read too,
/// `/metrics`, what Prometheus keeps, and, with a token, the admin API.
fn routes(administration: &Arc<Administration>, metrics: &Arc<Metrics>, token: Option<&AdminToken>) -> Router {
    let (server, metrics) = (Arc::clone(&administration.server), Arc::clone(metrics));
    let asked = Arc::clone(&server);
    let metrics = move || {
        let (server, metrics) = (Arc::clone(&asked), Arc::clone(&metrics));
        async move {
            // What the store does not tell now it tells the next time.
            let keys = server.store().signing_keys().await.unwrap_or_default();
            let keys = in_key_set(keys);
            ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], metrics.to_text(connections_open(), server.turned_away(), &keys))
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
    let routes = Router::new()
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics));
    match token {
        Some(token) => routes.merge(router_with_token(Arc::clone(administration), token.clone())),
        None => routes,
    }
}

/// The algorithm of each signing key that was not withdrawn, and when the key was made.
fn in_key_set(keys: Vec<SealedSigningKey>) -> Vec<(String, Timestamp)> {
    let left = keys.into_iter().filter(|key| key.withdrawn_at.is_none());
    left.map(|key| (key.algorithm, key.created_at)).collect()
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use http::Request;
    use regrant_data_directory::DataDirectory;
    use regrant_engine::{CALLS_MAX, Hooks, SESSION_SECONDS};
    use regrant_protocol::{Issuer, Kid};
    use regrant_store::ClientDefaults;
    use tower::ServiceExt;

    use super::*;
    use crate::config::StoreConfig;
    use crate::open_store::open_server;
    use crate::program::StoreProgram;

    #[tokio::test]
    async fn who_was_turned_away_counts_once_however_often_it_is_asked() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = Arc::new(DataDirectory::open(&temporary.path().join("data")).unwrap());
        let issuer = Issuer::parse("http://localhost").unwrap();
        let (store, hooks) = (StoreConfig::Sqlite, Hooks::default());
        let server = open_server(&store, None, &directory, issuer, SESSION_SECONDS, hooks).await.unwrap();
        let program = StoreProgram::alone(&store, directory.path(), ClientDefaults::BUILT_IN);
        let administration =
            Administration { server: Arc::clone(&server), key_file: directory, program: Arc::new(program) };
        let metrics = Arc::new(Metrics::new(Timestamp::from_seconds(1_800_000_000)));
        let routes = routes(&Arc::new(administration), &metrics, None);
        let counted = async |number: u64| {
            let answer = routes.clone().oneshot(Request::get("/metrics").body(Body::empty()).unwrap()).await.unwrap();
            let text = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
            let text = String::from_utf8(text.to_vec()).unwrap();
            assert!(text.contains(&format!("regrant_turned_away_total{{for_want_of=\"calls\"}} {number}\n")), "{text}");
        };
        counted(0).await;
        let _admitted: Vec<_> = (0..CALLS_MAX).map(|_| server.admit().unwrap()).collect();
        for number in 1..3 {
            assert!(server.admit().is_err());
            counted(number).await;
            counted(number).await;
        }
    }

    #[test]
    fn a_signing_key_that_was_withdrawn_does_not_count() {
        let key = |seconds, withdrawn_at| SealedSigningKey {
            key_id: String::new(),
            algorithm: "ES256".to_owned(),
            sealed_under: Kid(1),
            sealed: Vec::new(),
            created_at: Timestamp::from_seconds(seconds),
            signs_from: Timestamp::from_seconds(seconds),
            withdrawn_at,
        };
        let keys = vec![key(1, None), key(2, Some(Timestamp::from_seconds(3)))];
        assert_eq!(in_key_set(keys), [("ES256".to_owned(), Timestamp::from_seconds(1))]);
    }
}
