use std::fmt;

/// How an access token is shown to an API (RFC 6749 §7.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenType {
    /// Whoever has it may use it (RFC 6750). Whatever a server calls neither of the two counts as this one.
    #[default]
    Bearer,
    /// It is of use together with its key alone (RFC 9449).
    Dpop,
}

impl TokenType {
    /// Reads `token_type`, which has no case (RFC 6749 §5.1).
    pub(crate) fn read(text: Option<&str>) -> Self {
        if text.is_some_and(|text| text.eq_ignore_ascii_case("DPoP")) { Self::Dpop } else { Self::Bearer }
    }

    /// What stands before the token in the `Authorization` header.
    #[must_use]
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }
}

impl fmt::Display for TokenType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scheme())
    }
}
