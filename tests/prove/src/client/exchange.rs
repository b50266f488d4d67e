use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use regrant_protocol::{Clock, SystemClock};
use serde_json::Value;

/// What the proxy does to one exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    /// It arrives, and so does the answer.
    Arrives,
    /// Request and answer are held up for a moment.
    Delayed,
    /// It does not reach the server.
    DroppedBefore,
    /// The server answers it, and nothing of the answer arrives.
    DroppedAfter,
    /// The server answers it, and half of the answer arrives.
    Truncated,
}

/// One request for tokens, as the proxy saw it.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    /// Which process sent it.
    pub(crate) process: u32,
    /// The refresh token that it presented.
    pub(crate) refresh_token: String,
    /// When it had come, since the run began.
    pub(crate) came: Duration,
    /// What was done to it.
    pub(crate) fate: Fate,
    /// What the server answered; nothing, if it was not asked.
    pub(crate) answer: Option<Answer>,
}

/// What a server answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// When, since the run began.
    pub(crate) came: Duration,
    /// The status.
    pub(crate) status: u16,
    /// The code of an error.
    pub(crate) error: Option<String>,
    /// The refresh token that it gave.
    pub(crate) successor: Option<String>,
    /// How many seconds the access token lives.
    pub(crate) expires_in: Option<u64>,
}

impl Answer {
    /// Whether the server gave tokens, and so has spent what it was presented.
    pub(crate) fn has_tokens(&self) -> bool {
        self.status == 200 && self.successor.is_some()
    }

    /// Whether the server says that the session has ended.
    pub(crate) fn ends_session(&self) -> bool {
        self.error.as_deref() == Some("invalid_grant")
    }
}

/// Every exchange of a run, in the order in which they came.
pub(crate) struct Record {
    began: Instant,
    exchanges: Mutex<Vec<Exchange>>,
}

impl Record {
    /// An empty record, whose time begins now.
    pub(crate) fn new() -> Self {
        Self { began: SystemClock.monotonic(), exchanges: Mutex::default() }
    }

    /// Notes a request; gives its place.
    pub(crate) fn begin(&self, process: u32, refresh_token: String, fate: Fate) -> usize {
        let exchange = Exchange { process, refresh_token, came: self.now(), fate, answer: None };
        let mut exchanges = self.exchanges();
        exchanges.push(exchange);
        exchanges.len() - 1
    }

    /// Notes what the server answered to the request at `place`.
    pub(crate) fn answered(&self, place: usize, status: u16, body: &[u8]) {
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| json[name].as_str().map(str::to_owned);
        let answer = Answer {
            came: self.now(),
            status,
            error: text("error"),
            successor: text("refresh_token"),
            expires_in: json["expires_in"].as_u64(),
        };
        self.exchanges()[place].answer = Some(answer);
    }

    /// All that was noted.
    pub(crate) fn to_vec(&self) -> Vec<Exchange> {
        self.exchanges().clone()
    }

    fn now(&self) -> Duration {
        SystemClock.monotonic().saturating_duration_since(self.began)
    }

    fn exchanges(&self) -> MutexGuard<'_, Vec<Exchange>> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
