use std::future::pending;
use std::panic::resume_unwind;

use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, ORIGIN};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument as _;

use crate::error::AdminError;

/// Lets no browser in, and no answer be kept. A page of somebody's that an operator looks at reaches what the operator's
/// machine reaches, and a browser says so.
pub(crate) async fn gate(request: Request, next: Next) -> Response {
    let mut response = match browser(request.headers()) {
        Some(header) => AdminError::Browser(header).into_response(),
        None => next.run(request).await,
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Ends what was begun, and tells of it, though the one who asked has gone away or the connection is cut.
pub(crate) async fn finish(request: Request, next: Next) -> Response {
    match tokio::spawn(next.run(request).in_current_span()).await {
        Ok(response) => response,
        Err(failure) => match failure.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The runtime ends, and nobody waits any more.
            Err(_) => pending().await,
        },
    }
}

/// The header by which a browser shows itself.
fn browser(headers: &HeaderMap) -> Option<&'static str> {
    if headers.contains_key(ORIGIN) {
        return Some("Origin");
    }
    // Whoever types the address of the API into a browser's address bar sends `none`.
    let site = headers.get("sec-fetch-site")?;
    (site != "none").then_some("Sec-Fetch-Site")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_in_a_browser_is_known_by_what_its_browser_says() {
        for (name, value, expected) in [
            ("accept", "*/*", None),
            ("sec-fetch-site", "none", None),
            ("sec-fetch-site", "cross-site", Some("Sec-Fetch-Site")),
            ("sec-fetch-site", "same-site", Some("Sec-Fetch-Site")),
            ("sec-fetch-site", "same-origin", Some("Sec-Fetch-Site")),
            ("origin", "https://evil.example", Some("Origin")),
            ("origin", "null", Some("Origin")),
        ] {
            let headers = [(name.parse().unwrap(), HeaderValue::from_static(value))];
            assert_eq!(browser(&HeaderMap::from_iter(headers)), expected, "{name}: {value}");
        }
    }
}
