use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::STRICT_TRANSPORT_SECURITY;
use axum::middleware::map_response;
use axum::response::Response;

/// A year, in seconds, as browsers are told: from then on they use no other way to this host.
const STRICT_TRANSPORT: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Tells browsers to come by TLS only (RFC 6797). For answers that go over TLS: elsewhere browsers ignore it.
pub(super) fn strictly_by_tls(router: Router) -> Router {
    router.layer(map_response(|mut response: Response| async {
        response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, STRICT_TRANSPORT);
        response
    }))
}
