use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, LOCATION, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use regrant_pages::Page;

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const CROSS_ORIGIN_OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// What pages that ask for a password have no use for.
const NO_DEVICES: HeaderValue = HeaderValue::from_static(
    "camera=(), display-capture=(), geolocation=(), hid=(), microphone=(), payment=(), serial=(), usb=()",
);

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Whether a page may be on the way through a client's pop-up window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Window {
    /// A client may have opened it, and waits for the window to come back to it.
    OfAClient,
    /// Nobody waits for it, and nobody shall hold it.
    Own,
}

impl Window {
    /// The window of a page that is shown on behalf of `client`, where there is one.
    pub(crate) fn of<T>(client: Option<&T>) -> Self {
        if client.is_some() { Self::OfAClient } else { Self::Own }
    }

    /// `same-origin` would cut a client's pop-up off for good, also after it came back to the client.
    const fn opener_policy(self) -> HeaderValue {
        match self {
            Self::OfAClient => HeaderValue::from_static("unsafe-none"),
            Self::Own => HeaderValue::from_static("same-origin"),
        }
    }
}

/// HTML that nobody may keep, frame, or mix with anything else (RFC 9700 §4.16, RFC 6749 §10.13).
///
/// Its address goes into no `Referer` but our own. Under `no-referrer` other sites would learn no less, and browsers would
/// hide from us too that a form comes from our own page: they send `Origin: null` then (Fetch, "append a request `Origin`
/// header").
pub(crate) fn page(status: StatusCode, page: Page, window: Window) -> Response {
    let policy = HeaderValue::try_from(page.content_security_policy).expect("a policy is visible ASCII");
    let mut response = Response::new(Body::from(page.html));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(PERMISSIONS_POLICY, NO_DEVICES);
    headers.insert(CROSS_ORIGIN_OPENER_POLICY, window.opener_policy());
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(CACHE_CONTROL, NO_STORE);
    response
}

/// Sends the browser on with a GET, whatever method brought it here: 307 and 308 would send a password along
/// (RFC 9700 §4.12). The page that it left, whose address may hold a request, is told to nobody.
pub(crate) fn see_other(location: &str) -> Response {
    let mut location = HeaderValue::try_from(location).expect("an address has no control characters");
    location.set_sensitive(true);
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    headers.insert(LOCATION, location);
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, NO_STORE);
    response
}
