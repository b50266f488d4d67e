use regrant_protocol::Issuer;

/// An issuer is kept as it was written, and can be taken apart and put together again.
pub(crate) fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let Ok(issuer) = Issuer::parse(text) else { return };
    assert_eq!(issuer.as_str(), text, "it is compared byte for byte");
    assert!(text.starts_with("https://") || text.starts_with("http://"));
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.contains(['?', '#', '"', '<', '>', '\\']));

    let path = issuer.path();
    let (scheme, rest) = text.split_once("://").expect("it begins with a scheme");
    let authority = rest.strip_suffix(path).expect("the path is its end");
    assert!(!authority.is_empty() && !authority.contains('/'), "{authority:?} is all before the path");
    assert!(path.is_empty() || path.starts_with('/') && !path.ends_with('/'), "{path:?}");
    assert_eq!(format!("{scheme}://{authority}{path}"), text);

    let endpoint = issuer.endpoint("/token");
    let below = Issuer::parse(&endpoint).expect("what lies below an issuer has its form");
    assert_eq!(below.path(), format!("{path}/token"));
}
