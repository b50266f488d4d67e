use std::fmt;
use std::sync::Arc;

use crate::authority::{Authority, AuthorityFault, parse_port};
use crate::text::serde_as_text;

/// The longest origin that may be registered, in bytes: a host name of 253 with scheme and port.
pub const WEB_ORIGIN_BYTES_MAX: usize = 267;

/// A web origin that may read our answers with a script, written as browsers send it in `Origin` (RFC 6454 §6.2): scheme,
/// host, and the port where it is not the scheme's own; lower case, without a path.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct WebOrigin(Arc<str>);

/// An origin that cannot be registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("origin {origin:?} {fault}")]
pub struct WebOriginError {
    /// The origin as it was written.
    pub origin: String,
    /// What is wrong with it.
    pub fault: WebOriginFault,
}

/// Why an origin cannot be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebOriginFault {
    /// More than [`WEB_ORIGIN_BYTES_MAX`].
    #[error("is {0} bytes long; the most is {WEB_ORIGIN_BYTES_MAX}")]
    TooLong(usize),
    /// Neither `https` nor `http`.
    #[error("does not begin with https:// or http://")]
    Scheme,
    /// Browsers write origins in lower case.
    #[error("has letters in upper case; write it in lower case, as browsers do")]
    UpperCase,
    /// More than scheme, host and port.
    #[error(
        "has more than scheme, host and port; leave out the path, the slash at the end, query, fragment and user name"
    )]
    Path,
    /// The host is missing or malformed.
    #[error("has no host, or one that is neither a name nor an IP address; write other alphabets in Punycode")]
    Host,
    /// The port is missing after its colon, or not one.
    #[error("has a port that is not a number from 1 to 65535")]
    Port,
    /// A port that browsers leave out.
    #[error("names the port that its scheme has anyway; leave it out, as browsers do")]
    DefaultPort,
    /// `http` on another machine.
    #[error("is http on another host than 127.0.0.1, [::1] or localhost; use https")]
    HttpNotLoopback,
}

impl WebOrigin {
    /// Accepts an origin that may be registered.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, WebOriginError> {
        match check(text) {
            Ok(()) => Ok(Self(text.into())),
            Err(fault) => Err(WebOriginError { origin: text.to_owned(), fault }),
        }
    }

    /// The origin as it was registered.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `origin`, as a browser sent it, is this one: byte for byte; an `http` origin of this machine that is
    /// registered without a port stands for every port, because development servers choose theirs.
    #[must_use]
    pub fn matches(&self, origin: &str) -> bool {
        let Some(rest) = origin.strip_prefix(self.as_str()) else { return false };
        rest.is_empty() || self.admits_any_port() && rest.strip_prefix(':').and_then(parse_port).is_some()
    }

    fn admits_any_port(&self) -> bool {
        let authority = self.0.strip_prefix("http://").and_then(|authority| Authority::parse(authority).ok());
        authority.is_some_and(|authority| authority.port.is_none())
    }
}

fn check(text: &str) -> Result<(), WebOriginFault> {
    if text.len() > WEB_ORIGIN_BYTES_MAX {
        return Err(WebOriginFault::TooLong(text.len()));
    }
    if text.contains(|character: char| character.is_ascii_uppercase()) {
        return Err(WebOriginFault::UpperCase);
    }
    let (scheme, rest) = text.split_once("://").ok_or(WebOriginFault::Scheme)?;
    let default_port = match scheme {
        "https" => 443,
        "http" => 80,
        _ => return Err(WebOriginFault::Scheme),
    };
    if rest.contains(['/', '?', '#', '@', '\\']) {
        return Err(WebOriginFault::Path);
    }
    let authority = Authority::parse(rest)?;
    if authority.port == Some(default_port) {
        return Err(WebOriginFault::DefaultPort);
    }
    if scheme == "http" && !authority.is_loopback() {
        return Err(WebOriginFault::HttpNotLoopback);
    }
    Ok(())
}

impl From<AuthorityFault> for WebOriginFault {
    fn from(fault: AuthorityFault) -> Self {
        match fault {
            AuthorityFault::Userinfo => Self::Path,
            AuthorityFault::Host => Self::Host,
            AuthorityFault::Port => Self::Port,
        }
    }
}

serde_as_text!(WebOrigin);

impl fmt::Debug for WebOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6454_section_6_2_an_origin_is_written_as_browsers_send_it() {
        use WebOriginFault::{DefaultPort, Host, HttpNotLoopback, Path, Port, Scheme, TooLong, UpperCase};
        let too_long = format!("https://{}", "a".repeat(WEB_ORIGIN_BYTES_MAX - 7));
        for (text, fault) in [
            ("https://app.example", None),
            ("https://app.example:8443", None),
            ("https://xn--bcher-kva.example", None),
            ("https://[2001:db8::1]", None),
            ("http://localhost", None),
            ("http://localhost:3000", None),
            ("http://127.0.0.1:3000", None),
            ("http://[::1]:3000", None),
            ("https://app.example:80", None),
            ("", Some(Scheme)),
            ("null", Some(Scheme)),
            ("*", Some(Scheme)),
            ("app.example", Some(Scheme)),
            ("//app.example", Some(Scheme)),
            ("ftp://app.example", Some(Scheme)),
            ("com.example.app://x", Some(Scheme)),
            ("HTTPS://app.example", Some(UpperCase)),
            ("https://App.example", Some(UpperCase)),
            ("https://app.example/", Some(Path)),
            ("https://app.example/x", Some(Path)),
            ("https://app.example?x", Some(Path)),
            ("https://app.example#x", Some(Path)),
            ("https://user@app.example", Some(Path)),
            ("https://app.example\\x", Some(Path)),
            ("https://", Some(Host)),
            ("https://*.app.example", Some(Host)),
            ("https://app.example.", Some(Host)),
            ("https://bücher.example", Some(Host)),
            ("https://app.example ", Some(Host)),
            ("https://app.example\n", Some(Host)),
            ("https://app.example:", Some(Port)),
            ("https://app.example:0443", Some(Port)),
            ("https://app.example:65536", Some(Port)),
            ("https://app.example:443", Some(DefaultPort)),
            ("http://localhost:80", Some(DefaultPort)),
            ("http://app.example", Some(HttpNotLoopback)),
            ("http://127.0.0.2", Some(HttpNotLoopback)),
            (&too_long, Some(TooLong(WEB_ORIGIN_BYTES_MAX + 1))),
        ] {
            assert_eq!(WebOrigin::parse(text).err().map(|error| error.fault), fault, "{text:?}");
        }
    }

    #[test]
    fn an_origin_matches_itself_and_on_this_machine_any_port_where_none_is_registered() {
        for (registered, origin, expected) in [
            ("https://app.example", "https://app.example", true),
            ("https://app.example", "https://app.example:8443", false),
            ("https://app.example", "http://app.example", false),
            ("https://app.example", "https://app.example.evil.example", false),
            ("https://app.example", "https://evil.app.example", false),
            ("https://app.example", "https://APP.example", false),
            ("https://app.example", "https://app.example/", false),
            ("https://app.example", "null", false),
            ("https://app.example", "", false),
            ("https://app.example:8443", "https://app.example", false),
            ("https://app.example:84", "https://app.example:8443", false),
            ("https://localhost", "https://localhost:3000", false),
            ("http://localhost", "http://localhost", true),
            ("http://localhost", "http://localhost:3000", true),
            ("http://localhost", "https://localhost:3000", false),
            ("http://localhost", "http://localhost:", false),
            ("http://localhost", "http://localhost:3000/", false),
            ("http://localhost", "http://localhost:3000@evil.example", false),
            ("http://localhost", "http://localhost.evil.example:3000", false),
            ("http://localhost", "http://localhost:3000.evil.example", false),
            ("http://localhost", "http://127.0.0.1:3000", false),
            ("http://localhost:3000", "http://localhost:3000", true),
            ("http://localhost:3000", "http://localhost:30001", false),
            ("http://localhost:3000", "http://localhost:3001", false),
            ("http://localhost:3000", "http://localhost", false),
            ("http://localhost:3000", "http://localhost:3000:1", false),
            ("http://[::1]", "http://[::1]:3000", true),
            ("http://[::1]:3000", "http://[::1]:3001", false),
        ] {
            assert_eq!(WebOrigin::parse(registered).unwrap().matches(origin), expected, "{registered} {origin}");
        }
    }
}
