use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, ORIGIN};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

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
