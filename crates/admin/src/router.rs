use std::sync::Arc;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use regrant_engine::Door;
use serde_json::Value;

use crate::admin_token::{AdminToken, Guard, guard};
use crate::api::Api;
use crate::desk::Desk;
use crate::error::AdminError;
use crate::gate::{finish, gate};
use crate::{Administration, endpoints};

/// Where the admin API begins.
pub const BASE_PATH: &str = "/admin/v1";

/// The admin API below [`BASE_PATH`], for whoever comes through `door`: the socket, which only operators can open, or a command
/// in the same process. Nobody is asked for a token.
pub fn router(administration: Arc<Administration>, door: Door) -> Router {
    below_base(api(administration, door))
}

/// The admin API below [`BASE_PATH`], for who has the token: what the admin listener shows.
pub fn router_with_token(administration: Arc<Administration>, token: AdminToken) -> Router {
    let guarded = Arc::new(Guard { server: Arc::clone(&administration.server), token });
    below_base(api(administration, Door::Listener).layer(from_fn_with_state(guarded, guard)))
}

/// The OpenAPI 3.1 document of the API.
#[must_use]
pub fn openapi() -> Value {
    endpoints::all(Api::new()).into_parts().1
}

fn api(administration: Arc<Administration>, door: Door) -> Router {
    let (router, document) = endpoints::all(Api::new()).into_parts();
    let document = document.to_string();
    let document = move || async move { ([(CONTENT_TYPE, "application/json")], document) };
    router
        .route("/openapi.json", get(document))
        .fallback(|| async { AdminError::NoSuchPath })
        .method_not_allowed_fallback(|| async { AdminError::Method })
        .with_state(Arc::new(Desk { administration, door }))
}

fn below_base(api: Router) -> Router {
    Router::new().nest(BASE_PATH, api.layer(from_fn(gate)).layer(from_fn(finish)))
}
