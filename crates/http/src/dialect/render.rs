use axum::body::Body;
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use regrant_engine::Endpoint;
use regrant_protocol::Issuer;

use super::Dialect;
use super::fault::{Fault, Told};
use super::json::JsonObject;
use super::values::{
    CacheControl, Challenge, ClientFailureStatus, ErrorCaching, ErrorMembers, OptionsMethod, OtherMethods,
    RevocationBody,
};
use crate::answer::BASIC_CHALLENGE;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

impl Dialect {
    /// What a caller is told of a fault, at an endpoint of `issuer`.
    pub(crate) fn told(&self, endpoint: Endpoint, fault: &Fault<'_>, issuer: &Issuer) -> Response {
        let mut told = fault.told(endpoint, self);
        if told.error == "invalid_client" {
            told.status = match self.client_failure_status {
                ClientFailureStatus::BadRequest => 400,
                ClientFailureStatus::Unauthorized => 401,
            };
        }
        let status = StatusCode::from_u16(told.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if let (Fault::Method { allow }, OtherMethods::Empty) = (fault, self.other_methods) {
            return with_allow(empty(status), allow);
        }
        let mut response = answer(status, self.error_body(&told));
        self.forbid_caches(&mut response, self.error_caching);
        let headers = response.headers_mut();
        if let Some(challenge) = self.challenge(&told, issuer) {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = told.retry_after_seconds {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        match fault {
            Fault::Method { allow } => with_allow(response, allow),
            Fault::SecretInQuery | Fault::Unreadable(_) | Fault::Refused { .. } => response,
        }
    }

    fn error_body(&self, told: &Told) -> Vec<u8> {
        if let Some(body) = told.body {
            return body.into();
        }
        let mut members = JsonObject::new(self.json);
        match self.error_members {
            ErrorMembers::CodeFirst => {
                members.text("error", told.error);
                members.text("error_description", &told.description);
            }
            ErrorMembers::DescriptionFirst => {
                members.text("error_description", &told.description);
                members.text("error", told.error);
            }
            ErrorMembers::StatusAndDetail => {
                members.text("error", told.error);
                members.literal("status", &told.status.to_string());
                members.text("detail", &told.description);
            }
        }
        if let Some(uri) = told.uri {
            members.text("error_uri", uri);
        }
        members.into_bytes()
    }

    /// What the client is asked for. A wrong password of a user is no reason to ask the client for anything.
    fn challenge(&self, told: &Told, issuer: &Issuer) -> Option<HeaderValue> {
        if told.status != 401 || !matches!(told.error, "invalid_client" | "unauthorized_client") {
            return None;
        }
        match self.challenge {
            Challenge::Nothing => None,
            Challenge::Regrant => Some(HeaderValue::from_static(BASIC_CHALLENGE)),
            Challenge::Host => HeaderValue::try_from(format!("Basic realm={}", host_of(issuer))).ok(),
        }
    }

    /// A successful revocation.
    pub(crate) fn revoked(&self) -> Response {
        match self.revocation {
            RevocationBody::Empty => {
                let mut response = empty(StatusCode::OK);
                response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
                response
            }
            RevocationBody::EmptyJson => {
                let mut response = answer(StatusCode::OK, Vec::new());
                self.forbid_caches(&mut response, ErrorCaching::Both);
                response
            }
            RevocationBody::Revoked => answer(StatusCode::OK, b"{\"revoked\":true}".to_vec()),
        }
    }

    /// What `OPTIONS` is answered.
    pub(crate) fn options(&self) -> Response {
        with_allow(empty(StatusCode::OK), self.allowed_methods())
    }

    /// What `Allow` says.
    pub(crate) fn allowed_methods(&self) -> &'static str {
        match self.options_method {
            OptionsMethod::Refuse => "POST",
            OptionsMethod::Allow => "POST, OPTIONS",
        }
    }

    pub(super) fn forbid_caches(&self, response: &mut Response, caching: ErrorCaching) {
        let headers = response.headers_mut();
        if matches!(caching, ErrorCaching::Both | ErrorCaching::CacheControl) {
            let value = match self.cache_control {
                CacheControl::NoStore => "no-store",
                CacheControl::NoStoreNoCache => "no-store,no-cache",
            };
            headers.insert(CACHE_CONTROL, HeaderValue::from_static(value));
        }
        if caching == ErrorCaching::Both {
            headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
        }
    }
}

pub(super) fn answer(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn with_allow(mut response: Response, allow: &'static str) -> Response {
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    response
}

/// The host of an issuer, without its port.
fn host_of(issuer: &Issuer) -> &str {
    let (_, rest) = issuer.as_str().split_once("://").unwrap_or_default();
    let authority = rest.split('/').next().unwrap_or_default();
    // What follows the last colon is a port, unless the colon is part of an IPv6 address.
    authority.rsplit_once(':').map_or(authority, |(host, port)| if port.ends_with(']') { authority } else { host })
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use regrant_engine::{TokenError, Verdict};

    use super::*;

    async fn body_of(response: Response) -> String {
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn what_was_not_decided_is_answered_503_with_retry_after_in_every_dialect() {
        let issuer = Issuer::parse("https://id.example").unwrap();
        for name in Dialect::NAMES {
            for (error, status) in [
                (TokenError::Changed, 503),
                (TokenError::NotTakenOver { retry_after_seconds: 9 }, 503),
                (TokenError::Refresh { verdict: Verdict::RolledBack, grant: None, limit: None }, 503),
                (TokenError::TooManyFailures { retry_after_seconds: 9 }, 429),
            ] {
                let fault = Fault::Refused { error: &error, username: None };
                let response = Dialect::named(name).unwrap().told(Endpoint::Token, &fault, &issuer);
                assert_eq!(response.status().as_u16(), status, "{name}");
                assert!(response.headers().contains_key(RETRY_AFTER), "{name}");
                let body: serde_json::Value = serde_json::from_str(&body_of(response).await).unwrap();
                assert_eq!(body["error"], "temporarily_unavailable", "{name}");
                assert_eq!(body.get("status").is_some(), name == "dotauth", "{name}");
            }
        }
    }

    #[test]
    fn a_realm_is_the_host_without_its_port() {
        for (issuer, expected) in [
            ("https://id.example", "id.example"),
            ("https://id.example:9443/t1", "id.example"),
            ("http://[::1]:8080", "[::1]"),
            ("http://[::1]/a", "[::1]"),
        ] {
            assert_eq!(host_of(&Issuer::parse(issuer).unwrap()), expected);
        }
    }
}
