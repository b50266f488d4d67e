//! What holds for every answer of every endpoint, whatever a test asks.

use axum::http::{Method, StatusCode};
use regrant_http::TOKEN_PATHS;
use serde_json::Value;

use crate::{Answer, Redirect};

/// The endpoints at which secrets pass, below the issuer.
const SECRET_PATHS: [&str; 2] = ["/revoke", "/introspect"];

/// Fails the test when an answer breaks a rule that has no exception.
pub(crate) fn check(method: &Method, path: &str, may_be_unavailable: bool, answer: &Answer) {
    let path = path.split('?').next().unwrap_or(path);
    let what = format!("{method} {path} → {} {}", answer.status, answer.text_of_body());
    if answer.status.is_server_error() {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "never another 5xx: {what}");
        assert!(may_be_unavailable, "the test does not expect the server to be unavailable: {what}");
    }
    if answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
        return page(answer, &what);
    }
    if answer.status.is_redirection() {
        return redirection(answer, &what);
    }
    if *method == Method::OPTIONS && answer.status.is_success() {
        return;
    }
    let is_token_endpoint = TOKEN_PATHS.iter().any(|known| path.ends_with(known));
    if is_token_endpoint || SECRET_PATHS.iter().any(|known| path.ends_with(known)) {
        // RFC 6749 §5.1: on answers with tokens; here on all that could have had one.
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}");
    }
    // RFC 6750 §3.1: who sends no token is told no error.
    let is_a_question =
        path.ends_with("/userinfo") && answer.status == StatusCode::UNAUTHORIZED && answer.body.is_empty();
    let is_no_asset = path.contains("/assets/") && answer.status == StatusCode::NOT_FOUND;
    if is_a_question || is_no_asset {
        assert!(is_no_asset || answer.header("www-authenticate").is_some(), "{what}");
    } else if answer.status.is_client_error() || answer.status.is_server_error() {
        refusal(answer, method, &what);
    } else if is_token_endpoint {
        success(answer, &what);
    }
}

/// What people see: nobody frames it, keeps it, or mixes anything into it (RFC 6749 §10.13, RFC 9700 §4.2.4, §4.16), and no
/// script of another site reads it (RFC 9700 §2.6). C-032, C-124, C-126, C-127.
fn page(answer: &Answer, what: &str) {
    for (name, value) in [
        ("cache-control", "no-store"),
        ("referrer-policy", "same-origin"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}: {what}");
    }
    let policy = answer.header("content-security-policy").unwrap_or_else(|| panic!("no policy: {what}"));
    for directive in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
        assert!(policy.contains(directive), "{directive} is missing in {policy}: {what}");
    }
    assert!(!policy.contains("unsafe-"), "{policy}: {what}");
    for (status, header) in [
        (StatusCode::METHOD_NOT_ALLOWED, "allow"),
        (StatusCode::TOO_MANY_REQUESTS, "retry-after"),
        (StatusCode::SERVICE_UNAVAILABLE, "retry-after"),
    ] {
        assert!(answer.status != status || answer.header(header).is_some(), "{header} is missing: {what}");
    }
    is_for_people_only(answer, what);
}

/// Where people are sent: never with what they entered (RFC 9700 §4.12). C-103, C-021, C-123.
fn redirection(answer: &Answer, what: &str) {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{what}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}");
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{what}");
    is_for_people_only(answer, what);
    let location = answer.header("location").unwrap_or_else(|| panic!("no Location: {what}"));
    let redirect = Redirect::parse(location);
    assert!(redirect.get("code").is_none() || redirect.get("error").is_none(), "{location}");
    if redirect.get("code").is_some() || redirect.get("error").is_some() {
        assert!(redirect.get("iss").is_some(), "{location}");
    }
    for name in ["error", "error_description"] {
        let text = redirect.get(name).unwrap_or_default();
        assert!(text.bytes().all(may_be_in_an_error), "{name} has a forbidden character: {location}");
    }
}

fn is_for_people_only(answer: &Answer, what: &str) {
    let mut names = answer.headers.keys().map(axum::http::HeaderName::as_str);
    assert!(!names.any(|name| name.starts_with("access-control-")), "{what}");
}

/// RFC 6749 §5.2.
fn refusal(answer: &Answer, method: &Method, what: &str) {
    assert_eq!(answer.header("content-type"), Some("application/json"), "{what}");
    for (status, header) in [
        (StatusCode::UNAUTHORIZED, "www-authenticate"),
        (StatusCode::METHOD_NOT_ALLOWED, "allow"),
        (StatusCode::TOO_MANY_REQUESTS, "retry-after"),
        (StatusCode::SERVICE_UNAVAILABLE, "retry-after"),
    ] {
        assert!(answer.status != status || answer.header(header).is_some(), "{header} is missing: {what}");
    }
    if method == Method::HEAD {
        return;
    }
    let members = answer.json.as_object().unwrap_or_else(|| panic!("not a JSON object: {what}"));
    for (name, value) in members {
        assert!(["error", "error_description"].contains(&name.as_str()), "{name} in an error: {what}");
        let text = value.as_str().unwrap_or_else(|| panic!("{name} is not a text: {what}"));
        assert!(!text.is_empty() && text.bytes().all(may_be_in_an_error), "{name} has a forbidden character: {what}");
    }
    assert!(members.contains_key("error"), "{what}");
}

/// `%x20-21 / %x23-5B / %x5D-7E`.
fn may_be_in_an_error(byte: u8) -> bool {
    matches!(byte, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E)
}

/// RFC 6749 §5.1.
fn success(answer: &Answer, what: &str) {
    assert_eq!(answer.status, StatusCode::OK, "{what}");
    assert_eq!(answer.header("content-type"), Some("application/json"), "{what}");
    assert_eq!(answer.header("pragma"), Some("no-cache"), "{what}");
    assert_eq!(answer.json["token_type"], "Bearer", "{what}");
    assert!(!answer.access_token().is_empty(), "{what}");
    for name in ["expires_in", "refresh_token_expires_in"] {
        let value = &answer.json[name];
        assert!(value.is_null() || value.as_i64().is_some_and(|seconds| seconds > 0), "{name}: {what}");
    }
    let members = answer.json.as_object().expect("it has members");
    assert!(!members.values().any(Value::is_null), "an absent member is left out, not null: {what}");
}
