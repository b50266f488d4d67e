use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::unverified_claims;

/// What the server answered. Assertions return the answer, so that they can follow each other.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub body: Vec<u8>,
    /// The body as JSON; `Null` when it is none.
    pub json: Value,
}

impl Answer {
    pub(crate) fn new(status: StatusCode, headers: HeaderMap, body: Vec<u8>) -> Self {
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Self { status, headers, body, json }
    }

    /// Status 200.
    #[track_caller]
    pub fn assert_ok(self) -> Self {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text_of_body());
        self
    }

    /// An OAuth error (RFC 6749 §5.2) with this status and code.
    #[track_caller]
    pub fn assert_error(self, status: u16, code: &str) -> Self {
        let found = (self.status.as_u16(), self.member("error"));
        assert_eq!(found, (status, Some(code)), "{}", self.text_of_body());
        self
    }

    /// 503, which says that nothing was decided and when to come again.
    #[track_caller]
    pub fn assert_unavailable(self) -> Self {
        self.assert_error(503, "temporarily_unavailable")
    }

    /// An introspection answer that says nothing but no (RFC 7662 §2.2).
    #[track_caller]
    pub fn assert_inactive(self) -> Self {
        assert_eq!(self.text_of_body(), r#"{"active":false}"#);
        self.assert_ok()
    }

    /// An introspection answer that says yes.
    #[track_caller]
    pub fn assert_active(self) -> Self {
        assert_eq!(self.json["active"], true, "{}", self.text_of_body());
        self.assert_ok()
    }

    /// Status 200 with this refresh token.
    #[track_caller]
    pub fn assert_refresh_token(self, expected: &str) -> Self {
        let answer = self.assert_ok();
        assert_eq!(answer.refresh_token(), expected);
        answer
    }

    /// Status 200 with an access token of this scope.
    #[track_caller]
    pub fn assert_scope(self, expected: &str) -> Self {
        let answer = self.assert_ok();
        assert_eq!(answer.member("scope").unwrap_or(""), expected);
        answer
    }

    /// A text member of the JSON.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&str> {
        self.json.get(name)?.as_str()
    }

    /// A number of the JSON.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i64> {
        self.json.get(name)?.as_i64()
    }

    /// The access token of a 200.
    #[track_caller]
    #[must_use]
    pub fn access_token(&self) -> String {
        self.required("access_token")
    }

    /// The refresh token of a 200.
    #[track_caller]
    #[must_use]
    pub fn refresh_token(&self) -> String {
        self.required("refresh_token")
    }

    /// The claims of the access token, which must be a JWT; its signature is not looked at.
    #[track_caller]
    #[must_use]
    pub fn claims(&self) -> Value {
        unverified_claims(&self.access_token())
    }

    /// The `jti` of the access token, which must be a JWT.
    #[track_caller]
    #[must_use]
    pub fn jti(&self) -> String {
        self.claims()["jti"].as_str().expect("every access token has a jti").to_owned()
    }

    /// A header as text; `None` when it is absent.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as text.
    #[must_use]
    pub fn text_of_body(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    fn required(&self, name: &str) -> String {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text_of_body());
        let member = self.member(name).unwrap_or_else(|| panic!("no {name} in {}", self.text_of_body()));
        member.to_owned()
    }
}
