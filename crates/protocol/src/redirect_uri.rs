use std::fmt;
use std::sync::Arc;

use crate::authority::{Authority, AuthorityFault, parse_port};
use crate::text::serde_as_text;

/// The longest redirect URI that may be registered, in bytes.
pub const REDIRECT_URI_BYTES_MAX: usize = 2048;

/// The loopback origins whose port is left open: the system chooses it when a native app starts to listen (RFC 8252 §7.3).
const ANY_PORT: [&str; 2] = ["http://127.0.0.1", "http://[::1]"];

/// Where a browser may be sent back to, as it was registered: an absolute URI without a fragment (RFC 6749 §3.1.2) that is
/// `https`, `http` on this machine (RFC 9700 §2.6), or of a private-use scheme (RFC 8252 §7.1).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RedirectUri(Arc<str>);

/// A redirect URI that cannot be registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("redirect URI {uri:?} {fault}")]
pub struct RedirectUriError {
    /// The URI as it was written.
    pub uri: String,
    /// What is wrong with it.
    pub fault: RedirectUriFault,
}

/// Why a redirect URI cannot be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectUriFault {
    /// More than [`REDIRECT_URI_BYTES_MAX`].
    #[error("is {0} bytes long; the most is {REDIRECT_URI_BYTES_MAX}")]
    TooLong(usize),
    /// It has a fragment.
    #[error("has a fragment; leave out the # and what follows")]
    Fragment,
    /// A space, a control, a backslash, or anything else that RFC 3986 does not allow.
    #[error("contains {0:?}; percent-encode it, or write a host name in Punycode")]
    Character(char),
    /// A percent sign that encodes nothing.
    #[error("has a % that is not followed by two hexadecimal digits; write %25 for a percent sign")]
    Percent,
    /// No scheme, or one that is not in lower case.
    #[error("does not begin with a scheme in lower case, such as https:")]
    Scheme,
    /// A private-use scheme that could be anybody's.
    #[error(
        "has a private-use scheme without a dot; use a domain of yours in reverse, such as com.example.app:/callback"
    )]
    SchemeWithoutDot,
    /// A private-use scheme without a path.
    #[error("has no path after its private-use scheme; write it as com.example.app:/callback")]
    Path,
    /// A user name or a password before the host.
    #[error("has user information before its host; leave out the @ and what precedes it")]
    Userinfo,
    /// The host is missing or malformed.
    #[error("has no host, or one that is neither a name nor an IP address")]
    Host,
    /// The port is missing after its colon, or not one.
    #[error("has a port that is not a number from 1 to 65535")]
    Port,
    /// `http` on another machine.
    #[error("is http on another host than 127.0.0.1, [::1] or localhost; use https")]
    HttpNotLoopback,
}

impl RedirectUri {
    /// Accepts a URI that may be registered.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, RedirectUriError> {
        match check(text) {
            Ok(()) => Ok(Self(text.into())),
            Err(fault) => Err(RedirectUriError { uri: text.to_owned(), fault }),
        }
    }

    /// The URI as it was registered.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a request that names `presented` means this URI: byte for byte (RFC 9700 §4.1.3), but for the port of
    /// `http://127.0.0.1` and `http://[::1]`, which may be any or none (RFC 8252 §7.3).
    #[must_use]
    pub fn matches(&self, presented: &str) -> bool {
        presented == self.as_str()
            || ANY_PORT.iter().any(|origin| {
                let without_port = after_any_port(self.as_str(), origin);
                without_port.is_some() && without_port == after_any_port(presented, origin)
            })
    }

    /// The scheme, without its colon, in lower case.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.0.split_once(':').map_or("", |(scheme, _)| scheme)
    }

    /// Whether the scheme is one that an app claimed for itself, which proves nothing about who receives the redirect.
    #[must_use]
    pub fn is_private_use(&self) -> bool {
        !matches!(self.scheme(), "https" | "http")
    }

    /// Whether the browser is sent to a port of the machine that it runs on.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        // Registration admits `http` for no other host.
        self.scheme() == "http"
    }
}

/// What follows `origin` and its port in `uri`; `None` when `uri` does not begin so.
fn after_any_port<'a>(uri: &'a str, origin: &str) -> Option<&'a str> {
    let rest = uri.strip_prefix(origin)?;
    let Some(port_onwards) = rest.strip_prefix(':') else { return Some(rest) };
    let end = port_onwards.find(|character: char| !character.is_ascii_digit()).unwrap_or(port_onwards.len());
    let (port, rest) = port_onwards.split_at(end);
    parse_port(port).map(|_| rest)
}

fn check(text: &str) -> Result<(), RedirectUriFault> {
    if text.len() > REDIRECT_URI_BYTES_MAX {
        return Err(RedirectUriFault::TooLong(text.len()));
    }
    check_characters(text)?;
    let (scheme, rest) = text.split_once(':').ok_or(RedirectUriFault::Scheme)?;
    let scheme_is_valid = scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'-' | b'.'));
    if !scheme_is_valid {
        return Err(RedirectUriFault::Scheme);
    }
    let authority = rest.strip_prefix("//").and_then(|rest| rest.split(['/', '?']).next());
    let authority = authority.filter(|authority| !authority.is_empty()).map(Authority::parse);
    match (scheme, authority.transpose()?) {
        ("https", Some(_)) => Ok(()),
        ("http", Some(authority)) if authority.is_loopback() => Ok(()),
        ("http", Some(_)) => Err(RedirectUriFault::HttpNotLoopback),
        ("https" | "http", None) => Err(RedirectUriFault::Host),
        (private, _) if !private.contains('.') => Err(RedirectUriFault::SchemeWithoutDot),
        _ if !rest.starts_with('/') => Err(RedirectUriFault::Path),
        _ => Ok(()),
    }
}

fn check_characters(text: &str) -> Result<(), RedirectUriFault> {
    if text.contains('#') {
        return Err(RedirectUriFault::Fragment);
    }
    let allowed = |character: char| character.is_ascii_alphanumeric() || "-._~:/?[]@!$&'()*+,;=%".contains(character);
    if let Some(character) = text.chars().find(|&character| !allowed(character)) {
        return Err(RedirectUriFault::Character(character));
    }
    let encodes = |after_percent: &str| {
        after_percent.len() >= 2 && after_percent.bytes().take(2).all(|byte| byte.is_ascii_hexdigit())
    };
    if text.split('%').skip(1).all(encodes) { Ok(()) } else { Err(RedirectUriFault::Percent) }
}

impl From<AuthorityFault> for RedirectUriFault {
    fn from(fault: AuthorityFault) -> Self {
        match fault {
            AuthorityFault::Userinfo => Self::Userinfo,
            AuthorityFault::Host => Self::Host,
            AuthorityFault::Port => Self::Port,
        }
    }
}

serde_as_text!(RedirectUri);

impl fmt::Debug for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_registered() {
        let longest = format!("https://app.example/{}", "x".repeat(REDIRECT_URI_BYTES_MAX - 20));
        for (text, scheme, is_private_use, is_loopback) in [
            ("https://app.example/cb", "https", false, false),
            ("https://app.example", "https", false, false),
            ("https://app.example:8443/cb?a=%5Cb&c=d@e", "https", false, false),
            ("https://xn--bcher-kva.example/cb", "https", false, false),
            ("https://[2001:db8::1]:8443/cb", "https", false, false),
            ("https://127.0.0.1/cb", "https", false, false),
            ("http://127.0.0.1/cb", "http", false, true),
            ("http://127.0.0.1:8080?x", "http", false, true),
            ("http://[::1]/cb", "http", false, true),
            ("http://localhost:3000/cb", "http", false, true),
            ("com.example.app:/cb", "com.example.app", true, false),
            ("com.example.app://back/cb", "com.example.app", true, false),
            ("com.example.app:///cb", "com.example.app", true, false),
            (&longest, "https", false, false),
        ] {
            let uri = RedirectUri::parse(text).unwrap();
            let facts = (uri.as_str(), uri.scheme(), uri.is_private_use(), uri.is_loopback());
            assert_eq!(facts, (text, scheme, is_private_use, is_loopback));
            assert!(uri.matches(text), "{text}");
        }
    }

    #[test]
    fn what_may_not_be_registered() {
        use RedirectUriFault::{
            Character, Fragment, Host, HttpNotLoopback, Path, Percent, Port, Scheme, SchemeWithoutDot, TooLong,
            Userinfo,
        };
        let too_long = format!("https://app.example/{}", "x".repeat(REDIRECT_URI_BYTES_MAX - 19));
        for (text, fault) in [
            // RFC 6749 §3.1.2: absolute, no fragment.
            ("", Scheme),
            ("/cb", Scheme),
            ("//app.example/cb", Scheme),
            ("app.example/cb", Scheme),
            (":/cb", Scheme),
            ("HTTPS://app.example/cb", Scheme),
            ("1com.example:/cb", Scheme),
            ("https://app.example/cb#", Fragment),
            ("https://app.example/cb#x", Fragment),
            (&too_long, TooLong(REDIRECT_URI_BYTES_MAX + 1)),
            // What a parser may read in two ways.
            ("https://app.example/c b", Character(' ')),
            ("https://app.example/c\tb", Character('\t')),
            ("https://app.example/c\nb", Character('\n')),
            ("https://app.example/c\0b", Character('\0')),
            ("https://app.example\\cb", Character('\\')),
            ("https://bücher.example/cb", Character('ü')),
            ("https://app.example/\"", Character('"')),
            ("https://app.example/<", Character('<')),
            ("https://app.example/*{}", Character('{')),
            ("https://app.example/%", Percent),
            ("https://app.example/%4", Percent),
            ("https://app.example/%4g", Percent),
            ("https://app.example/%%41", Percent),
            ("https://user@app.example/cb", Userinfo),
            ("https://user:pass@app.example/cb", Userinfo),
            ("https://@app.example/cb", Userinfo),
            ("com.example.app://user@back/cb", Userinfo),
            ("https:///cb", Host),
            ("https://?x", Host),
            ("https:app.example/cb", Host),
            ("https:/app.example/cb", Host),
            ("https://app..example/cb", Host),
            ("https://app.example./cb", Host),
            ("https://app%2eexample/cb", Host),
            ("https://[::1/cb", Host),
            ("https://[::g]/cb", Host),
            ("https://[::1]x/cb", Host),
            ("https://*.app.example/cb", Host),
            ("https://app.example:/cb", Port),
            ("https://app.example:0/cb", Port),
            ("https://app.example:65536/cb", Port),
            ("https://app.example:+1/cb", Port),
            ("https://app.example:1:2/cb", Port),
            ("https://::1/cb", Host),
            // RFC 9700 §2.6: http for this machine alone.
            ("http://app.example/cb", HttpNotLoopback),
            ("http://127.0.0.2/cb", HttpNotLoopback),
            ("http://127.1/cb", HttpNotLoopback),
            ("http://0x7f.1/cb", HttpNotLoopback),
            ("http://127.0.0.1.evil.example/cb", HttpNotLoopback),
            ("http://localhost.evil.example/cb", HttpNotLoopback),
            ("http://LOCALHOST/cb", HttpNotLoopback),
            ("http://[::2]/cb", HttpNotLoopback),
            ("http:/cb", Host),
            // RFC 8252 §7.1: a private-use scheme is a domain in reverse.
            ("myapp:/cb", SchemeWithoutDot),
            ("javascript:alert(1)", SchemeWithoutDot),
            ("data:text/html,x", SchemeWithoutDot),
            ("urn:ietf:wg:oauth:2.0:oob", SchemeWithoutDot),
            ("ftp://app.example/cb", SchemeWithoutDot),
            ("com.example.app:cb", Path),
            ("com.example.app:", Path),
        ] {
            let error = RedirectUri::parse(text).unwrap_err();
            assert_eq!((error.uri.as_str(), error.fault), (text, fault), "{text:?}");
        }
    }

    #[test]
    fn the_error_names_the_uri_and_says_what_to_do() {
        assert_eq!(
            RedirectUri::parse("http://app.example/cb").unwrap_err().to_string(),
            r#"redirect URI "http://app.example/cb" is http on another host than 127.0.0.1, [::1] or localhost; use https"#
        );
    }
}
