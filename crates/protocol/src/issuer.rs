use std::fmt;
use std::sync::Arc;

/// The issuer identifier: a URL compared byte for byte, without query or fragment (RFC 8414 §2).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Issuer(Arc<str>);

/// Why a text is not an issuer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// Neither `https://` nor `http://`.
    #[error("issuer {0:?} does not begin with https:// or http://")]
    Scheme(String),
    /// No host.
    #[error("issuer {0:?} names no host")]
    Host(String),
    /// A query, a fragment, a space, or a character that a URL may not have.
    #[error("issuer {0:?} contains {1:?}; an issuer has only scheme, host, port and path")]
    Character(String, char),
    /// It ends with a slash, which clients compare and trip over.
    #[error("issuer {0:?} ends with a slash; leave it out")]
    TrailingSlash(String),
}

impl Issuer {
    /// Accepts a URL of scheme, host, port and path.
    ///
    /// # Errors
    /// Says what has to go.
    pub fn parse(text: &str) -> Result<Self, IssuerError> {
        let rest = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"))
            .ok_or_else(|| IssuerError::Scheme(text.to_owned()))?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~:/[]@!$&'()*+,;=%".contains(c);
        if let Some(character) = rest.chars().find(|&character| !allowed(character)) {
            return Err(IssuerError::Character(text.to_owned(), character));
        }
        if rest.starts_with([':', '/']) || rest.is_empty() {
            return Err(IssuerError::Host(text.to_owned()));
        }
        if rest.ends_with('/') {
            return Err(IssuerError::TrailingSlash(text.to_owned()));
        }
        Ok(Self(text.into()))
    }

    /// The issuer as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path of the issuer, without a slash at its end; empty for most.
    #[must_use]
    pub fn path(&self) -> &str {
        let after_scheme = self.0.find("://").map_or(0, |at| at + 3);
        self.0[after_scheme..].find('/').map_or("", |at| &self.0[after_scheme + at..])
    }

    /// The URL of `path` (which begins with a slash) below the issuer.
    #[must_use]
    pub fn endpoint(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc8414_section_2_an_issuer_has_no_query_and_no_fragment() {
        for (text, path) in [
            ("https://id.example", ""),
            ("http://127.0.0.1:8080", ""),
            ("http://[::1]:8080", ""),
            ("https://id.example/t1", "/t1"),
        ] {
            assert_eq!(Issuer::parse(text).unwrap().path(), path, "{text}");
        }
        for text in [
            "",
            "id.example",
            "ftp://x",
            "https://",
            "https://x/",
            "https://x?y",
            "https://x#y",
            "https://é",
            "https://:1",
        ] {
            assert!(Issuer::parse(text).is_err(), "{text:?}");
        }
    }
}
