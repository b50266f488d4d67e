use std::borrow::Cow;

/// The longest answer that is read, head and body, in bytes.
pub const ANSWER_BYTES_MAX: usize = 256 * 1024;

const HEADERS_MAX: usize = 64;

/// One answer of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// The status code.
    pub status: u16,
    /// Whether there is a `Retry-After`.
    pub says_when_to_retry: bool,
    /// Whether the connection takes another request.
    pub stays_open: bool,
    /// The body, without the marks of chunks.
    pub body: Cow<'a, [u8]>,
}

/// What arrived is no HTTP/1.1 answer that this client understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The head cannot be read.
    #[error("its head is not HTTP/1.1")]
    Head,
    /// Nobody could tell where it ends.
    #[error("it has neither Content-Length nor chunks")]
    Length,
    /// The chunks do not follow each other.
    #[error("its chunks cannot be read")]
    Chunks,
    /// There is more than [`ANSWER_BYTES_MAX`], or something behind its end.
    #[error("it is too long")]
    TooLong,
}

impl<'a> Answer<'a> {
    /// The answer whose bytes so far are `bytes`; `None` while some of it is missing.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn read(bytes: &'a [u8]) -> Result<Option<Self>, Malformed> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut head = httparse::Response::new(&mut headers);
        let head_bytes = match head.parse(bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) if bytes.len() < ANSWER_BYTES_MAX => return Ok(None),
            Ok(httparse::Status::Partial) => return Err(Malformed::TooLong),
            Err(_) => return Err(Malformed::Head),
        };
        let status = head.code.ok_or(Malformed::Head)?;
        let header = |name: &str| head.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        let says = |name: &str, word: &[u8]| header(name).is_some_and(|found| found.value.eq_ignore_ascii_case(word));
        let rest = &bytes[head_bytes..];
        let body = if says("transfer-encoding", b"chunked") {
            unchunked(rest)?.map(Cow::Owned)
        } else if let Some(length) = header("content-length") {
            let length = str::from_utf8(length.value).ok().and_then(|text| text.trim().parse::<usize>().ok());
            let length = length.ok_or(Malformed::Length)?;
            if length > ANSWER_BYTES_MAX || rest.len() > length {
                return Err(Malformed::TooLong);
            }
            (rest.len() == length).then_some(Cow::Borrowed(rest))
        } else if status == 204 || status == 304 {
            Some(Cow::Borrowed(&rest[..0]))
        } else {
            return Err(Malformed::Length);
        };
        let stays_open = !says("connection", b"close");
        let says_when_to_retry = header("retry-after").is_some();
        Ok(body.map(|body| Self { status, says_when_to_retry, stays_open, body }))
    }
}

/// The bytes inside chunks (RFC 9112 §7.1); `None` while some are missing.
fn unchunked(mut rest: &[u8]) -> Result<Option<Vec<u8>>, Malformed> {
    let mut body = Vec::new();
    loop {
        let (line, size) = match httparse::parse_chunk_size(rest) {
            Ok(httparse::Status::Complete((line, size))) => (line, size),
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(Malformed::Chunks),
        };
        let size = usize::try_from(size).ok().filter(|size| body.len() + size <= ANSWER_BYTES_MAX);
        let size = size.ok_or(Malformed::TooLong)?;
        rest = &rest[line..];
        let Some((chunk, behind)) = rest.split_at_checked(size) else { return Ok(None) };
        body.extend_from_slice(chunk);
        rest = match behind {
            [b'\r', b'\n', behind @ ..] => behind,
            // Trailers are of no use here, and nobody sends them unasked.
            [] | [b'\r'] => return Ok(None),
            _ => return Err(Malformed::Chunks),
        };
        if size == 0 {
            return if rest.is_empty() { Ok(Some(body)) } else { Err(Malformed::TooLong) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Status and body; `None` while some is missing.
    type Read<'a> = Result<Option<(u16, &'a str)>, Malformed>;

    #[test]
    fn an_answer_ends_where_its_head_says() {
        let cases: &[(&str, Read<'_>)] = &[
            ("", Ok(None)),
            ("HTTP/1.1 200 OK\r\n", Ok(None)),
            ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n", Ok(None)),
            ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{", Ok(None)),
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", Ok(Some((200, "{}")))),
            ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}x", Err(Malformed::TooLong)),
            ("HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", Err(Malformed::Length)),
            ("HTTP/1.1 200 OK\r\ncontent-length: 999999999\r\n\r\n", Err(Malformed::TooLong)),
            ("HTTP/1.1 204 No Content\r\n\r\n", Ok(Some((204, "")))),
            ("HTTP/1.1 200 OK\r\n\r\n", Err(Malformed::Length)),
            ("HTTP/1.1 400 Bad Request\r\ntransfer-encoding: chunked\r\n\r\n", Ok(None)),
            ("HTTP/1.1 400 Bad Request\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{", Ok(None)),
            ("HTTP/1.1 400 Bad Request\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n", Ok(None)),
            (
                "HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
                Ok(Some((400, "{}"))),
            ),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{}", Err(Malformed::Chunks)),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffff\r\n", Err(Malformed::TooLong)),
            ("SSH-2.0-OpenSSH\r\n", Err(Malformed::Head)),
        ];
        for (text, expected) in cases {
            let read = Answer::read(text.as_bytes());
            let found =
                read.map(|read| read.map(|read| (read.status, String::from_utf8(read.body.into_owned()).unwrap())));
            assert_eq!(found, expected.map(|read| read.map(|(status, body)| (status, body.to_owned()))), "{text:?}");
        }
    }

    #[test]
    fn what_else_the_head_says_is_heard() {
        for (headers, says_when_to_retry, stays_open) in [
            ("", false, true),
            ("Retry-After: 1\r\n", true, true),
            ("Connection: close\r\n", false, false),
            ("connection: keep-alive\r\n", false, true),
        ] {
            let text = format!("HTTP/1.1 503 Busy\r\n{headers}content-length: 0\r\n\r\n");
            let answer = Answer::read(text.as_bytes()).unwrap().unwrap();
            assert_eq!((answer.says_when_to_retry, answer.stays_open), (says_when_to_retry, stays_open), "{headers}");
        }
    }
}
