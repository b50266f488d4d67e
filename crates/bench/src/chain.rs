use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use form_urlencoded::byte_serialize;
use serde::Deserialize;

use crate::{Answer, Endpoint};

/// What a chain makes of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It is what was asked for.
    Good,
    /// It is not; the kind of the failure, such as `503 temporarily_unavailable`. The chain goes on.
    Failed(String),
    /// The same, and the chain has nothing to send any more.
    Ended(String),
}

/// Requests of which each may depend on the answer before it.
pub trait Chain {
    /// Writes the next request; `false` when there is none any more. Where no answer came to the one before, it is sent again.
    fn next(&mut self, request: &mut Vec<u8>) -> bool;

    /// Takes an answer.
    fn hear(&mut self, answer: &Answer<'_>) -> Heard;
}

/// What a token endpoint answers, as far as a chain needs it.
#[derive(Default, Deserialize)]
struct TokenMembers<'a> {
    #[serde(borrow, default)]
    refresh_token: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    error: Option<Cow<'a, str>>,
}

impl<'a> TokenMembers<'a> {
    fn of(answer: &'a Answer<'_>) -> Self {
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }
}

/// The kind of a failure: status and error code.
fn failure(answer: &Answer<'_>) -> String {
    match TokenMembers::of(answer).error {
        Some(error) => format!("{} {error}", answer.status),
        None => answer.status.to_string(),
    }
}

fn is_good(answer: &Answer<'_>) -> bool {
    (200..300).contains(&answer.status)
}

/// Refreshes one grant again and again, each time with the refresh token of the answer before.
///
/// An answer that decides nothing (5xx, 429) leaves its token as it is, to be tried again. A refusal ends the chain.
pub struct Refreshing {
    endpoint: Endpoint,
    /// The form up to the value of `refresh_token`.
    form: String,
    token: String,
}

impl Refreshing {
    /// A chain that begins with `token`. `rest` is what else the form has, such as `client_id=…&client_secret=…`.
    #[must_use]
    pub fn new(endpoint: Endpoint, rest: &str, token: &str) -> Self {
        let form = format!("grant_type=refresh_token&{rest}&refresh_token=");
        Self { endpoint, form, token: encoded(token) }
    }
}

impl Chain for Refreshing {
    fn next(&mut self, request: &mut Vec<u8>) -> bool {
        self.endpoint.post(&[&self.form, &self.token], request);
        true
    }

    fn hear(&mut self, answer: &Answer<'_>) -> Heard {
        if is_good(answer) {
            if let Some(next) = TokenMembers::of(answer).refresh_token {
                self.token.clear();
                self.token.extend(byte_serialize(next.as_bytes()));
            }
            return Heard::Good;
        }
        let kind = failure(answer);
        if answer.status >= 500 || answer.status == 429 { Heard::Failed(kind) } else { Heard::Ended(kind) }
    }
}

/// Sends the same form again and again.
pub struct Repeating {
    request: Vec<u8>,
    part: Option<&'static str>,
}

impl Repeating {
    /// A chain that posts `form`. With `part`, an answer is good only when that is in its body.
    #[must_use]
    pub fn new(endpoint: &Endpoint, form: &str, part: Option<&'static str>) -> Self {
        let mut request = Vec::new();
        endpoint.post(&[form], &mut request);
        Self { request, part }
    }
}

impl Chain for Repeating {
    fn next(&mut self, request: &mut Vec<u8>) -> bool {
        request.clone_from(&self.request);
        true
    }

    fn hear(&mut self, answer: &Answer<'_>) -> Heard {
        if !is_good(answer) {
            return Heard::Failed(failure(answer));
        }
        let body = str::from_utf8(&answer.body).unwrap_or_default();
        match self.part {
            Some(part) if !body.contains(part) => Heard::Failed(format!("{} without {part}", answer.status)),
            Some(_) | None => Heard::Good,
        }
    }
}

/// What can be used once: codes, or tokens to be revoked. Chains take from it in turn.
pub struct Supply {
    forms: Vec<String>,
    next: AtomicUsize,
}

impl Supply {
    /// A supply of forms that are posted as they are.
    #[must_use]
    pub fn new(forms: Vec<String>) -> Arc<Self> {
        Arc::new(Self { forms, next: AtomicUsize::new(0) })
    }

    fn take(&self) -> Option<&str> {
        self.forms.get(self.next.fetch_add(1, Ordering::Relaxed)).map(String::as_str)
    }
}

/// Posts each form of a [`Supply`] once.
pub struct Spending {
    endpoint: Endpoint,
    supply: Arc<Supply>,
}

impl Spending {
    /// A chain that takes from `supply`, beside others.
    #[must_use]
    pub fn new(endpoint: Endpoint, supply: Arc<Supply>) -> Self {
        Self { endpoint, supply }
    }
}

impl Chain for Spending {
    fn next(&mut self, request: &mut Vec<u8>) -> bool {
        let form = self.supply.take();
        if let Some(form) = form {
            self.endpoint.post(&[form], request);
        }
        form.is_some()
    }

    fn hear(&mut self, answer: &Answer<'_>) -> Heard {
        if is_good(answer) { Heard::Good } else { Heard::Failed(failure(answer)) }
    }
}

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint() -> Endpoint {
        Endpoint::new("http://127.0.0.1:1/token", None, None).unwrap()
    }

    fn answer(status: u16, body: &str) -> Answer<'_> {
        Answer { status, says_when_to_retry: false, stays_open: true, body: Cow::Borrowed(body.as_bytes()) }
    }

    fn form(chain: &mut dyn Chain) -> Option<String> {
        let mut request = Vec::new();
        let is_there = chain.next(&mut request);
        let request = String::from_utf8(request).unwrap();
        is_there.then(|| request.split_once("\r\n\r\n").unwrap().1.to_owned())
    }

    #[test]
    fn a_chain_refreshes_with_the_token_that_it_was_given_last() {
        let mut chain = Refreshing::new(endpoint(), "client_id=a", "t/0");
        let failed = |kind: &str| Heard::Failed(kind.to_owned());
        for (status, body, heard, next) in [
            (200, r#"{"access_token":"x","refresh_token":"t1"}"#, Heard::Good, "t1"),
            (503, r#"{"error":"temporarily_unavailable"}"#, failed("503 temporarily_unavailable"), "t1"),
            (429, "", failed("429"), "t1"),
            (200, r#"{"refresh_token":"a\/+"}"#, Heard::Good, "a%2F%2B"),
            (200, r#"{"access_token":"x"}"#, Heard::Good, "a%2F%2B"),
            (400, r#"{"error":"invalid_grant"}"#, Heard::Ended("400 invalid_grant".to_owned()), "a%2F%2B"),
        ] {
            assert_eq!(chain.hear(&answer(status, body)), heard, "{status} {body}");
            let expected = format!("grant_type=refresh_token&client_id=a&refresh_token={next}");
            assert_eq!(form(&mut chain), Some(expected), "{status} {body}");
        }
        let mut fresh = Refreshing::new(endpoint(), "client_id=a", "t/0");
        assert!(form(&mut fresh).unwrap().ends_with("=t%2F0"));
    }

    #[test]
    fn a_supply_is_spent_once() {
        let supply = Supply::new(vec!["a=1".to_owned(), "a=2".to_owned()]);
        let mut chains = [0, 1].map(|_| Spending::new(endpoint(), Arc::clone(&supply)));
        assert_eq!(form(&mut chains[0]).as_deref(), Some("a=1"));
        assert_eq!(form(&mut chains[1]).as_deref(), Some("a=2"));
        assert_eq!(form(&mut chains[0]), None);
    }

    #[test]
    fn an_answer_may_be_asked_for_a_part() {
        let mut chain = Repeating::new(&endpoint(), "token=t", Some("\"active\":true"));
        assert_eq!(form(&mut chain).as_deref(), Some("token=t"));
        assert_eq!(chain.hear(&answer(200, r#"{"active":true}"#)), Heard::Good);
        let failed = |kind: &str| Heard::Failed(kind.to_owned());
        assert_eq!(chain.hear(&answer(200, r#"{"active":false}"#)), failed("200 without \"active\":true"));
        assert_eq!(chain.hear(&answer(401, r#"{"error":"invalid_client"}"#)), failed("401 invalid_client"));
    }
}
