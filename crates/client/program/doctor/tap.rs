//! The way to the server, on which answers are heard, and lost where that is asked for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use regrant_client::{Failure, RefreshToken, RequestBody, ReqwestTransport, Transport, TransportError, classify};

/// A transport that remembers what refreshes were answered.
pub(crate) struct Tap {
    inner: ReqwestTransport,
    loses_next: AtomicBool,
    heard: Mutex<Vec<Answer>>,
}

/// What a refresh was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Tokens, and the refresh token among them, if there was one.
    Tokens(Option<RefreshToken>),
    /// A verdict, with its code.
    Refused(String),
    /// Nothing that says anything about the token.
    Unclear(String),
}

impl Tap {
    pub(crate) const fn new(inner: ReqwestTransport) -> Self {
        Self { inner, loses_next: AtomicBool::new(false), heard: Mutex::new(Vec::new()) }
    }

    /// Loses the answer to the next refresh, after it was heard here.
    pub(crate) fn lose_next(&self) {
        self.loses_next.store(true, Ordering::SeqCst);
    }

    /// The answers since this was asked last.
    pub(crate) fn take(&self) -> Vec<Answer> {
        std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn hear(&self, answer: Answer) {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(answer);
    }
}

#[async_trait]
impl Transport for Tap {
    async fn send(&self, request: http::Request<RequestBody>) -> Result<http::Response<Vec<u8>>, TransportError> {
        let is_refresh = is_refresh(request.body().expose());
        let answer = self.inner.send(request).await;
        if !is_refresh {
            return answer;
        }
        let answer = answer.inspect_err(|error| self.hear(Answer::Unclear(error.to_string())))?;
        self.hear(match classify(answer.status().as_u16(), answer.headers(), answer.body()) {
            Ok(tokens) => Answer::Tokens(tokens.refresh_token),
            Err(Failure::Terminal(error) | Failure::ReRegister(error) | Failure::Configuration(error)) => {
                Answer::Refused(error.error)
            }
            Err(other) => Answer::Unclear(other.to_string()),
        });
        if self.loses_next.swap(false, Ordering::SeqCst) {
            return Err(TransportError::Unanswered("lost on purpose".to_owned()));
        }
        Ok(answer)
    }
}

fn is_refresh(body: &[u8]) -> bool {
    form_urlencoded::parse(body).any(|(name, value)| name == "grant_type" && value == "refresh_token")
}
