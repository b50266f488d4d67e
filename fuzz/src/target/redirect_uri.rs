use axum::http::Uri;
use regrant_protocol::{REDIRECT_URI_BYTES_MAX, RedirectUri};

/// In how many places something is put into a registered URI.
const PLACES_MAX: usize = 64;

/// The only origins whose port is left open.
const OPEN_PORT: [&str; 2] = ["127.0.0.1", "[::1]"];

/// What matches a registered redirect URI leads where that leads, but for the port of a loopback address.
///
/// The first line is registered; the second is presented by itself, and put into the first wherever it fits.
pub(crate) fn run(data: &[u8]) {
    check(data, RedirectUri::matches);
}

/// Holds a way of comparing to the promises of a redirect URI.
pub(crate) fn check(data: &[u8], matches: impl Fn(&RedirectUri, &str) -> bool) {
    let Ok(text) = str::from_utf8(data) else { return };
    let (registered, presented) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(uri) = RedirectUri::parse(registered) else { return };
    is_fit_to_be_registered(&uri, registered);
    assert!(matches(&uri, registered), "a URI matches itself");

    let may_lead_to = |presented: &str| {
        if presented != registered && matches(&uri, presented) {
            differs_only_in_its_port(registered, presented);
        }
    };
    may_lead_to(presented);
    may_lead_to(&registered.to_ascii_uppercase());
    for at in (0..=registered.len()).step_by(registered.len() / PLACES_MAX + 1) {
        may_lead_to(&format!("{}{presented}{}", &registered[..at], &registered[at..]));
        may_lead_to(&format!("{}{presented}", &registered[..at]));
    }
}

fn is_fit_to_be_registered(uri: &RedirectUri, text: &str) {
    assert_eq!(uri.as_str(), text, "it is kept as it was written");
    assert!(text.len() <= REDIRECT_URI_BYTES_MAX);
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic() && !b"#\"<>\\^`{|}".contains(&byte)), "{text:?}");
    assert!(text.starts_with(&format!("{}:", uri.scheme())));
    if uri.is_private_use() {
        return assert!(!uri.is_loopback() && uri.scheme().contains('.'), "{text:?} could be anybody's");
    }
    let read: Uri = text.parse().unwrap_or_else(|error| panic!("{text:?} is a URI to nobody else: {error}"));
    let authority = read.authority().expect("a URI of https or http has a host");
    assert!(!authority.as_str().contains('@'), "{text:?} has user information");
    assert_eq!(read.scheme_str(), Some(uri.scheme()));
    assert_eq!(uri.is_loopback(), uri.scheme() == "http");
    assert!(!uri.is_loopback() || ["127.0.0.1", "[::1]", "localhost"].contains(&authority.host()), "{text:?}");
}

/// A second reader finds the same scheme, host, path and query in both.
fn differs_only_in_its_port(registered: &str, presented: &str) {
    let [registered_uri, presented_uri]: [Uri; 2] =
        [registered, presented].map(|text| text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}")));
    let parts = |uri: &Uri| {
        let (scheme, host) = (uri.scheme_str().map(str::to_owned), uri.host().map(str::to_owned));
        (scheme, host, uri.path().to_owned(), uri.query().map(str::to_owned))
    };
    assert_eq!(parts(&presented_uri), parts(&registered_uri), "{presented:?} leads elsewhere than {registered:?}");
    let authority = presented_uri.authority().expect("it has a host");
    assert!(!authority.as_str().contains('@') && !presented.contains('#'), "{presented:?}");
    let (scheme, host) = (presented_uri.scheme_str(), authority.host());
    assert!(scheme == Some("http") && OPEN_PORT.contains(&host), "the port of {registered:?} is not left open");
    let port = authority.as_str().strip_prefix(host).and_then(|after_host| after_host.strip_prefix(':'));
    assert_eq!(port.map(str::to_owned), authority.port_u16().map(|port| port.to_string()), "{presented:?} has no port");
}
