use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::STRICT_TRANSPORT_SECURITY;
use tower::service_fn;

use crate::serve::Answers;

/// A year, in seconds, as browsers are told: from then on they use no other way to this host.
const STRICT_TRANSPORT: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Tells browsers to come by TLS only (RFC 6797), where answers go over TLS: elsewhere browsers ignore it.
pub(super) fn strictly_by_tls(mut service: impl Answers, has_tls: bool) -> impl Answers {
    service_fn(move |request: Request| {
        let answered = service.call(request);
        async move {
            let mut response = answered.await?;
            if has_tls {
                response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, STRICT_TRANSPORT);
            }
            Ok(response)
        }
    })
}
