use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{self, HeaderName, HeaderValue, Method};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use form_urlencoded::byte_serialize;
use regrant_http::FirstByte;
use tower::ServiceExt;

use crate::{Answer, invariants};

/// The longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// A request that is being written.
#[derive(Clone)]
pub struct Request {
    router: Router,
    method: Method,
    path: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    content_types: Vec<String>,
    form: Vec<u8>,
    source: Option<SocketAddr>,
    first_byte: Option<FirstByte>,
    may_be_unavailable: bool,
}

impl Request {
    pub(crate) fn new(router: Router, method: &str, path: &str) -> Self {
        Self {
            router,
            method: method.parse().expect("a test names a method"),
            path: path.to_owned(),
            headers: Vec::new(),
            content_types: vec!["application/x-www-form-urlencoded".to_owned()],
            form: Vec::new(),
            source: None,
            first_byte: None,
            may_be_unavailable: false,
        }
    }

    /// Authenticates with the `Basic` scheme, each part form-urlencoded (RFC 6749 §2.3.1).
    #[must_use]
    pub fn basic(self, id: &str, secret: &str) -> Self {
        let encode = |part: &str| byte_serialize(part.as_bytes()).collect::<String>();
        let (id, secret) = (encode(id), encode(secret));
        self.basic_unencoded(&id, &secret)
    }

    /// Authenticates with the `Basic` scheme and leaves the parts as they are.
    #[must_use]
    pub fn basic_unencoded(self, id: &str, secret: &str) -> Self {
        let credentials = STANDARD.encode(format!("{id}:{secret}"));
        self.header(AUTHORIZATION.as_str(), &format!("Basic {credentials}"))
    }

    /// Adds a header; one that was added before stays.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a test names a header");
        self.headers.push((name, HeaderValue::from_bytes(value.as_bytes()).expect("a header of a test is valid")));
        self
    }

    /// The `Content-Type` headers, instead of the one of a form.
    #[must_use]
    pub fn content_types(mut self, values: &[&str]) -> Self {
        self.content_types = values.iter().map(|&value| value.to_owned()).collect();
        self
    }

    /// The body as it is.
    #[must_use]
    pub fn form(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.form = body.into();
        self
    }

    /// Adds a parameter to the form, urlencoded.
    #[must_use]
    pub fn with(self, name: &str, value: &str) -> Self {
        let value: String = byte_serialize(value.as_bytes()).collect();
        self.with_raw(&format!("{name}={value}"))
    }

    /// Adds to the form what is urlencoded already, or is not meant to be.
    #[must_use]
    pub fn with_raw(mut self, pair: &str) -> Self {
        if !self.form.is_empty() {
            self.form.push(b'&');
        }
        self.form.extend_from_slice(pair.as_bytes());
        self
    }

    /// Sends the request from an address.
    #[must_use]
    pub fn from_address(mut self, source: &str) -> Self {
        let source: IpAddr = source.parse().expect("a test names an address");
        self.source = Some(SocketAddr::new(source, 50_000));
        self
    }

    /// Lets the first byte have arrived at a moment of the server's monotonic clock.
    #[must_use]
    pub fn first_byte(mut self, at: Instant) -> Self {
        self.first_byte = Some(FirstByte(at));
        self
    }

    /// Expects that the server may answer 503. Without it, every 5xx fails the test.
    #[must_use]
    pub fn may_be_unavailable(mut self) -> Self {
        self.may_be_unavailable = true;
        self
    }

    /// Sends the request, and checks the answer for what must hold everywhere.
    pub async fn send(self) -> Answer {
        let mut request = http::Request::builder().method(self.method.clone()).uri(&self.path);
        for content_type in &self.content_types {
            request = request.header(CONTENT_TYPE, content_type);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(source) = self.source {
            request = request.extension(ConnectInfo(source));
        }
        if let Some(first_byte) = self.first_byte {
            request = request.extension(first_byte);
        }
        let request = request.body(Body::from(self.form)).expect("a test names a path");
        let Ok(response) = self.router.oneshot(request).await;
        let (head, body) = response.into_parts();
        let body = to_bytes(body, ANSWER_BYTES_MAX).await.expect("an answer has a bounded body");
        let answer = Answer::new(head.status, head.headers, body.to_vec());
        invariants::check(&self.method, &self.path, self.may_be_unavailable, &answer);
        answer
    }
}

/// Sends all requests at once; the answers come in the order of the requests.
pub async fn at_once(requests: impl IntoIterator<Item = Request>) -> Vec<Answer> {
    let sent: Vec<_> = requests.into_iter().map(|request| tokio::spawn(request.send())).collect();
    let mut answers = Vec::new();
    for answer in sent {
        answers.push(answer.await.expect("the request is answered"));
    }
    answers
}
