use axum::http::Uri;
use regrant_protocol::{WEB_ORIGIN_BYTES_MAX, WebOrigin};

/// What matches a registered origin is that origin, but for the port of this machine where none was registered.
///
/// The first line is registered; the second is what a browser sends, by itself and after the first.
pub(crate) fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let (registered, sent) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(origin) = WebOrigin::parse(registered) else { return };
    assert_eq!(origin.as_str(), registered, "it is kept as it was written");
    assert!(registered.len() <= WEB_ORIGIN_BYTES_MAX);
    assert!(!registered.bytes().any(|byte| byte.is_ascii_uppercase()), "{registered:?} is not what browsers send");
    let read = parts(registered);
    assert!(read.0 == "https" || ["127.0.0.1", "[::1]", "localhost"].contains(&read.1.as_str()), "{registered:?}");
    assert!(!matches!((read.0.as_str(), read.2), ("https", Some(443)) | ("http", Some(80))), "{registered:?}");

    assert!(origin.matches(registered), "an origin matches itself");
    for sent in [sent, &format!("{registered}{sent}")] {
        if sent == registered || !origin.matches(sent) {
            continue;
        }
        let (scheme, host, port) = parts(sent);
        assert_eq!((&scheme, &host, None), (&read.0, &read.1, read.2), "{sent:?} is not {registered:?}");
        assert!(scheme == "http" && port.is_some(), "{sent:?} is another origin than {registered:?}");
    }
}

/// Scheme, host and port for a second reader, to whom there must not be more.
fn parts(origin: &str) -> (String, String, Option<u16>) {
    let uri: Uri = origin.parse().unwrap_or_else(|error| panic!("{origin:?} is no URI: {error}"));
    let (scheme, authority) = (uri.scheme_str().expect("a scheme"), uri.authority().expect("a host"));
    assert_eq!(format!("{scheme}://{authority}"), origin, "there is nothing after the host");
    assert!(!authority.as_str().contains('@'), "{origin:?} has user information");
    (scheme.to_owned(), authority.host().to_owned(), authority.port_u16())
}
