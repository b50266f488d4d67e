use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::routing::Route as RouteService;
use http::{Method, StatusCode};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use regrant_http::FirstByte;
use tower::layer::layer_fn;
use tower::{Service, service_fn};

use super::Metrics;

/// The most route templates that are told apart. There are about two dozen; should there ever be more than this, the
/// rest counts as no route.
const ROUTES_MAX: usize = 100;

/// The upper bounds of the buckets, in seconds: a refresh takes a millisecond or two, a password a tenth of a second, and
/// after 10 s nothing is begun.
const BOUNDS_SECONDS: [f64; 12] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 10.0];

type Durations = Family<[(&'static str, String); 3], Histogram, fn() -> Histogram>;

/// How long requests took, by route, method and class of status.
pub(super) struct HttpRequests {
    durations: Durations,
    routes: RwLock<HashMap<String, Arc<Route>>>,
    other: Route,
}

/// The histograms of one route: by method and class of status, each from its first request on.
#[derive(Default)]
struct Route([[OnceLock<Histogram>; METHODS.len()]; CLASSES.len()]);

const METHODS: [&str; 3] = ["GET", "POST", "other"];
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
/// What a request to no route is counted under.
const NO_ROUTE: &str = "none";

/// Measures every request to `router` from its first byte, or from when it was known, to its answer.
pub(crate) fn measure_requests(router: Router, metrics: &Arc<Metrics>) -> Router {
    let metrics = Arc::clone(metrics);
    router.layer(layer_fn(move |mut route: RouteService| {
        let metrics = Arc::clone(&metrics);
        service_fn(move |request: Request| {
            let metrics = Arc::clone(&metrics);
            let first_byte = request.extensions().get::<FirstByte>().copied();
            let matched = request.extensions().get::<MatchedPath>().cloned();
            let method = place_of(request.method());
            // A route is always ready.
            let answered = route.call(request);
            async move {
                let response = answered.await?;
                if let Some(FirstByte(since)) = first_byte {
                    let matched = matched.as_ref().map(MatchedPath::as_str);
                    metrics.http_requests.took(matched, method, response.status(), crate::serve::elapsed(since));
                }
                Ok::<_, Infallible>(response)
            }
        })
    }))
}

impl HttpRequests {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(BOUNDS_SECONDS);
        let durations = Durations::new_with_constructor(histogram);
        let help =
            "How long requests took, from the first byte to the answer, by route template, method and class of status";
        registry.register_with_unit("http_request_duration", help, Unit::Seconds, durations.clone());
        Self { durations, routes: RwLock::default(), other: Route::default() }
    }

    fn took(&self, route: Option<&str>, method: usize, status: StatusCode, time: Duration) {
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len()) - 1;
        let observe = |route: &Route, name: &str| {
            let histogram = route.0[class][method].get_or_init(|| {
                let labels = [("route", name), ("method", METHODS[method]), ("status", CLASSES[class])];
                self.durations.get_or_create(&labels.map(|(label, value)| (label, value.to_owned()))).clone()
            });
            histogram.observe(time.as_secs_f64());
        };
        match route.and_then(|name| Some((self.route(name)?, name))) {
            Some((route, name)) => observe(&route, name),
            None => observe(&self.other, NO_ROUTE),
        }
    }

    fn route(&self, name: &str) -> Option<Arc<Route>> {
        if let Some(known) = self.routes.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Some(Arc::clone(known));
        }
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        (routes.len() < ROUTES_MAX).then(|| Arc::clone(routes.entry(name.to_owned()).or_default()))
    }
}

fn place_of(method: &Method) -> usize {
    match *method {
        Method::GET => 0,
        Method::POST => 1,
        _ => 2,
    }
}
