use std::fmt;

/// The issuer as its server spells it, a slash at its end included; compared byte for byte (RFC 8414 §3.3).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IssuerIdentifier(String);

/// Why a text is not the identifier of an issuer that a client may trust, or a URL not one that it may call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It is not a URL of `https://`, or of `http://` on this machine.
    #[error("{0:?} is not an https:// URL; plain http:// is accepted for 127.0.0.1, [::1] and localhost only")]
    Insecure(String),
    /// It has a query, a fragment, user information, or a character that a URL may not have.
    #[error("{0:?} is not a URL of scheme, host, port and path; leave out what begins at {1:?}")]
    Character(String, char),
}

impl IssuerIdentifier {
    /// Accepts `https://` with any host, and `http://` on this machine, with neither query nor fragment (RFC 8414 §2).
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        match text.chars().find(|&c| matches!(c, '?' | '#' | '@' | '\\' | '"') || c <= ' ' || !c.is_ascii()) {
            Some(character) => Err(UrlError::Character(text.to_owned(), character)),
            None => check_secure(text).map(|()| Self(text.to_owned())),
        }
    }

    /// The issuer as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Scheme, host and port, and the path without a slash at its end.
    pub(crate) fn origin_and_path(&self) -> (&str, &str) {
        let host = self.0.find("://").map_or(0, |at| at + 3);
        let path = self.0[host..].find('/').map_or(self.0.len(), |at| host + at);
        (&self.0[..path], self.0[path..].trim_end_matches('/'))
    }
}

/// Refuses a URL over which a secret would travel in the clear.
pub(crate) fn check_secure(url: &str) -> Result<(), UrlError> {
    let insecure = || UrlError::Insecure(url.to_owned());
    let uri: http::Uri = url.parse().map_err(|_| insecure())?;
    let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(insecure)?;
    let is_here = ["127.0.0.1", "[::1]", "localhost"].contains(&host);
    match uri.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if is_here => Ok(()),
        _ => Err(insecure()),
    }
}

impl fmt::Display for IssuerIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for IssuerIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_an_https_url_or_on_this_machine() {
        for (text, expected) in [
            ("https://id.example", Some(("https://id.example", ""))),
            ("https://id.example/", Some(("https://id.example", ""))),
            ("https://id.example:8443/t1/", Some(("https://id.example:8443", "/t1"))),
            ("http://127.0.0.1:8080", Some(("http://127.0.0.1:8080", ""))),
            ("http://[::1]:8080/a", Some(("http://[::1]:8080", "/a"))),
            ("http://localhost", Some(("http://localhost", ""))),
            ("http://id.example", None),
            ("http://127.0.0.1.evil.example", None),
            ("http://127.0.0.1@evil.example", None),
            ("https://", None),
            ("ftp://id.example", None),
            ("https://id.example?x", None),
            ("https://id.example#x", None),
            ("id.example", None),
        ] {
            let issuer = IssuerIdentifier::parse(text).ok();
            assert_eq!(issuer.as_ref().map(IssuerIdentifier::origin_and_path), expected, "{text:?}");
        }
    }
}
