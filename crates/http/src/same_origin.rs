use axum::http::header::ORIGIN;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use regrant_protocol::Issuer;

use crate::single_header::single;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a form may have been sent by a page of ours, as far as the browser tells.
///
/// `Sec-Fetch-Site` decides where it is sent: no script can change it. Where it is not (old browsers, plain http off
/// loopback), `Origin` does, which they send with every form; `null` is somebody's who hides. What sends neither is no
/// browser, or so old a one that the seal of the form must do, which is bound to cookies of ours.
pub(crate) fn is_same_origin(headers: &HeaderMap, issuer: &Issuer) -> bool {
    let (Ok(site), Ok(origin)) = (single(headers, &SEC_FETCH_SITE), single(headers, &ORIGIN)) else { return false };
    match (site, origin) {
        // `none` is the user's own doing, such as sending the form again from the history.
        (Some(site), _) => site == "same-origin" || site == "none",
        (None, Some(origin)) => is_ours(origin, issuer),
        (None, None) => true,
    }
}

/// Whether the browser says that a form was sent by another site, so that it left our cookies out. Where it only names an
/// origin, a neighbour of our site counts as another.
pub(crate) fn is_cross_site(headers: &HeaderMap, issuer: &Issuer) -> bool {
    match (single(headers, &SEC_FETCH_SITE), single(headers, &ORIGIN)) {
        (Ok(Some(site)), _) => site == "cross-site",
        (Ok(None), Ok(Some(origin))) => !is_ours(origin, issuer),
        (Ok(None), Ok(None) | Err(_)) | (Err(_), _) => false,
    }
}

fn is_ours(origin: &HeaderValue, issuer: &Issuer) -> bool {
    origin.as_bytes() == origin_of(issuer).as_bytes()
}

/// The origin of the issuer as browsers write it: lower case, without the port that goes without saying.
fn origin_of(issuer: &Issuer) -> String {
    let url = issuer.as_str();
    let origin = url.strip_suffix(issuer.path()).unwrap_or(url).to_ascii_lowercase();
    let implied_port = if origin.starts_with("https://") { ":443" } else { ":80" };
    origin.strip_suffix(implied_port).map_or_else(|| origin.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_of_another_origin_is_told_from_our_own() {
        let issuer = Issuer::parse("https://ID.example:443/t1").unwrap();
        for (headers, same_origin, cross_site) in [
            (&[("sec-fetch-site", "same-origin")][..], true, false),
            (&[("sec-fetch-site", "same-origin"), ("origin", "null")], true, false),
            (&[("sec-fetch-site", "none")], true, false),
            (&[("sec-fetch-site", "same-site")], false, false),
            (&[("sec-fetch-site", "same-site"), ("origin", "https://www.id.example")], false, false),
            (&[("sec-fetch-site", "cross-site")], false, true),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://id.example")], false, true),
            (&[("sec-fetch-site", "something-new")], false, false),
            (&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], false, false),
            (&[("origin", "https://id.example")], true, false),
            (&[("origin", "null")], false, true),
            (&[("origin", "https://id.example"), ("origin", "https://evil.example")], false, false),
            (&[("origin", "https://evil.example")], false, true),
            (&[("origin", "http://id.example")], false, true),
            (&[("origin", "https://id.example:8443")], false, true),
            (&[("origin", "https://id.example.evil.example")], false, true),
            (&[], true, false),
        ] {
            let mut map = HeaderMap::new();
            for &(name, value) in headers {
                map.append(name, HeaderValue::from_static(value));
            }
            let told = (is_same_origin(&map, &issuer), is_cross_site(&map, &issuer));
            assert_eq!(told, (same_origin, cross_site), "{headers:?}");
        }
    }

    #[test]
    fn the_origin_of_an_issuer_is_what_browsers_send() {
        for (issuer, origin) in [
            ("https://id.example", "https://id.example"),
            ("https://id.example/a/b", "https://id.example"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:80", "http://[::1]"),
            ("http://localhost:443", "http://localhost:443"),
        ] {
            assert_eq!(origin_of(&Issuer::parse(issuer).unwrap()), origin);
        }
    }
}
