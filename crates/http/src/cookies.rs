use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use regrant_engine::{BrowserCookies, Cookie, CookieChange};
use regrant_protocol::{Issuer, Secret};

/// The most cookies of one request that are looked at. Everything on the same host sends its own along.
const COOKIES_MAX: usize = 128;
/// The longest cookie value that is looked at, in bytes; ours are far shorter.
const COOKIE_VALUE_BYTES_MAX: usize = 256;

/// How cookies are written and read for an issuer: on https under `__Host-`, so that no other host and no plain-text
/// answer can set them (RFC 6265bis §4.1.3.2); on http, which is for loopback, without what browsers refuse there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CookieJar {
    Https,
    Http,
}

impl CookieJar {
    /// How cookies are written for this issuer. What the request says of its host or scheme does not count.
    pub(crate) fn of(issuer: &Issuer) -> Self {
        if issuer.as_str().starts_with("https://") { Self::Https } else { Self::Http }
    }

    /// The cookies of ours that a request carries.
    pub(crate) fn read(self, headers: &HeaderMap) -> BrowserCookies {
        let find = |cookie| self.find(headers, cookie).map(|value| Secret::new(value.to_owned()));
        BrowserCookies { browser: find(Cookie::Browser), session: find(Cookie::Session), known: find(Cookie::Known) }
    }

    /// The `Set-Cookie` of a change.
    pub(crate) fn write(self, change: &CookieChange) -> HeaderValue {
        let (cookie, value, max_age_seconds) = match change {
            CookieChange::Set { cookie, value, max_age_seconds } => (*cookie, value.expose(), *max_age_seconds),
            CookieChange::Clear(cookie) => (*cookie, "", 0),
        };
        let secure = match self {
            Self::Https => "; Secure",
            Self::Http => "",
        };
        // Lax: a client's link to /authorize carries them, a form of another site does not.
        let text =
            format!("{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}; Max-Age={max_age_seconds}", self.name(cookie));
        let mut header = HeaderValue::try_from(text).expect("a value has letters, digits, - and _ only");
        header.set_sensitive(true);
        header
    }

    /// The value of a cookie. One that comes twice is not believed: another path or host set one of them.
    fn find(self, headers: &HeaderMap, cookie: Cookie) -> Option<&str> {
        let name = self.name(cookie).as_bytes();
        let mut values = headers
            .get_all(COOKIE)
            .iter()
            .flat_map(|header| header.as_bytes().split(|&byte| byte == b';'))
            .take(COOKIES_MAX)
            .filter_map(|pair| pair.trim_ascii().strip_prefix(name)?.strip_prefix(b"="));
        let value = values.next()?;
        if values.next().is_some() || value.len() > COOKIE_VALUE_BYTES_MAX {
            return None;
        }
        str::from_utf8(value).ok().filter(|value| !value.is_empty())
    }

    fn name(self, cookie: Cookie) -> &'static str {
        match (self, cookie) {
            (Self::Https, Cookie::Browser) => "__Host-regrant-browser",
            (Self::Https, Cookie::Session) => "__Host-regrant-session",
            (Self::Https, Cookie::Known) => "__Host-regrant-known",
            (Self::Http, Cookie::Browser) => "regrant-browser",
            (Self::Http, Cookie::Session) => "regrant-session",
            (Self::Http, Cookie::Known) => "regrant-known",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(jar: CookieJar, cookies: &[&[u8]]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(COOKIE, HeaderValue::from_bytes(cookie).unwrap());
        }
        jar.read(&headers).session.map(|value| value.expose().to_owned())
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name_and_believed_once() {
        let long = format!("regrant-session={}", "x".repeat(COOKIE_VALUE_BYTES_MAX + 1));
        let many = format!("{}regrant-session=x", "a=b; ".repeat(COOKIES_MAX));
        let cases: [(&[&[u8]], Option<&str>); 16] = [
            (&[b"regrant-session=abc"], Some("abc")),
            (&[b"a=b; regrant-session=abc;c=d"], Some("abc")),
            (&[b"a=\xff\xfe; regrant-session=abc"], Some("abc")),
            (&[b"a=b", b"regrant-session=abc"], Some("abc")),
            (&[b"regrant-session=a=b"], Some("a=b")),
            (&[b"regrant-session=abc; regrant-session=abc"], None),
            (&[b"regrant-session=a", b"regrant-session=b"], None),
            (&[b"regrant-session="], None),
            (&[b"regrant-session"], None),
            (&[b"xregrant-session=abc"], None),
            (&[b"regrant-session2=abc"], None),
            (&[b"regrant-session=\xff"], None),
            (&[b"__Host-regrant-session=abc"], None),
            (&[long.as_bytes()], None),
            (&[many.as_bytes()], None),
            (&[], None),
        ];
        for (cookies, expected) in cases {
            assert_eq!(session(CookieJar::Http, cookies).as_deref(), expected, "{cookies:?}");
        }
    }

    #[test]
    fn on_https_only_a_cookie_with_the_host_prefix_counts() {
        let issuer = |text| CookieJar::of(&Issuer::parse(text).unwrap());
        let cookies: &[&[u8]] = &[b"__Host-regrant-session=good; regrant-session=planted"];
        assert_eq!(session(issuer("https://id.example"), cookies).as_deref(), Some("good"));
        assert_eq!(session(issuer("https://id.example"), &[b"regrant-session=planted"]), None);
        assert_eq!(session(issuer("http://127.0.0.1:8080"), cookies).as_deref(), Some("planted"));
    }

    #[test]
    fn a_cookie_has_what_its_prefix_asks_for() {
        let set =
            CookieChange::Set { cookie: Cookie::Known, value: Secret::new("a-_1".to_owned()), max_age_seconds: 60 };
        assert_eq!(
            CookieJar::Https.write(&set),
            "__Host-regrant-known=a-_1; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=60"
        );
        assert_eq!(CookieJar::Http.write(&set), "regrant-known=a-_1; Path=/; HttpOnly; SameSite=Lax; Max-Age=60");
        assert_eq!(
            CookieJar::Https.write(&CookieChange::Clear(Cookie::Session)),
            "__Host-regrant-session=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0"
        );
        assert!(CookieJar::Https.write(&set).is_sensitive());
    }
}
