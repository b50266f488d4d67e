use std::borrow::Cow;

use serde::Serialize;

/// The error codes that our endpoints answer with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
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
}
