//! The spans of requests, for an OpenTelemetry collector.
//!
//! They are sent by OTLP over plain HTTP to the collector that `OTEL_EXPORTER_OTLP_ENDPOINT` or
//! `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` names, in batches and from a thread of their own; without either, nothing is sent.
//! The other variables of the specification that begin with `OTEL_` hold too.

use std::env;
use std::time::Duration;

use anyhow::{Context, Result};
use async_trait::async_trait;
use bytes::Bytes;
use http::header::HOST;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{HeaderExtractor, HttpClient, HttpError};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::resource::EnvResourceDetector;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

/// The longest answer of a collector that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// How long a collector has for its answer.
const ANSWER_SECONDS_MAX: u64 = 10;

/// Sends spans until it is dropped, which sends what is left.
#[derive(Debug)]
pub(crate) struct Telemetry(SdkTracerProvider);

impl Telemetry {
    /// `None` where no collector is named, or `OTEL_SDK_DISABLED` is `true`.
    ///
    /// # Errors
    /// When a variable has a value that cannot be used.
    pub(crate) fn from_environment() -> Result<Option<Self>> {
        let is_named = ENDPOINTS.iter().any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()));
        let is_disabled = env::var("OTEL_SDK_DISABLED").is_ok_and(|value| value.eq_ignore_ascii_case("true"));
        if !is_named || is_disabled {
            return Ok(None);
        }
        let exporter = SpanExporter::builder().with_http().with_http_client(Collector).build();
        let exporter = exporter.context("the variables that begin with OTEL_ do not describe a collector")?;
        let resource = Resource::builder_empty().with_service_name("regrant");
        let resource = resource.with_detector(Box::new(EnvResourceDetector::new()));
        let resource = match env::var("OTEL_SERVICE_NAME") {
            Ok(name) if !name.is_empty() => resource.with_service_name(name),
            Ok(_) | Err(_) => resource,
        };
        let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build());
        Ok(Some(Self(provider.build())))
    }

    /// What makes spans of those of the log.
    pub(crate) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
        let layer = tracing_opentelemetry::layer().with_tracer(self.0.tracer("regrant"));
        let layer = layer.with_location(false).with_threads(false).with_tracked_inactivity(false);
        // Not what the sending of spans does itself.
        layer
            .with_filter(filter_fn(|metadata| metadata.target().starts_with("regrant") || metadata.target() == "audit"))
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        // What a collector does not take now nobody will miss.
        let _ = self.0.shutdown();
    }
}

/// Lets the span of a request belong to the trace that its sender names (W3C Trace Context), and tells what is asked.
pub(crate) fn adopt<B>(span: &Span, request: &Request<B>) {
    let parent = TraceContextPropagator::new().extract(&HeaderExtractor(request.headers()));
    // It fails where nobody listens.
    let _ = span.set_parent(parent);
    span.set_attribute("http.request.method", request.method().as_str().to_owned());
    // Without the query, which may hold a secret.
    span.set_attribute("url.path", request.uri().path().to_owned());
}

/// Tells what a request was answered.
pub(crate) fn answered(span: &Span, status: StatusCode) {
    span.set_attribute("http.response.status_code", i64::from(status.as_u16()));
}

const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

/// The way to a collector: a connection for each batch.
#[derive(Debug)]
struct Collector;

#[async_trait]
impl HttpClient for Collector {
    /// It is called on the thread of the batches, which has no runtime.
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async { timeout(Duration::from_secs(ANSWER_SECONDS_MAX), exchange(request)).await? })
    }
}

async fn exchange(mut request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let uri = request.uri().clone();
    if uri.scheme_str() != Some("http") {
        return Err(format!("{uri}: only plain http reaches a collector; run one on this machine").into());
    }
    let host = uri.host().ok_or("the address of the collector has no host")?.to_owned();
    let port = uri.port_u16().unwrap_or(80);
    request.headers_mut().insert(HOST, format!("{host}:{port}").parse()?);
    *request.uri_mut() = uri.path_and_query().map_or("/", |path| path.as_str()).parse()?;
    let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let (parts, body) = sender.send_request(request.map(Full::new)).await?.into_parts();
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await?.to_bytes();
    Ok(Response::from_parts(parts, body))
}
