//! Where the requests of one connection begin and end.

use super::chunks::{self, Chunks};
use super::head::{Framing, Head};
use super::refusal::Refusal;

/// Follows a connection's bytes from head to body to the next head.
#[derive(Debug, Default)]
pub struct Requests {
    part: Part,
}

/// What a stretch of bytes turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A part of a head that goes on.
    Head,
    /// A head up to its end.
    HeadEnd,
    /// A part of a body.
    Body,
}

impl Requests {
    /// Reads on, up to the end of `bytes`, of a head or of a body, and says what that was and how many bytes it has:
    /// at least one, unless `bytes` is empty.
    ///
    /// # Errors
    ///
    /// What is wrong with the request. Nothing may be fed afterwards.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(Found, usize), Refusal> {
        match &mut self.part {
            Part::Head(head) => {
                let Some((length, framing)) = head.feed(bytes)? else {
                    return Ok((Found::Head, bytes.len()));
                };
                self.part = match framing {
                    Framing::Length(0) => Part::default(),
                    Framing::Length(left) => Part::Body { left },
                    Framing::Chunked => Part::Chunks(Chunks::default()),
                };
                Ok((Found::HeadEnd, length))
            }
            Part::Body { left } => {
                let length = chunks::skip(left, bytes.len());
                if *left == 0 {
                    self.part = Part::default();
                }
                Ok((Found::Body, length))
            }
            Part::Chunks(chunks) => {
                let Some(length) = chunks.feed(bytes)? else {
                    return Ok((Found::Body, bytes.len()));
                };
                self.part = Part::default();
                Ok((Found::Body, length))
            }
        }
    }

    /// Whether the last request has been read to its end and nothing of a next one.
    pub fn is_between(&self) -> bool {
        matches!(&self.part, Part::Head(head) if head.is_untouched())
    }

    /// Whether the next byte belongs to a body.
    pub fn is_in_body(&self) -> bool {
        !matches!(self.part, Part::Head(_))
    }
}

#[derive(Debug)]
enum Part {
    Head(Head),
    Body { left: u64 },
    Chunks(Chunks),
}

impl Default for Part {
    fn default() -> Self {
        Self::Head(Head::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes that are heads, in brackets, and the refusal, if one ended it.
    fn marked(pieces: &[&[u8]]) -> String {
        let (mut requests, mut marked, mut in_head) = (Requests::default(), String::new(), false);
        for piece in pieces {
            let mut rest = *piece;
            while !rest.is_empty() {
                let (found, length) = match requests.feed(rest) {
                    Ok(found) => found,
                    Err(refusal) => return format!("{marked} {refusal:?}"),
                };
                if found != Found::Body && !in_head {
                    marked.push('[');
                }
                in_head = found == Found::Head;
                marked.push_str(str::from_utf8(&rest[..length]).unwrap());
                if found == Found::HeadEnd {
                    marked.push(']');
                }
                rest = &rest[length..];
            }
        }
        marked
    }

    #[test]
    fn pipelined_requests_are_told_apart_wherever_they_are_cut() {
        let input = "POST / HTTP/1.0\r\nContent-Length: 4\r\n\r\nGET POST / HTTP/1.1\r\nHost:\r\nTransfer-Encoding: chunked\r\n\r\n\
            3\r\nGET\r\n0\r\n\r\nGET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n";
        let expected = "[POST / HTTP/1.0\r\nContent-Length: 4\r\n\r\n]GET [POST / HTTP/1.1\r\nHost:\r\nTransfer-Encoding: chunked\r\n\r\n]\
            3\r\nGET\r\n0\r\n\r\n[GET / HTTP/1.0\r\n\r\n][GET / HTTP/1.0\r\n\r\n]";
        for cut in 0..=input.len() {
            let (first, second) = input.as_bytes().split_at(cut);
            assert_eq!(marked(&[first, second]), expected, "cut at {cut}");
        }
    }

    #[test]
    fn only_a_finished_request_leaves_the_connection_between_requests() {
        for (input, is_between, is_in_body) in [
            ("", true, false),
            ("\r\n", false, false),
            ("GET", false, false),
            ("GET / HTTP/1.0\r\n\r\n", true, false),
            ("GET / HTTP/1.0\r\nContent-Length: 1\r\n\r\n", false, true),
            ("GET / HTTP/1.1\r\nHost:\r\nTransfer-Encoding: chunked\r\n\r\n", false, true),
        ] {
            let mut requests = Requests::default();
            requests.feed(input.as_bytes()).unwrap();
            assert_eq!((requests.is_between(), requests.is_in_body()), (is_between, is_in_body), "{input:?}");
        }
    }
}
