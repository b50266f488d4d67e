use axum::http::HeaderValue;
use regrant_protocol::Secret;
use serde_json::{Map, Value};

/// What a list or an object is read as. No token, no code and no grant type is called that.
pub(super) const LIST: &str = "Array";

/// The longest boundary of a multipart form, in bytes (RFC 2046 §5.1.1).
const BOUNDARY_BYTES_MAX: usize = 70;

/// The pairs of a JSON object; `None` when it is none. Of two members of one name the last counts.
pub(super) fn json_pairs(body: &[u8]) -> Option<Vec<(String, Secret)>> {
    let members: Map<String, Value> = serde_json::from_slice(body).ok()?;
    Some(members.into_iter().map(|(name, value)| (name, Secret::new(text_of(value)))).collect())
}

/// A JSON value as the parameter that PHP takes it for.
fn text_of(value: Value) -> String {
    match value {
        Value::Null | Value::Bool(false) => String::new(),
        Value::Bool(true) => "1".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text,
        Value::Array(_) | Value::Object(_) => LIST.to_owned(),
    }
}

/// The boundary of a multipart form (RFC 7578 §4.1); `None` for another media type.
pub(super) fn boundary(content_type: &HeaderValue) -> Option<&str> {
    let mut parts = content_type.to_str().ok()?.split(';').map(str::trim);
    parts.next().filter(|kind| kind.eq_ignore_ascii_case("multipart/form-data"))?;
    let boundary = parts.find_map(|part| parameter(part, "boundary"))?;
    (1..=BOUNDARY_BYTES_MAX).contains(&boundary.len()).then_some(boundary)
}

/// The fields of a multipart form that are no files; `None` when it is cut off, or a field is not UTF-8.
pub(super) fn multipart_pairs(body: &[u8], boundary: &str) -> Option<Vec<(String, Secret)>> {
    let delimiter = [b"--", boundary.as_bytes()].concat();
    let mut rest = &body[find(body, &delimiter)? + delimiter.len()..];
    let mut pairs = Vec::new();
    while !rest.starts_with(b"--") {
        let head_ends = find(rest, b"\r\n\r\n")?;
        let after_head = &rest[head_ends + 4..];
        let end = find(after_head, &[b"\r\n", &*delimiter].concat())?;
        if let Some(name) = field_name(str::from_utf8(&rest[..head_ends]).ok()?) {
            pairs.push((name.to_owned(), Secret::new(str::from_utf8(&after_head[..end]).ok()?.to_owned())));
        }
        rest = &after_head[end + 2 + delimiter.len()..];
    }
    Some(pairs)
}

/// The name of the field that a part's header describes; `None` for a file.
fn field_name(head: &str) -> Option<&str> {
    let disposition = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    let mut parts = disposition.split(';').map(str::trim).skip(1);
    let is_file = parts.clone().any(|part| parameter(part, "filename").is_some());
    parts.find_map(|part| parameter(part, "name")).filter(|_| !is_file)
}

/// The value of `name="value"`, with or without quotes.
fn parameter<'a>(part: &'a str, name: &str) -> Option<&'a str> {
    let (own, value) = part.split_once('=')?;
    own.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pairs: Option<Vec<(String, Secret)>>) -> Option<String> {
        let shown = |(name, value): (String, Secret)| format!("{name}={}", value.expose());
        Some(pairs?.into_iter().map(shown).collect::<Vec<_>>().join("&"))
    }

    #[test]
    fn json_members_are_parameters() {
        let body = br#"{"a":"x","b":1,"c":true,"d":false,"e":null,"f":["y"],"g":{},"h":1,"h":2}"#;
        assert_eq!(shown(json_pairs(body)).as_deref(), Some("a=x&b=1&c=1&d=&e=&f=Array&g=Array&h=2"));
        for body in [&b""[..], b"[]", b"{", b"\xff", b"{}x"] {
            assert_eq!(shown(json_pairs(body)), None, "{}", body.escape_ascii());
        }
    }

    #[test]
    fn multipart_fields_are_parameters_and_files_are_not() {
        let kind = HeaderValue::from_static("Multipart/Form-Data; charset=utf-8; boundary=\"x-y\"");
        assert_eq!(boundary(&kind), Some("x-y"));
        let long = format!("multipart/form-data; boundary={}", "x".repeat(BOUNDARY_BYTES_MAX + 1));
        for kind in ["multipart/form-data", "multipart/form-data; boundary=", "text/plain; boundary=x", &long] {
            assert_eq!(boundary(&HeaderValue::try_from(kind).unwrap()), None, "{kind}");
        }
        let body = "preamble\r\n--x-y\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n2\r\n--x-y\r\n\
            Content-Type: text/plain\r\ncontent-disposition: form-data; name=f; filename=\"f.txt\"\r\n\r\nfile\r\n--x-y\r\n\
            Content-Disposition: form-data; name=b\r\n\r\n\r\n--x-y--\r\n";
        assert_eq!(shown(multipart_pairs(body.as_bytes(), "x-y")).as_deref(), Some("a=1\r\n2&b="));
        for end in [10, 30, 60, body.len() - 6] {
            assert_eq!(shown(multipart_pairs(&body.as_bytes()[..end], "x-y")), None, "{end}");
        }
    }
}
