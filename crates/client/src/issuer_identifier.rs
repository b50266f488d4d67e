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
    /// It has a fragment, user information, a character that a URL may not have, or, in an issuer, a query.
    #[error("{0:?} is not a URL of scheme, host, port and path alone; leave out what has to do with {1:?}")]
    Character(String, char),
}

impl IssuerIdentifier {
    /// Accepts `https://` with any host, and `http://` on this machine, with neither query nor fragment (RFC 8414 §2).
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        match text.chars().find(|c| matches!(c, '?' | '@')) {
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

/// Refuses a URL over which a secret would travel in the clear, and one that says another thing to a person, or to a browser,
/// than to us.
pub(crate) fn check_secure(url: &str) -> Result<(), UrlError> {
    let character = |character| UrlError::Character(url.to_owned(), character);
    if let Some(found) = url.chars().find(|&c| !c.is_ascii_graphic() || matches!(c, '#' | '\\' | '"')) {
        return Err(character(found));
    }
    let insecure = || UrlError::Insecure(url.to_owned());
    let uri: http::Uri = url.parse().map_err(|_| insecure())?;
    let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(insecure)?;
    match uri.scheme_str() {
        _ if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) => Err(character('@')),
        Some("https") => Ok(()),
        Some("http") if is_loopback(host) => Ok(()),
        _ => Err(insecure()),
    }
}

/// Whether a URL's host is this machine: what is sent there needs no protection from a network.
pub(crate) fn is_loopback(host: &str) -> bool {
    ["127.0.0.1", "[::1]", "localhost"].contains(&host)
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

    #[test]
    fn an_address_says_the_same_to_a_person_as_to_us() {
        for (url, expected) in [
            ("https://id.example/token?tenant=1&user=a@b", None),
            ("https://id.example/@me", None),
            ("https://id.example@evil.example/", Some('@')),
            ("https://id.example:x@evil.example/", Some('@')),
            ("https://id.example/#/token", Some('#')),
            ("https://id.example/\u{1b}[2J", Some('\u{1b}')),
            ("https://id.example/\u{9b}2J", Some('\u{9b}')),
            ("https://id.example/\u{202e}nekot", Some('\u{202e}')),
            ("https://id.exämple/", Some('ä')),
            ("https://id.example/a b", Some(' ')),
            ("https://id.example\\@evil.example/", Some('\\')),
        ] {
            let found = match check_secure(url) {
                Ok(()) => None,
                Err(UrlError::Character(_, character)) => Some(character),
                Err(other) => panic!("{other}"),
            };
            assert_eq!(found, expected, "{url:?}");
        }
        let error = check_secure("https://id.example/\u{202e}\u{9b}").unwrap_err().to_string();
        assert!(error.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{error:?}");
    }
}
