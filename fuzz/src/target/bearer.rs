use regrant_protocol::{BearerError, BearerToken, FORM_BYTES_MAX, Params};

/// A bearer token is what follows `Bearer`, in one place only, and all of it is of RFC 6750 §2.1.
pub(crate) fn run(data: &[u8]) {
    let body = Params::parse(b"access_token=x").expect("a form");
    assert_eq!(BearerToken::find(Some(data), Some(&body)), Err(BearerError::TwoMethods), "never in two places");

    let read = BearerToken::parse(data);
    assert_eq!(BearerToken::find(Some(data), None), read);
    let scheme = data.split(|&byte| byte == b' ').next().expect("there is a first piece");
    let is_bearer = scheme.eq_ignore_ascii_case(b"bearer");
    assert_eq!(read == Err(BearerError::Missing), !is_bearer, "another scheme is no token at all (RFC 6750 §3.1)");
    let Ok(token) = read else { return };

    let text = token.expose();
    assert!(!text.is_empty());
    assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)), "{text:?}");
    assert_eq!(data[scheme.len()..].trim_ascii(), text.as_bytes(), "it is the rest of the header");
    assert_eq!(BearerToken::parse(format!("Bearer {text}").as_bytes()).as_ref(), Ok(&token));
    let form = format!("access_token={}", text.replace('+', "%2B"));
    // Written in a form it may be longer than a form may be.
    let body = match Params::parse(form.as_bytes()) {
        Err(_) if form.len() > FORM_BYTES_MAX => return,
        read => read.expect("a form"),
    };
    assert_eq!(BearerToken::find(None, Some(&body)), Ok(token), "in the body it is the same token");
}
