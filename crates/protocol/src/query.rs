use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but the unreserved characters of RFC 3986 §2.3. A space becomes `%20`, which readers of forms and readers of
/// URIs understand alike.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `uri`, which has no fragment, with `parameters` after what its query already holds (RFC 6749 §3.1.2, Appendix B).
#[must_use]
pub fn with_query<'a>(uri: &str, parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut extended = uri.to_owned();
    for (name, value) in parameters {
        if !extended.contains('?') {
            extended.push('?');
        } else if !extended.ends_with(['?', '&']) {
            extended.push('&');
        }
        extended.push_str(name);
        extended.push('=');
        extended.extend(utf8_percent_encode(value, ENCODED));
    }
    extended
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6749_section_3_1_2_the_query_of_the_uri_is_kept() {
        for (uri, expected) in [
            ("https://c/cb", "https://c/cb?a=1&b=2"),
            ("https://c", "https://c?a=1&b=2"),
            ("https://c/cb?", "https://c/cb?a=1&b=2"),
            ("https://c/cb?k=v", "https://c/cb?k=v&a=1&b=2"),
            ("https://c/cb?k=%26v&", "https://c/cb?k=%26v&a=1&b=2"),
            ("com.example.app:/cb", "com.example.app:/cb?a=1&b=2"),
        ] {
            assert_eq!(with_query(uri, [("a", "1"), ("b", "2")]), expected);
        }
        assert_eq!(with_query("https://c/cb", []), "https://c/cb");
    }

    #[test]
    fn rfc6749_appendix_b_a_value_cannot_end_itself() {
        assert_eq!(
            with_query("https://c", [("state", "a&b=c#d+e f%\r\n\"<é\0~-._")]),
            "https://c?state=a%26b%3Dc%23d%2Be%20f%25%0D%0A%22%3C%C3%A9%00~-._"
        );
    }
}
