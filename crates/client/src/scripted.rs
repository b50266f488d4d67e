//! A server that answers what a test says, and a client there whose time passes when it waits.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use http::{Request, Response};
use regrant_crypto::SystemEntropy;
use regrant_protocol::{ClientId, ManualClock, Timestamp};
use serde_json::Value;

use crate::{IssuerIdentifier, OAuthClient, Provider, RequestBody, Timer, Transport, TransportError};

/// When a test begins, by the client's clock.
pub(crate) const START_SECONDS: i64 = 1_800_000_000;

/// A request that the server has got.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) path: String,
    pub(crate) form: Vec<(String, String)>,
    pub(crate) dpop: Option<String>,
    /// Since the beginning of the test.
    pub(crate) after: Duration,
}

impl Heard {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.form.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The claims of the DPoP proof, unverified.
    pub(crate) fn proof(&self) -> Value {
        claims(self.dpop.as_deref().unwrap())
    }
}

/// The claims of a JWT, unverified.
pub(crate) fn claims(token: &str) -> Value {
    part(token, 1)
}

/// The header of a JWT.
pub(crate) fn header(token: &str) -> Value {
    part(token, 0)
}

fn part(token: &str, at: usize) -> Value {
    use base64::Engine as _;
    let part = token.split('.').nth(at).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// What the server answers; `None` is lost.
pub(crate) type Answer = Option<Response<Vec<u8>>>;

pub(crate) fn answer(status: u16, body: &str) -> Answer {
    with(status, body, &[])
}

pub(crate) fn with(status: u16, body: &str, headers: &[(&str, &str)]) -> Answer {
    let builder = Response::builder().status(status);
    let builder = headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
    Some(builder.body(body.as_bytes().to_vec()).unwrap())
}

type Reply = Box<dyn FnMut(&Heard) -> Answer + Send>;

#[derive(Clone)]
pub(crate) struct Scripted(Arc<Inner>);

struct Inner {
    clock: Arc<ManualClock>,
    reply: Mutex<Reply>,
    heard: Mutex<Vec<Heard>>,
}

impl Scripted {
    pub(crate) fn new(reply: impl FnMut(&Heard) -> Answer + Send + 'static) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(START_SECONDS)));
        Self(Arc::new(Inner { clock, reply: Mutex::new(Box::new(reply)), heard: Mutex::default() }))
    }

    /// A server that gives these answers, one after the other.
    pub(crate) fn of(answers: Vec<Answer>) -> Self {
        let mut answers = answers.into_iter();
        Self::new(move |heard| answers.next().unwrap_or_else(|| panic!("not expected: {heard:?}")))
    }

    /// What was asked since this was asked last.
    pub(crate) fn take(&self) -> Vec<Heard> {
        std::mem::take(&mut *self.0.heard.lock().unwrap())
    }

    pub(crate) fn clock(&self) -> &ManualClock {
        &self.0.clock
    }

    /// A public client that knows all endpoints.
    pub(crate) fn client(&self) -> OAuthClient {
        self.client_of(|_| ())
    }

    pub(crate) fn client_of(&self, set: impl FnOnce(&mut Provider)) -> OAuthClient {
        let issuer = IssuerIdentifier::parse("https://id.example").unwrap();
        let mut provider = Provider::new(issuer, "https://id.example/token").unwrap();
        provider.authorization_endpoint = Some("https://id.example/authorize".to_owned());
        provider.revocation_endpoint = Some("https://id.example/revoke".to_owned());
        provider.device_authorization_endpoint = Some("https://id.example/device".to_owned());
        set(&mut provider);
        OAuthClient::new(provider, ClientId::parse("TestApp").unwrap(), Arc::new(self.clone()))
            .with_clock_and_entropy(Arc::clone(&self.0.clock) as Arc<_>, Arc::new(SystemEntropy))
    }
}

#[async_trait]
impl Transport for Scripted {
    async fn send(&self, request: Request<RequestBody>) -> Result<Response<Vec<u8>>, TransportError> {
        use regrant_protocol::Clock as _;
        let heard = Heard {
            path: request.uri().path().to_owned(),
            form: form_urlencoded::parse(request.body().expose()).into_owned().collect(),
            dpop: request.headers().get("dpop").map(|value| value.to_str().unwrap().to_owned()),
            after: Duration::from_millis(
                u64::try_from(self.0.clock.now().milliseconds() - START_SECONDS * 1000).unwrap(),
            ),
        };
        self.0.heard.lock().unwrap().push(heard.clone());
        // Other tasks have their turn, as with a real server.
        tokio::task::yield_now().await;
        let answer = (self.0.reply.lock().unwrap())(&heard);
        answer.ok_or_else(|| TransportError::Unanswered("timed out".to_owned()))
    }
}

/// Moves the clock instead of waiting.
#[async_trait]
impl Timer for Scripted {
    async fn sleep(&self, duration: Duration) {
        self.0.clock.advance_milliseconds(u32::try_from(duration.as_millis()).unwrap());
        tokio::task::yield_now().await;
    }
}
