//! What kind of JWT a token says it is, so that one kind never passes for another (RFC 8725 §3.11).

use std::fmt;

/// The value of a JWS header's `typ`: a media type without `application/` (RFC 7515 §4.1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Typ(&'static str);

impl Typ {
    /// `at+jwt`: an access token (RFC 9068 §2.1).
    pub const ACCESS_TOKEN: Self = Self::new("at+jwt");
    /// `dpop+jwt`: the proof that a sender holds a key (RFC 9449 §4.2).
    pub const DPOP_PROOF: Self = Self::new("dpop+jwt");
    /// `client-authentication+jwt`: how a client proves who it is (draft-ietf-oauth-rfc7523bis).
    pub const CLIENT_AUTHENTICATION: Self = Self::new("client-authentication+jwt");
    /// `JWT`: an ID token, and whatever has no type of its own.
    pub const JWT: Self = Self::new("JWT");

    /// The type of this name. Panics, at compile time for a constant, if `name` is empty or has
    /// other characters than ASCII letters, digits, `+`, `-` and `.`, so that a header needs no
    /// escapes.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        let bytes = name.as_bytes();
        assert!(!bytes.is_empty(), "a type has a name");
        let mut i = 0;
        while i < bytes.len() {
            assert!(
                bytes[i].is_ascii_alphanumeric() || matches!(bytes[i], b'+' | b'-' | b'.'),
                "a type is written in ASCII letters, digits, `+`, `-` and `.`"
            );
            i += 1;
        }
        Self(name)
    }

    /// The name, as our headers carry it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// Whether a header's `typ` means this type: case does not matter, nor does a leading
    /// `application/` (RFC 7515 §4.1.9).
    #[must_use]
    pub fn is_meant_by(self, typ: &str) -> bool {
        let prefixed = typ.split_at_checked(PREFIX.len()).filter(|(prefix, _)| prefix.eq_ignore_ascii_case(PREFIX));
        let name = prefixed.map_or(typ, |(_, name)| name);
        name.eq_ignore_ascii_case(self.0)
    }
}

impl fmt::Display for Typ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

const PREFIX: &str = "application/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc7515_section_4_1_9_prefix_and_case_do_not_matter() {
        let cases = [
            ("at+jwt", true),
            ("AT+JWT", true),
            ("application/at+jwt", true),
            ("Application/AT+jwt", true),
            ("", false),
            ("JWT", false),
            ("application/", false),
            ("application/application/at+jwt", false),
            ("text/at+jwt", false),
            ("applicatiom/at+jwt", false),
            ("at+jwt ", false),
            ("applicatioö/at+jwt", false),
        ];
        for (typ, expected) in cases {
            assert_eq!(Typ::ACCESS_TOKEN.is_meant_by(typ), expected, "{typ:?}");
        }
    }

    #[test]
    #[should_panic(expected = "a type is written in ASCII letters")]
    fn a_type_cannot_break_out_of_its_quotes() {
        let _ = Typ::new("x\",\"alg\":\"none");
    }
}
