use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::Response;
use regrant_engine::{AuthorizationServer, Event, Happening, OperatorFailure};
use regrant_protocol::Secret;

use crate::desk::Operator;
use crate::error::AdminError;

/// The fewest characters of an admin token.
pub const ADMIN_TOKEN_CHARACTERS_MIN: usize = 32;
/// The most characters of an admin token.
pub const ADMIN_TOKEN_CHARACTERS_MAX: usize = 512;

/// What operators prove themselves with at the admin listener. It prints nothing of itself, and compares in constant time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminToken(Secret);

/// The text cannot be an admin token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an admin token is {ADMIN_TOKEN_CHARACTERS_MIN} to {ADMIN_TOKEN_CHARACTERS_MAX} visible ASCII characters without spaces; make one with: openssl rand -hex 32"
)]
pub struct UnusableAdminToken;

impl AdminToken {
    /// Takes a token that is long enough not to be guessed.
    ///
    /// # Errors
    /// When it is too short or too long, or has other characters than an `Authorization` header carries.
    pub fn parse(text: &str) -> Result<Self, UnusableAdminToken> {
        let has_length = (ADMIN_TOKEN_CHARACTERS_MIN..=ADMIN_TOKEN_CHARACTERS_MAX).contains(&text.len());
        let is_usable = has_length && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_usable { Ok(Self(Secret::new(text.to_owned()))) } else { Err(UnusableAdminToken) }
    }
}

/// Who has the token is let in.
pub(crate) struct Guard {
    pub(crate) server: Arc<AuthorizationServer>,
    pub(crate) token: AdminToken,
}

/// Lets in only who has the admin token. Guessing is slowed down, by the address from which it comes.
pub(crate) async fn guard(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Result<Response, AdminError> {
    let (parts, body) = request.into_parts();
    let operator = Operator::of(&parts);
    let Some(presented) = presented(&parts.headers) else {
        return Err(guard.refused(&operator, OperatorFailure::NoToken, AdminError::Unauthorized));
    };
    let source = operator.source.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    match guard.server.admit_operator(source, || presented == guard.token.0) {
        Ok(true) => Ok(next.run(Request::from_parts(parts, body)).await),
        Ok(false) => Err(guard.refused(&operator, OperatorFailure::WrongToken, AdminError::Unauthorized)),
        Err(retry_after_seconds) => {
            let error = AdminError::TooManyFailures(retry_after_seconds);
            Err(guard.refused(&operator, OperatorFailure::TooManyFailures, error))
        }
    }
}

impl Guard {
    /// Passes a refusal on, and tells of it.
    fn refused(&self, operator: &Operator, failure: OperatorFailure, error: AdminError) -> AdminError {
        self.server.observe(&Event {
            at: self.server.clock().now(),
            request: operator.request.as_ref(),
            source: operator.source,
            happening: Happening::OperatorRefused { failure },
        });
        error
    }
}

/// The token of the only `Authorization` header, whose scheme is `Bearer` in any case (RFC 6750 §2.1).
fn presented(headers: &HeaderMap) -> Option<Secret> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| Secret::new(token.trim_start_matches(' ').to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_admin_token_is_long_and_not_printed() {
        let long = "0123456789abcdef0123456789abcdef";
        let token = AdminToken::parse(long).unwrap();
        assert_eq!(format!("{token:?}"), "AdminToken(Secret(redacted))");
        for text in ["", &long[1..], &format!("{} ", &long[1..]), &long.repeat(17), &long.replace('0', "é")] {
            assert_eq!(AdminToken::parse(text), Err(UnusableAdminToken), "{text:?}");
        }
    }

    #[test]
    fn rfc6750_section_2_1_the_token_stands_in_the_only_authorization_header() {
        for (values, expected) in [
            (&["Bearer abc"][..], Some("abc")),
            (&["bearer  abc"], Some("abc")),
            (&["Basic abc"], None),
            (&["abc"], None),
            (&["Bearer abc", "Bearer abc"], None),
            (&[], None),
        ] {
            let headers = values.iter().map(|value| (AUTHORIZATION, value.parse().unwrap()));
            let presented = presented(&headers.collect());
            assert_eq!(presented.as_ref().map(Secret::expose), expected, "{values:?}");
        }
    }
}
