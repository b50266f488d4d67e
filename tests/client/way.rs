//! The way between client and server, on which answers are lost when a test says so.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use axum::http;
use regrant_client::{RequestBody, Transport, TransportError};
use regrant_tests::TestServer;

/// What happens to one request to the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// No connection.
    NotSent,
    /// It is lost on its way to the server, and waited for in vain.
    LostBefore,
    /// The server answers it, and the answer is lost.
    LostAfter,
    /// The server answers it, and half of the answer arrives.
    Truncated,
    /// Something in between answers with a page.
    Page(u16),
    /// Something answers in the server's name.
    Answered(u16, &'static str),
    /// The server is busy, and says for how many seconds.
    Busy(u32),
    /// It arrives, and so does the answer.
    Arrives,
}

/// A transport without a network. It counts what is sent, and remembers it.
pub(crate) struct Way {
    server: Arc<TestServer>,
    fates: Mutex<VecDeque<Fate>>,
    sent: Mutex<Vec<Sent>>,
    answered: Mutex<u32>,
    meanwhile: Mutex<Option<Meanwhile>>,
}

/// What somebody else does while a request is on its way.
type Meanwhile = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A request to the token endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) at_seconds: i64,
    pub(crate) form: Vec<(String, String)>,
}

impl Sent {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.form.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

impl Way {
    pub(crate) fn new(server: &Arc<TestServer>) -> Arc<Self> {
        let (fates, sent, answered) = (Mutex::default(), Mutex::default(), Mutex::default());
        Arc::new(Self { server: Arc::clone(server), fates, sent, answered, meanwhile: Mutex::default() })
    }

    /// Lets somebody else do something while the next request is on its way.
    pub(crate) fn meanwhile(&self, meanwhile: impl Future<Output = ()> + Send + 'static) {
        *self.meanwhile.lock().unwrap() = Some(Box::pin(meanwhile));
    }

    /// What happens to the next requests; those after them arrive.
    pub(crate) fn next(&self, fates: &[Fate]) {
        *self.fates.lock().unwrap() = fates.iter().copied().collect();
    }

    /// What was sent to the token endpoint since this was asked last.
    pub(crate) fn take_sent(&self) -> Vec<Sent> {
        std::mem::take(&mut *self.sent.lock().unwrap())
    }

    /// How many requests were sent to the token endpoint since they were taken.
    pub(crate) fn sent_count(&self) -> usize {
        self.sent.lock().unwrap().len()
    }

    /// How many requests the server has answered with tokens since this was asked last.
    pub(crate) fn take_answered(&self) -> u32 {
        std::mem::take(&mut *self.answered.lock().unwrap())
    }

    async fn deliver(&self, request: http::Request<RequestBody>) -> http::Response<Vec<u8>> {
        let mut forwarded = self.server.request(request.method().as_str(), request.uri().path());
        if let Some(authorization) = request.headers().get("authorization") {
            forwarded = forwarded.header("authorization", authorization.to_str().unwrap());
        }
        let answer = forwarded.form(request.body().expose()).may_be_unavailable().send().await;
        let mut response = http::Response::new(answer.body);
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        let seconds = u64::try_from(self.server.clock_seconds()).unwrap();
        let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
        response.headers_mut().insert("date", date.parse().unwrap());
        response
    }
}

/// How long a client waits for an answer that does not come.
const PATIENCE_SECONDS: u32 = 20;

#[async_trait]
impl Transport for Way {
    async fn send(&self, request: http::Request<RequestBody>) -> Result<http::Response<Vec<u8>>, TransportError> {
        if !request.uri().path().ends_with("/token") {
            return Ok(self.deliver(request).await);
        }
        let form = form_urlencoded::parse(request.body().expose()).into_owned().collect();
        self.sent.lock().unwrap().push(Sent { at_seconds: self.server.clock_seconds(), form });
        let fate = self.fates.lock().unwrap().pop_front().unwrap_or(Fate::Arrives);
        let meanwhile = self.meanwhile.lock().unwrap().take();
        if let Some(meanwhile) = meanwhile {
            meanwhile.await;
        }
        let unanswered = || {
            self.server.clock.advance_seconds(PATIENCE_SECONDS);
            Err(TransportError::Unanswered("timed out".to_owned()))
        };
        match fate {
            Fate::NotSent => Err(TransportError::NotSent("connection refused".to_owned())),
            Fate::LostBefore => unanswered(),
            Fate::Page(status) => {
                Ok(http::Response::builder().status(status).body(b"<html>Sorry</html>".to_vec()).unwrap())
            }
            Fate::Answered(status, body) => {
                Ok(http::Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap())
            }
            Fate::Busy(seconds) => {
                let answer = http::Response::builder().status(503).header("retry-after", seconds);
                Ok(answer.body(br#"{"error":"temporarily_unavailable"}"#.to_vec()).unwrap())
            }
            Fate::LostAfter | Fate::Truncated | Fate::Arrives => {
                let mut answer = self.deliver(request).await;
                *self.answered.lock().unwrap() += u32::from(answer.status() == 200);
                if fate == Fate::LostAfter {
                    return unanswered();
                }
                if fate == Fate::Truncated {
                    let half = answer.body().len() / 2;
                    answer.body_mut().truncate(half);
                }
                Ok(answer)
            }
        }
    }
}
