use axum::extract::State;
use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use crate::answer::invalid_request;
use crate::caller::Caller;
use crate::error_page;
use crate::site::Site;

const HINT: &str = "no such endpoint; GET /.well-known/oauth-authorization-server lists those that there are";

/// Any address that is none of ours: a page for a browser, which leads to the account, and JSON for a program.
pub(crate) async fn nothing_here(State(site): State<Site>, Caller(context): Caller, headers: HeaderMap) -> Response {
    if shows_pages(&headers) {
        site.error(error_page::nothing_here(HINT), context.id.as_ref())
    } else {
        invalid_request(StatusCode::NOT_FOUND, HINT)
    }
}

/// Whether `text/html` is what the sender asks for by name; `*/*` comes from programs.
fn shows_pages(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut kinds = accepted.flat_map(|value| value.split(',')).filter_map(|kind| kind.split(';').next());
    kinds.any(|kind| kind.trim().eq_ignore_ascii_case("text/html"))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn browsers_are_told_from_programs() {
        for (accept, expected) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
            ("application/json, Text/HTML;q=0.5", true),
            ("*/*", false),
            ("application/json", false),
            ("text/htmlx", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(shows_pages(&headers), expected, "{accept:?}");
        }
        assert!(!shows_pages(&HeaderMap::new()));
    }
}
