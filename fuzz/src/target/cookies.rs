use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use regrant_engine::{BrowserCookies, Cookie, CookieChange};
use regrant_protocol::{Issuer, Secret};

/// The reader of the crate `http`, which no other crate can see, compiled once more.
#[path = "../../../crates/http/src/cookies.rs"]
mod jar;

use jar::CookieJar;

/// The most cookies of one request that are looked at.
const COOKIES_MAX: usize = 128;

/// A cookie is believed when it comes once, under the name of its issuer's scheme; what we set comes back.
///
/// Each line is a `Cookie` header.
pub(crate) fn run(data: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in data.split(|&byte| byte == b'\n') {
        let Ok(value) = HeaderValue::from_bytes(line) else { return };
        headers.append(COOKIE, value);
    }
    for (issuer, prefix) in [("https://id.example", "__Host-regrant-"), ("http://127.0.0.1", "regrant-")] {
        let jar = CookieJar::of(&Issuer::parse(issuer).expect("an issuer"));
        let BrowserCookies { browser, session, known } = jar.read(&headers);
        for (cookie, name, read) in [
            (Cookie::Browser, "browser", browser),
            (Cookie::Session, "session", session),
            (Cookie::Known, "known", known),
        ] {
            let Some(read) = read else { continue };
            let sent = sent(data, format!("{prefix}{name}=").as_bytes());
            assert_eq!(sent, [read.expose().as_bytes()], "one cookie of this name was sent");
            assert!(!read.expose().is_empty());
            comes_back(jar, cookie, read);
        }
    }
}

/// The values that a second reader finds behind `name` and its equals sign.
fn sent<'a>(data: &'a [u8], name: &[u8]) -> Vec<&'a [u8]> {
    data.split(|byte| b"\n;".contains(byte))
        .take(COOKIES_MAX)
        .map(<[u8]>::trim_ascii)
        .filter_map(|cookie| cookie.strip_prefix(name))
        .collect()
}

/// What a browser keeps of `Set-Cookie` is what we read again.
fn comes_back(jar: CookieJar, cookie: Cookie, value: Secret) {
    let set = jar.write(&CookieChange::Set { cookie, value: value.clone(), max_age_seconds: 60 });
    let kept = set.as_bytes().split(|&byte| byte == b';').next().expect("there is a first piece");
    let headers = HeaderMap::from_iter([(COOKIE, HeaderValue::from_bytes(kept).expect("it was in a header"))]);
    let read = jar.read(&headers);
    let read = match cookie {
        Cookie::Browser => read.browser,
        Cookie::Session => read.session,
        Cookie::Known => read.known,
    };
    assert_eq!(read, Some(value), "what was set comes back");
}
