use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The path of one thing, such as `/clients/photos%20app`.
pub(super) fn of(things: &str, name: &str) -> String {
    format!("/{things}/{}", utf8_percent_encode(name, ENCODED))
}

/// `path` with a query of those parameters that have a value.
pub(super) fn with_query(path: &str, parameters: &[(&str, Option<String>)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// All but the unreserved characters of RFC 3986 §2.3.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_client_is_called_it_is_one_segment_of_a_path() {
        assert_eq!(of("clients", "photos app/../x?y#z%"), "/clients/photos%20app%2F..%2Fx%3Fy%23z%25");
        let query = [("user", Some("a&b=c".to_owned())), ("client", None), ("limit", Some("2".to_owned()))];
        assert_eq!(with_query("/grants", &query), "/grants?user=a%26b%3Dc&limit=2");
        assert_eq!(with_query("/grants", &[("user", None)]), "/grants");
    }
}
