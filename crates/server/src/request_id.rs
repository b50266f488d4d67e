use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request};
use http::{HeaderMap, HeaderName, HeaderValue};
use regrant_crypto::{Entropy, SystemEntropy, random};
use regrant_engine::RequestId;
use tower::service_fn;
use tracing::{Instrument, error_span};

use crate::config::Network;
use crate::serve::Answers;
#[cfg(feature = "opentelemetry")]
use crate::telemetry;

/// The header in which a proxy tells how it calls a request, and in which every answer does.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Names every request: as a proxy of `trusted` calls it, else by a random number. The name is in the extensions of the
/// request, in every line of its log and in its answer.
pub(crate) fn name_requests(mut service: impl Answers, trusted: Vec<Network>) -> impl Answers {
    let trusted: Arc<[Network]> = trusted.into();
    service_fn(move |mut request: Request| {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|connected| connected.0.ip());
        let id = name(peer, request.headers(), &trusted, &SystemEntropy);
        // An error span is there at every level that logs anything.
        let span = error_span!("http", request = id.as_str());
        #[cfg(feature = "opentelemetry")]
        telemetry::adopt(&span, &request);
        let value = header(&id);
        request.extensions_mut().insert(id);
        let answered = service.call(request);
        async move {
            let mut response = answered.await?;
            response.headers_mut().insert(REQUEST_ID, value);
            #[cfg(feature = "opentelemetry")]
            telemetry::answered(&tracing::Span::current(), response.status());
            Ok(response)
        }
        .instrument(span)
    })
}

/// A name for what never became a request.
pub(crate) fn random_name() -> HeaderValue {
    header(&RequestId::from_random(random(&SystemEntropy)))
}

fn name(peer: Option<IpAddr>, headers: &HeaderMap, trusted: &[Network], entropy: &dyn Entropy) -> RequestId {
    let is_trusted = peer.is_some_and(|peer| trusted.iter().any(|network| network.contains(peer)));
    let told = headers.get(REQUEST_ID).filter(|_| is_trusted).and_then(|value| value.to_str().ok());
    told.and_then(RequestId::parse).unwrap_or_else(|| RequestId::from_random(random(entropy)))
}

fn header(id: &RequestId) -> HeaderValue {
    HeaderValue::from_str(id.as_str()).expect("a name is letters, digits and -_.")
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use axum::{Extension, Router};
    use http::Request;
    use regrant_crypto::SeededEntropy;
    use tower::ServiceExt;

    use super::*;

    #[test]
    fn only_a_trusted_proxy_names_a_request() {
        let trusted = [Network::parse("10.0.0.0/8").unwrap()];
        let long = "a".repeat(65);
        for (peer, told, is_taken) in [
            (Some("10.0.0.1"), Some("edge-1_2.3"), true),
            (Some("::ffff:10.0.0.1"), Some("edge-1"), true),
            (Some("192.0.2.1"), Some("edge-1"), false),
            (None, Some("edge-1"), false),
            (Some("10.0.0.1"), Some("a b"), false),
            (Some("10.0.0.1"), Some("\"x\""), false),
            (Some("10.0.0.1"), Some(""), false),
            (Some("10.0.0.1"), Some(long.as_str()), false),
            (Some("10.0.0.1"), None, false),
        ] {
            let mut headers = HeaderMap::new();
            headers.extend(told.map(|told| (REQUEST_ID, told.parse().unwrap())));
            let peer = peer.map(|peer| peer.parse().unwrap());
            let id = name(peer, &headers, &trusted, &SeededEntropy::new(1));
            assert_eq!(Some(id.as_str()) == told, is_taken, "{peer:?} {told:?}: {id}");
            assert_eq!(id.as_str().len() == 32, !is_taken, "{peer:?} {told:?}: {id}");
        }
    }

    #[tokio::test]
    async fn handler_and_answer_have_the_same_name_and_no_two_requests_have() {
        let handler = |Extension(id): Extension<RequestId>| async move { id.to_string() };
        let router = name_requests(Router::new().route("/", get(handler)), Vec::new());
        let mut names = Vec::new();
        for _ in 0..2 {
            let answer = router.clone().oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
            let name = answer.headers()[REQUEST_ID].to_str().unwrap().to_owned();
            let body = axum::body::to_bytes(answer.into_body(), 99).await.unwrap();
            assert_eq!(name.as_bytes(), body);
            names.push(name);
        }
        assert_ne!(names[0], names[1]);
        let missing = router.oneshot(Request::get("/nowhere").body(Body::empty()).unwrap()).await.unwrap();
        assert!(missing.headers().contains_key(REQUEST_ID));
    }
}
