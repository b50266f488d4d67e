use axum::http::HeaderValue;
use regrant_protocol::Secret;

/// The longest boundary of a multipart form, in bytes (RFC 2046 §5.1.1).
const BOUNDARY_BYTES_MAX: usize = 70;

/// The boundary of a multipart form (RFC 7578 §4.1); `None` for another media type.
pub(super) fn boundary(content_type: &HeaderValue) -> Option<&str> {
    let header = content_type.to_str().ok().filter(|header| is_called(header, "multipart/form-data"))?;
    let boundary = only(&parameters(header)?, "boundary")?;
    let is_written_well = boundary.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte));
    let is_good = is_written_well && !boundary.ends_with(' ') && (1..=BOUNDARY_BYTES_MAX).contains(&boundary.len());
    is_good.then_some(boundary)
}

/// The fields of a multipart form that are no files; `None` when it is cut off, could be read in two ways, or a field is not UTF-8.
pub(super) fn multipart_pairs(body: &[u8], boundary: &str) -> Option<Vec<(String, Secret)>> {
    let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
    let mut rest = match body.strip_prefix(&delimiter[2..]) {
        Some(rest) => rest,
        None => split_at(body, &delimiter)?.1,
    };
    let mut pairs = Vec::new();
    loop {
        if let Some(end) = rest.strip_prefix(b"--") {
            return (end.trim_ascii_start().is_empty() || after_line(end).is_some()).then_some(pairs);
        }
        let (part, after) = split_at(after_line(rest)?, &delimiter)?;
        rest = after;
        // A part without a header is of no field.
        if part.starts_with(b"\r\n") {
            continue;
        }
        let (head, value) = split_at(part, b"\r\n\r\n")?;
        if let Part::Field(name) = part_of(str::from_utf8(head).ok()?)? {
            pairs.push((name.to_owned(), Secret::new(str::from_utf8(value).ok()?.to_owned())));
        }
    }
}

/// What a part is.
enum Part<'a> {
    /// A field of this name.
    Field(&'a str),
    /// A file, or something without a name.
    Other,
}

/// What the header of a part says that it is; `None` when it can be read in two ways.
fn part_of(head: &str) -> Option<Part<'_>> {
    let mut found = None;
    for line in head.split("\r\n") {
        let (name, value) = line.split_once(':').filter(|(name, _)| is_token(name))?;
        if value.contains(|character: char| character.is_control() && character != '\t') {
            return None;
        }
        if is_same(name, "content-disposition") && found.replace(value).is_some() {
            return None;
        }
    }
    let Some(disposition) = found else { return Some(Part::Other) };
    let parameters = parameters(disposition)?;
    let is_file = parameters.iter().any(|(name, _)| ["filename", "filename*"].iter().any(|file| is_same(name, file)));
    let has_name = parameters.iter().any(|(name, _)| is_same(name, "name"));
    if is_file || !has_name || !is_called(disposition, "form-data") {
        return Some(Part::Other);
    }
    only(&parameters, "name").map(Part::Field)
}

/// Whether a header begins with `value`, before its parameters.
fn is_called(header: &str, value: &str) -> bool {
    is_same(header.split(';').next().unwrap_or_default().trim(), value)
}

fn is_same(name: &str, other: &str) -> bool {
    name.eq_ignore_ascii_case(other)
}

/// The parameters of a header (RFC 2045 §5.1); `None` when they are written otherwise, or with escapes, which readers disagree on.
fn parameters(header: &str) -> Option<Vec<(&str, &str)>> {
    let mut rest = header.split_once(';').map_or("", |(_, rest)| rest).trim();
    let mut parameters = Vec::new();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => {
                let (value, after) = after.split_at(after.find(';').unwrap_or(after.len()));
                (value.trim_end(), after)
            }
        };
        if !is_token(name) || value.contains(['"', '\\']) {
            return None;
        }
        parameters.push((name, value));
        let after = after.trim_start();
        rest = if after.is_empty() { after } else { after.strip_prefix(';')?.trim_start() };
    }
    Some(parameters)
}

/// Whether nothing but letters, digits, hyphens, underscores and stars is in a name.
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_*".contains(&byte))
}

/// The value of the parameter `name`, when it comes once.
fn only<'a>(parameters: &[(&str, &'a str)], name: &str) -> Option<&'a str> {
    let mut values = parameters.iter().filter(|(own, _)| is_same(own, name)).map(|(_, value)| *value);
    values.next().filter(|_| values.next().is_none())
}

/// What follows a line that has nothing but blanks.
fn after_line(bytes: &[u8]) -> Option<&[u8]> {
    let blanks = bytes.iter().take_while(|byte| b" \t".contains(byte)).count();
    bytes[blanks..].strip_prefix(b"\r\n")
}

/// What stands before `needle`, and what behind it.
fn split_at<'a>(haystack: &'a [u8], needle: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = haystack.windows(needle.len()).position(|window| window == needle)?;
    Some((&haystack[..at], &haystack[at + needle.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pairs: Option<Vec<(String, Secret)>>) -> Option<String> {
        let shown = |(name, value): (String, Secret)| format!("{name}={}", value.expose());
        Some(pairs?.into_iter().map(shown).collect::<Vec<_>>().join("&"))
    }

    #[test]
    fn a_boundary_is_read_where_it_comes_once() {
        let long = format!("multipart/form-data; boundary={}", "x".repeat(BOUNDARY_BYTES_MAX + 1));
        for (kind, expected) in [
            ("Multipart/Form-Data; charset=utf-8; boundary=\"x-y\"", Some("x-y")),
            ("multipart/form-data;boundary=----WebKit1 ;", Some("----WebKit1")),
            ("multipart/form-data; a=\"; boundary=z\"; boundary=x", Some("x")),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data; boundary=x; boundary=y", None),
            ("multipart/form-data; boundary=\"x", None),
            ("multipart/form-data; boundary=\"x\\y\"", None),
            ("multipart/form-data; boundary=x;y", None),
            ("text/plain; boundary=x", None),
            (&long, None),
        ] {
            assert_eq!(boundary(&HeaderValue::try_from(kind).unwrap()), expected, "{kind}");
        }
    }

    #[test]
    fn multipart_fields_are_parameters_and_files_are_not() {
        let body = "preamble\r\n--x-y \r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n2\r\n--x-y\r\n\
            Content-Type: text/plain\r\ncontent-disposition: form-data; name=f; filename=\"f.txt\"\r\n\r\nfile\r\n--x-y\r\n\
            \r\nwithout a header\r\n--x-y\r\n\
            Content-Disposition: form-data; name=b\r\n\r\n\r\n--x-y\r\n\
            Content-Disposition: form-data; name=\"c; filename=d\"\r\n\r\n3\r\n--x-y--\r\n";
        assert_eq!(shown(multipart_pairs(body.as_bytes(), "x-y")).as_deref(), Some("a=1\r\n2&b=&c; filename=d=3"));
        for end in [10, 30, 60, body.len() - 6] {
            assert_eq!(shown(multipart_pairs(&body.as_bytes()[..end], "x-y")), None, "{end}");
        }
    }

    #[test]
    fn what_two_readers_could_read_in_two_ways_is_not_read() {
        let part = |head: &str| format!("--b\r\n{head}\r\n\r\n1\r\n--b--");
        let field = "Content-Disposition: form-data; name=";
        assert_eq!(shown(multipart_pairs(part(&format!("{field}a")).as_bytes(), "b")).as_deref(), Some("a=1"));
        for body in [
            part(&format!("{field}a\r\n{field}c")),
            part(&format!("{field}a; name=c")),
            part(&format!("{field}\"a\\\"c\"")),
            part(&format!("{field}\"a")),
            part(&format!("{field}\"a\"c")),
            format!("--b\r\n{field}a\r\n\r\n1\r\n--bc\r\n{field}d\r\n\r\n2\r\n--b--"),
            format!("--b\r\n{field}a\r\n\r\n1\r\n--b--c"),
            format!("--b\n{field}a\n\n1\n--b--"),
            format!("--b\r\n{}", part(&format!("{field}a"))),
            part(&format!("{field}\"a\nb\"")),
            part("Content-Disposition: form-data;\r\n name=\"a:b\""),
            part(&format!("{field}a\r\nContent-Disposition : form-data; name=c")),
            format!("x--b\r\n{field}a\r\n\r\n1\r\n"),
            "--b\r\nContent-Disposition\r\n--b--".to_owned(),
        ] {
            assert_eq!(shown(multipart_pairs(body.as_bytes(), "b")), None, "{body}");
        }
    }
}
