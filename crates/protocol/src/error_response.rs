use std::borrow::Cow;

use serde::{Serialize, Serializer};

/// The error codes that our endpoints answer with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// A parameter is missing, repeated or malformed (RFC 6749 §5.2).
    InvalidRequest,
    /// The client did not prove who it is (RFC 6749 §5.2).
    InvalidClient,
    /// The user's credentials, the code or the refresh token is not good (RFC 6749 §5.2).
    InvalidGrant,
    /// The client may not use this grant type (RFC 6749 §5.2).
    UnauthorizedClient,
    /// The server does not offer this grant type (RFC 6749 §5.2).
    UnsupportedGrantType,
    /// The scope is malformed or wider than what may be granted (RFC 6749 §5.2).
    InvalidScope,
    /// The resource is malformed, unknown or outside the grant (RFC 8707 §2).
    InvalidTarget,
    /// Send the same request again: whether it was decided or not, it gets the answer that it would have got.
    TemporarilyUnavailable,
    /// The user said no (RFC 6749 §4.1.2.1).
    AccessDenied,
    /// The server does not offer this `response_type` (RFC 6749 §4.1.2.1).
    UnsupportedResponseType,
    /// Something failed that should not have (RFC 6749 §4.1.2.1).
    ServerError,
    /// The user has to log in, and no page may be shown (OpenID Connect Core §3.1.2.6).
    LoginRequired,
    /// The user has to consent, and no page may be shown (OpenID Connect Core §3.1.2.6).
    ConsentRequired,
    /// The user has to do something else, and no page may be shown (OpenID Connect Core §3.1.2.6).
    InteractionRequired,
    /// The parameter `request` is not supported (OpenID Connect Core §3.1.2.6).
    RequestNotSupported,
    /// The parameter `request_uri` is not supported (OpenID Connect Core §3.1.2.6).
    RequestUriNotSupported,
    /// The access token is unknown, expired or revoked (RFC 6750 §3.1).
    InvalidToken,
    /// The access token does not allow this (RFC 6750 §3.1).
    InsufficientScope,
}

impl ErrorCode {
    /// The registered name of the code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::AccessDenied => "access_denied",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::ServerError => "server_error",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
            Self::InteractionRequired => "interaction_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
        }
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// An error as it crosses the wire (RFC 6749 §5.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorResponse {
    /// The code that programs act on.
    pub error: ErrorCode,
    /// A sentence for the client's developer, within `%x20-21 / %x23-5B / %x5D-7E`.
    pub error_description: String,
}

impl ErrorResponse {
    /// An error with a description; characters that RFC 6749 §5.2 does not allow there become `?`.
    #[must_use]
    pub fn new<'a>(error: ErrorCode, description: impl Into<Cow<'a, str>>) -> Self {
        let allowed = |character: char| matches!(character, ' ' | '!' | '#'..='[' | ']'..='~');
        let description = description.into();
        let error_description = if description.chars().all(allowed) {
            description.into_owned()
        } else {
            description.chars().map(|character| quoted(character, allowed)).collect()
        };
        Self { error, error_description }
    }
}

/// A fault in the form of a request.
pub(crate) fn invalid(error: impl std::fmt::Display) -> ErrorResponse {
    ErrorResponse::new(ErrorCode::InvalidRequest, error.to_string())
}

/// Replaces what may not appear; a double quote, which our own sentences use, becomes a single one.
fn quoted(character: char, allowed: impl Fn(char) -> bool) -> char {
    match character {
        '"' => '\'',
        other if allowed(other) => other,
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6749_section_5_2_descriptions_stay_within_their_characters() {
        let response = ErrorResponse::new(ErrorCode::InvalidRequest, "a \"b\"\r\nc: d\\é\u{7f}~");
        assert_eq!(response.error_description, "a 'b'??c: d???~");
        assert_eq!(
            serde_json::to_string(&response).unwrap(),
            r#"{"error":"invalid_request","error_description":"a 'b'??c: d???~"}"#
        );
    }

    #[test]
    fn every_error_code_has_its_registered_name() {
        for (code, name) in [
            (ErrorCode::InvalidRequest, "invalid_request"),
            (ErrorCode::InvalidClient, "invalid_client"),
            (ErrorCode::InvalidGrant, "invalid_grant"),
            (ErrorCode::UnauthorizedClient, "unauthorized_client"),
            (ErrorCode::UnsupportedGrantType, "unsupported_grant_type"),
            (ErrorCode::InvalidScope, "invalid_scope"),
            (ErrorCode::InvalidTarget, "invalid_target"),
            (ErrorCode::TemporarilyUnavailable, "temporarily_unavailable"),
            (ErrorCode::AccessDenied, "access_denied"),
            (ErrorCode::UnsupportedResponseType, "unsupported_response_type"),
            (ErrorCode::ServerError, "server_error"),
            (ErrorCode::LoginRequired, "login_required"),
            (ErrorCode::ConsentRequired, "consent_required"),
            (ErrorCode::InteractionRequired, "interaction_required"),
            (ErrorCode::RequestNotSupported, "request_not_supported"),
            (ErrorCode::RequestUriNotSupported, "request_uri_not_supported"),
            (ErrorCode::InvalidToken, "invalid_token"),
            (ErrorCode::InsufficientScope, "insufficient_scope"),
        ] {
            assert_eq!(serde_json::to_value(code).unwrap(), name);
        }
    }
}
