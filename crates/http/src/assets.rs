use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use regrant_pages::ASSET_CONTENT_SECURITY_POLICY;

use crate::site::Site;

/// The name of an asset changes with its content, so that a browser need not ask twice.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// `GET /assets/{name}`: what the pages load.
pub(crate) async fn asset(State(site): State<Site>, Path(name): Path<String>) -> Response {
    let Some(asset) = site.pages.asset(&name) else { return StatusCode::NOT_FOUND.into_response() };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(asset.content_type)),
        (CACHE_CONTROL, FOR_EVER),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(ASSET_CONTENT_SECURITY_POLICY)),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, asset.bytes.clone()).into_response()
}
