use axum::http::HeaderValue;
use regrant_protocol::Secret;

use crate::target::form::agrees_with_the_form;

/// The reader of the crate `http`, which no other crate can see, compiled once more.
#[path = "../../../crates/http/src/dialect/multipart.rs"]
mod reader;

/// The fields of a multipart body stand in it as they are read, a second reader finds them, and a form that says so means the
/// same; what is read is read again when it is written as browsers write it.
///
/// The first line is the header `Content-Type`, the rest is the body.
pub(crate) fn run(data: &[u8]) {
    let Some(end) = data.iter().position(|&byte| byte == b'\n') else { return };
    let (kind, body) = (&data[..end], &data[end + 1..]);
    let Ok(kind) = HeaderValue::from_bytes(kind) else { return };
    let Some(boundary) = reader::boundary(&kind) else { return };
    assert!((1..=70).contains(&boundary.len()) && boundary.is_ascii(), "a boundary has its form");
    let Some(pairs) = reader::multipart_pairs(body, boundary) else { return };

    let parts = parts(body, boundary);
    assert!(pairs.len() <= parts.len(), "a part is one field at most");
    let mut parts = parts.into_iter();
    for (name, value) in &pairs {
        assert!(!value.expose().contains(&format!("\r\n--{boundary}")), "no value goes beyond its part");
        assert!(parts.any(|part| is_field(part, name, value)), "{name:?} is a part, in this order");
    }
    agrees_with_the_form(&pairs);
    comes_back(&pairs, boundary);
}

/// The parts as a second reader finds them.
fn parts<'a>(body: &'a [u8], boundary: &str) -> Vec<&'a [u8]> {
    let delimiter = format!("--{boundary}").into_bytes();
    let mut starts: Vec<usize> = (0..body.len())
        .filter(|&at| body[at..].starts_with(&delimiter) && (at == 0 || body[..at].ends_with(b"\r\n")))
        .collect();
    starts.push(body.len());
    starts.windows(2).map(|pair| &body[pair[0] + delimiter.len()..pair[1]]).collect()
}

/// Whether a part ends with this value behind an empty line, and names this name before it.
fn is_field(part: &[u8], name: &str, value: &Secret) -> bool {
    let tail = [b"\r\n\r\n", value.expose().as_bytes(), b"\r\n"].concat();
    let Some(head) = part.strip_suffix(tail.as_slice()) else { return false };
    head.windows(name.len().max(1)).any(|window| window == name.as_bytes()) || name.is_empty()
}

/// What was read is read again.
fn comes_back(pairs: &[(String, Secret)], boundary: &str) {
    let mut written = String::new();
    for (name, value) in pairs {
        assert!(!name.contains(['"', '\\', '\r', '\n']), "{name:?} ends where its header says");
        let value = value.expose();
        written += &format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    }
    written += &format!("--{boundary}--\r\n");
    assert_eq!(reader::multipart_pairs(written.as_bytes(), boundary).as_deref(), Some(pairs), "it means the same");
}
