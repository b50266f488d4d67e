use std::fmt;
use std::time::Duration;

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};
use regrant_protocol::{Scope, Timestamp};
use serde::Deserialize;

use crate::{AccessToken, Credential, RefreshToken, TokenType};

/// What the token endpoint gave (RFC 6749 §5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// The access token.
    pub access_token: AccessToken,
    /// Seconds until it ends; `None` when the server did not say.
    pub expires_in: Option<u32>,
    /// The refresh token; `None` means that the one that was sent stays good, if there was one.
    pub refresh_token: Option<RefreshToken>,
    /// What the access token is good for; `None` means what was asked for.
    pub scope: Option<Scope>,
    /// How the access token is shown to an API.
    pub token_type: TokenType,
}

/// Why a request to the token endpoint gave no tokens, by what the client has to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The refresh token, the code or the password is no longer good: a person has to log in.
    #[error("the server refused what was presented: {0}")]
    Terminal(OAuthError),
    /// The server does not know this client, or not by this secret. The tokens stay as they are.
    #[error("the server does not accept this client: {0}; check the client's id, secret and authentication method")]
    ReRegister(OAuthError),
    /// The request asks for something that this server will not do. The tokens stay as they are.
    #[error("the server cannot do what was asked: {0}; check the client's settings")]
    Configuration(OAuthError),
    /// The server gave a token of another type than was asked for: one that is not bound to our key, or bound to some other.
    #[error(
        "the server gave a token of type {0}, which is not what was asked for; check what it knows of DPoP, and whether \
         this client has to use it"
    )]
    TokenType(TokenType),
    /// The server gave an access token of so many bytes. The refresh token that came with it is kept.
    #[error(
        "the server gave an access token of {0} bytes, and {max} are the most; ask for less scope, or have it put less into its tokens",
        max = Credential::TOKEN_BYTES_MAX
    )]
    TooLong(usize),
    /// Try again: the same request, and not before.
    #[error("no usable answer: {0}")]
    Temporary(Temporary),
}

/// An error of the server in the form of RFC 6749 §5.2, bounded and without control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthError {
    /// The code that programs act on.
    pub error: String,
    /// What the server says to people; empty when it says nothing.
    pub description: String,
}

/// Why a request may be repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Temporary {
    /// What came instead of an answer.
    pub cause: String,
    /// How long the server asks to be left alone.
    pub retry_after: Option<Duration>,
    /// How far the request came.
    pub delivery: Delivery,
    /// The error code, where the server itself gave one.
    pub error: Option<String>,
}

/// How far a request without tokens in its answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Not one byte of it arrived.
    NotSent,
    /// It may have arrived, and may still be on its way.
    Unanswered,
    /// The server itself answered it.
    Answered,
}

/// What an answer of the token endpoint means.
///
/// Only an `invalid_grant` of the server itself is terminal. A page of HTML, whatever its status, comes from something in
/// between, and says nothing about the tokens.
///
/// # Errors
/// The [`Failure`], classed by what has to be done.
pub fn classify(status: u16, headers: &HeaderMap, body: &[u8]) -> Result<Tokens, Failure> {
    let retry_after = retry_after(headers);
    let unanswered = |cause: String| {
        Failure::Temporary(Temporary { cause, retry_after, delivery: Delivery::Unanswered, error: None })
    };
    if status == 200 {
        return read_tokens(body).map_err(|lack| unanswered(format!("status 200 {lack}")));
    }
    let Some(error) = OAuthError::read(body) else {
        return Err(unanswered(format!("status {status} without an OAuth error code")));
    };
    let answered = |cause: String, error: String| {
        Failure::Temporary(Temporary { cause, retry_after, delivery: Delivery::Answered, error: Some(error) })
    };
    let is_busy = matches!(status, 408 | 429 | 500..);
    Err(match error.error.as_str() {
        _ if is_busy => answered(format!("status {status}, {error}"), error.error),
        "temporarily_unavailable" | "server_error" | "slow_down" => answered(error.to_string(), error.error),
        "invalid_grant" => Failure::Terminal(error),
        "invalid_client" => Failure::ReRegister(error),
        _ => Failure::Configuration(error),
    })
}

/// How far the server's clock is ahead of ours, in milliseconds, by the `Date` of an answer that arrived `now`.
///
/// `Date` has whole seconds: a difference below two is none.
#[must_use]
pub fn clock_offset_milliseconds(headers: &HeaderMap, now: Timestamp) -> Option<i64> {
    let date = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
    let since_epoch = date.duration_since(std::time::UNIX_EPOCH).ok()?;
    let offset = i64::try_from(since_epoch.as_millis()).ok()?.saturating_sub(now.milliseconds());
    Some(if offset.abs() < 2000 { 0 } else { offset })
}

/// `Retry-After` (RFC 9110 §10.2.3): seconds, or a date, which is compared with the answer's own `Date`.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds).min(RETRY_AFTER_MAX));
    }
    let date = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
    let until = httpdate::parse_http_date(text).ok()?;
    Some(until.duration_since(date).unwrap_or_default().min(RETRY_AFTER_MAX))
}

/// The longest that a server can ask to be left alone. One that says a year is misconfigured.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);

/// The longest text of an error that is kept, in characters.
const ERROR_CHARACTERS_MAX: usize = 300;

impl Tokens {
    /// Refuses an access token that no server would take, and no credential can hold.
    pub(crate) fn check_length(&self) -> Result<(), Failure> {
        let bytes = self.access_token.expose().len();
        if bytes > Credential::TOKEN_BYTES_MAX { Err(Failure::TooLong(bytes)) } else { Ok(()) }
    }
}

/// The tokens, or what the answer lacks.
///
/// A refresh token that is too long is no answer: the one that was sent stays, with the marker that it may be spent.
fn read_tokens(body: &[u8]) -> Result<Tokens, &'static str> {
    const NO_TOKENS: &str = "without tokens in JSON";
    let is_short = |text: &String| text.len() <= Credential::TOKEN_BYTES_MAX;
    #[derive(Deserialize)]
    struct Members {
        access_token: String,
        // Some servers write the number as text.
        expires_in: Option<serde_json::Value>,
        refresh_token: Option<String>,
        scope: Option<String>,
        token_type: Option<String>,
    }
    let members: Members = serde_json::from_slice(body).map_err(|_| NO_TOKENS)?;
    if !members.refresh_token.iter().all(is_short) {
        return Err("with a refresh token that is too long to be kept");
    }
    let seconds = |value: serde_json::Value| value.as_f64().or_else(|| value.as_str()?.parse().ok());
    let expires_in = members.expires_in.and_then(seconds);
    let access_token = Some(members.access_token).filter(|token| is_sendable(token)).map(AccessToken::new);
    Ok(Tokens {
        access_token: access_token.ok_or(NO_TOKENS)?,
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is clamped to what u32 can hold"
        )]
        expires_in: expires_in.map(|seconds| seconds.clamp(0.0, f64::from(u32::MAX)) as u32),
        refresh_token: members.refresh_token.filter(|token| !token.is_empty()).map(RefreshToken::new),
        scope: members.scope.filter(is_short).and_then(|scope| Scope::parse(&scope).ok()),
        token_type: TokenType::read(members.token_type.as_deref()),
    })
}

/// Whether a token can stand in a header (RFC 6749 Appendix A.12).
fn is_sendable(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

impl OAuthError {
    fn read(body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Members {
            error: String,
            error_description: Option<String>,
        }
        let members: Members =
            serde_json::from_slice(body).ok().filter(|members: &Members| !members.error.is_empty())?;
        Some(Self::new(&members.error, members.error_description.as_deref().unwrap_or_default()))
    }

    /// What a server wrote, made fit to be printed.
    pub(crate) fn new(error: &str, description: &str) -> Self {
        Self { error: printable(error), description: printable(description) }
    }
}

/// What a server wrote ends in logs and on terminals: nothing in it may look like another line, or like a command.
fn printable(text: &str) -> String {
    text.chars().take(ERROR_CHARACTERS_MAX).map(|c| if matches!(c, ' '..='~') { c } else { '?' }).collect()
}

impl fmt::Display for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)?;
        if self.description.is_empty() { Ok(()) } else { write!(f, " ({})", self.description) }
    }
}

impl fmt::Display for Temporary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair =
            |&(name, value): &(&'static str, &str)| (http::HeaderName::from_static(name), value.parse().unwrap());
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn what_an_answer_means() {
        let html = "<html><h1>Sorry, you have been blocked</h1></html>";
        let kind = |failure: &Failure| match failure {
            Failure::Terminal(_) => "terminal",
            Failure::ReRegister(_) => "re-register",
            Failure::Configuration(_) => "configuration",
            Failure::TokenType(_) => "token type",
            Failure::TooLong(_) => "too long",
            Failure::Temporary(temporary) if temporary.delivery == Delivery::Answered => "temporary",
            Failure::Temporary(_) => "unanswered",
        };
        for (status, body, expected) in [
            (200, r#"{"access_token":"a","token_type":"Bearer"}"#, "tokens"),
            (200, r#"{"access_token":"a","expires_in":"3600"}"#, "tokens"),
            (200, r#"{"access_token":""}"#, "unanswered"),
            (200, r#"{"access_token":"a\r\nX: y"}"#, "unanswered"),
            (200, r#"{"error":"invalid_grant"}"#, "unanswered"),
            (200, html, "unanswered"),
            (200, r#"{"access_token":"a"#, "unanswered"),
            (400, r#"{"error":"invalid_grant"}"#, "terminal"),
            (401, r#"{"error":"invalid_grant"}"#, "terminal"),
            (500, r#"{"error":"invalid_grant"}"#, "temporary"),
            (429, r#"{"error":"invalid_grant"}"#, "temporary"),
            (400, r#"{"error":"invalid_client"}"#, "re-register"),
            (401, r#"{"error":"invalid_client"}"#, "re-register"),
            (400, r#"{"error":"invalid_scope"}"#, "configuration"),
            (400, r#"{"error":"invalid_target"}"#, "configuration"),
            (400, r#"{"error":"invalid_request"}"#, "configuration"),
            (400, r#"{"error":"unauthorized_client"}"#, "configuration"),
            (400, r#"{"error":"unsupported_grant_type"}"#, "configuration"),
            (400, r#"{"error":"something_of_their_own"}"#, "configuration"),
            (400, r#"{"error":"temporarily_unavailable"}"#, "temporary"),
            (503, r#"{"error":"temporarily_unavailable"}"#, "temporary"),
            (429, r#"{"error":"slow_down"}"#, "temporary"),
            (408, "", "unanswered"),
            (502, html, "unanswered"),
            (401, html, "unanswered"),
            (403, html, "unanswered"),
            (404, html, "unanswered"),
            (400, "", "unanswered"),
            (400, r#"{"error":{"message":"no"}}"#, "unanswered"),
            (302, "", "unanswered"),
        ] {
            let answer = classify(status, &HeaderMap::new(), body.as_bytes());
            assert_eq!(answer.as_ref().map_or_else(kind, |_| "tokens"), expected, "{status} {body}");
        }
    }

    #[test]
    fn what_tokens_come_with() {
        let read = |body: &str| classify(200, &HeaderMap::new(), body.as_bytes()).unwrap();
        let all = read(r#"{"access_token":"a","expires_in":60,"refresh_token":"r","scope":"x y"}"#);
        assert_eq!(all.expires_in, Some(60));
        assert_eq!(all.refresh_token, Some(RefreshToken::new("r".to_owned())));
        assert_eq!(all.scope, Scope::parse("x y").ok());
        for (expires_in, expected) in
            [("null", None), ("\"60\"", Some(60)), ("-5", Some(0)), ("1e20", Some(u32::MAX)), ("[]", None)]
        {
            let tokens = read(&format!(r#"{{"access_token":"a","expires_in":{expires_in},"refresh_token":""}}"#));
            assert_eq!((tokens.expires_in, tokens.refresh_token), (expected, None), "{expires_in}");
        }
    }

    #[test]
    fn a_refresh_token_that_cannot_be_kept_is_no_answer() {
        for (bytes, expected) in
            [(Credential::TOKEN_BYTES_MAX, None), (Credential::TOKEN_BYTES_MAX + 1, Some(Delivery::Unanswered))]
        {
            let body = format!(r#"{{"access_token":"a","refresh_token":"{}"}}"#, "r".repeat(bytes));
            let delivery = match classify(200, &HeaderMap::new(), body.as_bytes()) {
                Err(Failure::Temporary(temporary)) if temporary.cause.contains("too long to be kept") => {
                    Some(temporary.delivery)
                }
                other => other.map(|_| None).unwrap(),
            };
            assert_eq!(delivery, expected, "{bytes}");
        }
    }

    #[test]
    fn rfc9110_section_10_2_3_retry_after_is_seconds_or_a_date() {
        const DATE: (&str, &str) = ("date", "Fri, 15 Jan 2027 08:00:00 GMT");
        for (pairs, expected) in [
            (&[("retry-after", "7")][..], Some(7)),
            (&[("retry-after", "99999999")], Some(3600)),
            (&[("retry-after", "Fri, 15 Jan 2027 08:00:30 GMT"), DATE], Some(30)),
            (&[("retry-after", "Fri, 15 Jan 2027 07:00:00 GMT"), DATE], Some(0)),
            (&[("retry-after", "Fri, 15 Jan 2027 08:00:30 GMT")], None),
            (&[("retry-after", "soon")], None),
            (&[], None),
        ] {
            let Err(Failure::Temporary(temporary)) = classify(503, &headers(pairs), b"") else { panic!("{pairs:?}") };
            assert_eq!(temporary.retry_after.map(|wait| wait.as_secs()), expected, "{pairs:?}");
        }
    }

    #[test]
    fn the_date_of_an_answer_tells_how_wrong_our_clock_is() {
        let headers = headers(&[("date", "Fri, 15 Jan 2027 08:00:00 GMT")]);
        for (now_seconds, expected) in
            [(1_800_000_000, 0), (1_800_000_001, 0), (1_799_996_400, 3_600_000), (1_800_003_600, -3_600_000)]
        {
            let offset = clock_offset_milliseconds(&headers, Timestamp::from_seconds(now_seconds));
            assert_eq!(offset, Some(expected), "{now_seconds}");
        }
        assert_eq!(clock_offset_milliseconds(&HeaderMap::new(), Timestamp::from_seconds(0)), None);
    }

    #[test]
    fn what_a_server_writes_cannot_forge_a_line_of_a_log() {
        let body =
            format!(r#"{{"error":"invalid_grant","error_description":"a\nERROR b\u001b[2J{}"}}"#, "x".repeat(1000));
        let Err(Failure::Terminal(error)) = classify(400, &HeaderMap::new(), body.as_bytes()) else { panic!() };
        assert!(error.description.starts_with("a?ERROR b?[2J"), "{error}");
        assert_eq!(error.description.len(), ERROR_CHARACTERS_MAX);
    }
}
