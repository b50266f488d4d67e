//! The head of a request, read byte by byte and without leniency.
//!
//! Two parsers that disagree about where a request ends are how requests are smuggled. What RFC 9112 lets a recipient
//! repair, and hyper does repair (a bare LF, equal lengths twice, `Transfer-Encoding` beside `Content-Length`), is
//! refused here, so that hyper only ever sees heads that have one reading.

use super::refusal::Refusal;

/// The longest request target that is read, in bytes.
pub const TARGET_BYTES_MAX: usize = 8 * 1024;

/// The longest header block that is read: all field lines with their line ends, in bytes.
pub const HEADER_BYTES_MAX: usize = 16 * 1024;

/// The most field lines that one head may have.
pub const HEADERS_MAX: usize = 64;

/// The longest method that is read, in bytes.
pub const METHOD_BYTES_MAX: usize = 16;

/// How the body after a head is delimited (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// So many bytes; 0 where the head announces no body.
    Length(u64),
    /// Chunks, up to the last one.
    Chunked,
}

/// The reader of one head. It keeps a few counters and no bytes of the head but one short word.
#[derive(Debug, Default)]
pub struct Head {
    state: State,
    empty_line_seen: bool,
    /// Length so far of the part that is being read: method, target or header block.
    part_bytes: usize,
    headers: usize,
    word: Word,
    is_http_1_0: bool,
    hosts: usize,
    content_length: Option<u64>,
    is_chunked: bool,
}

impl Head {
    /// Reads on. `None` says that all of `bytes` belongs to a head that goes on; otherwise the head ended after
    /// so many bytes. Where the bytes are cut makes no difference to the outcome.
    ///
    /// # Errors
    ///
    /// What is wrong with the head, as soon as it is seen. Nothing may be fed afterwards.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Option<(usize, Framing)>, Refusal> {
        let mut index = 0;
        while let Some(&byte) = bytes.get(index) {
            if let State::Value(Header::Other) = self.state {
                // Most of a head is values that say nothing about framing.
                let run = bytes[index..].iter().take_while(|&&byte| is_value(byte)).count();
                if run > 0 {
                    self.count(run, HEADER_BYTES_MAX, Refusal::HeadersTooLarge)?;
                    index += run;
                    continue;
                }
            }
            index += 1;
            self.state = self.next(byte)?;
            if matches!(self.state, State::Ended) {
                return Ok(Some((index, self.framing()?)));
            }
        }
        Ok(None)
    }

    /// Whether nothing has been fed yet.
    pub fn is_untouched(&self) -> bool {
        matches!(self.state, State::Start) && !self.empty_line_seen
    }

    #[inline]
    fn next(&mut self, byte: u8) -> Result<State, Refusal> {
        Ok(match (self.state, byte) {
            // RFC 9112 §2.2: an empty line before the request line is ignored; one is enough.
            (State::Start, b'\r') if !self.empty_line_seen => State::LineFeed(Line::Empty),
            (State::Start | State::Method, _) if is_token(byte) => {
                self.count(1, METHOD_BYTES_MAX, Refusal::RequestLine)?;
                State::Method
            }
            (State::Method, b' ') => {
                self.part_bytes = 0;
                State::Target
            }
            (State::Target, b'!'..=b'~') => {
                self.count(1, TARGET_BYTES_MAX, Refusal::TargetTooLong)?;
                State::Target
            }
            (State::Target, b' ') if self.part_bytes > 0 => State::Version(0),
            (State::Version(matched), _) if VERSION_STEM.get(usize::from(matched)) == Some(&byte) => {
                State::Version(matched + 1)
            }
            (State::Version(VERSION_STEM_BYTES), b'0' | b'1') => {
                self.is_http_1_0 = byte == b'0';
                State::VersionEnd
            }
            (State::VersionEnd, b'\r') => {
                self.part_bytes = 0;
                State::LineFeed(Line::Request)
            }
            (State::LineFeed(Line::Empty), b'\n') => {
                self.empty_line_seen = true;
                State::Start
            }
            (State::LineFeed(Line::Request), b'\n') => State::LineStart,
            (State::LineFeed(Line::Header), b'\n') => {
                self.count_header_byte()?;
                State::LineStart
            }
            (State::LineFeed(Line::Last), b'\n') => State::Ended,
            (State::LineStart, b'\r') => State::LineFeed(Line::Last),
            (State::LineStart, b' ' | b'\t') => return Err(Refusal::FoldedHeader),
            (State::LineStart, _) if is_token(byte) => {
                self.count_header_byte()?;
                self.headers += 1;
                if self.headers > HEADERS_MAX {
                    return Err(Refusal::TooManyHeaders);
                }
                self.word = Word::default();
                self.word.push(byte);
                State::Name
            }
            (State::Name, b':') => {
                self.count_header_byte()?;
                State::Value(self.header_named()?)
            }
            (State::Name, _) if is_token(byte) => {
                self.count_header_byte()?;
                self.word.push(byte);
                State::Name
            }
            (State::Value(header), b'\r') => {
                self.count_header_byte()?;
                self.end_value(header)?;
                State::LineFeed(Line::Header)
            }
            (State::Value(header), _) if is_value(byte) => {
                self.count_header_byte()?;
                self.word.push(byte);
                State::Value(header)
            }
            (state, _) => return Err(refusal_of(state, byte)),
        })
    }

    fn count(&mut self, bytes: usize, bytes_max: usize, beyond: Refusal) -> Result<(), Refusal> {
        self.part_bytes += bytes;
        if self.part_bytes > bytes_max { Err(beyond) } else { Ok(()) }
    }

    fn count_header_byte(&mut self) -> Result<(), Refusal> {
        self.count(1, HEADER_BYTES_MAX, Refusal::HeadersTooLarge)
    }

    /// Which header the word before the colon names, and that it may stand here (again).
    fn header_named(&mut self) -> Result<Header, Refusal> {
        let header = match self.word.as_bytes() {
            Some(b"content-length") => Header::ContentLength,
            Some(b"transfer-encoding") => Header::TransferEncoding,
            Some(b"host") => {
                self.hosts += 1;
                Header::Other
            }
            Some(_) | None => Header::Other,
        };
        self.word = Word::default();
        match header {
            Header::ContentLength if self.content_length.is_some() => Err(Refusal::RepeatedContentLength),
            Header::TransferEncoding if self.is_chunked => Err(Refusal::TransferEncoding),
            Header::ContentLength | Header::TransferEncoding | Header::Other => Ok(header),
        }
    }

    fn end_value(&mut self, header: Header) -> Result<(), Refusal> {
        match header {
            Header::Other => {}
            Header::ContentLength => {
                let length = self.word.as_bytes().and_then(decimal);
                self.content_length = Some(length.ok_or(Refusal::ContentLength)?);
            }
            // The only coding that delimits a body and that we can undo.
            Header::TransferEncoding if self.word.as_bytes() == Some(b"chunked") => self.is_chunked = true,
            Header::TransferEncoding => return Err(Refusal::TransferEncoding),
        }
        Ok(())
    }

    fn framing(&self) -> Result<Framing, Refusal> {
        // RFC 9112 §3.2: exactly one Host in HTTP/1.1, whatever it says.
        if self.hosts > 1 || (self.hosts == 0 && !self.is_http_1_0) {
            return Err(Refusal::Host);
        }
        match (self.is_chunked, self.content_length) {
            (true, Some(_)) => Err(Refusal::LengthAndEncoding),
            // RFC 9112 §6.1: HTTP/1.0 has no transfer codings.
            (true, None) if self.is_http_1_0 => Err(Refusal::TransferEncoding),
            (true, None) => Ok(Framing::Chunked),
            (false, length) => Ok(Framing::Length(length.unwrap_or(0))),
        }
    }
}

/// Where in the head the next byte stands.
#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Start,
    Method,
    Target,
    /// So many bytes of [`VERSION_STEM`] were read.
    Version(u8),
    VersionEnd,
    LineStart,
    Name,
    Value(Header),
    /// A CR was read at the end of this line.
    LineFeed(Line),
    Ended,
}

#[derive(Clone, Copy, Debug)]
enum Line {
    Empty,
    Request,
    Header,
    Last,
}

#[derive(Clone, Copy, Debug)]
enum Header {
    ContentLength,
    TransferEncoding,
    Other,
}

/// The start of a name or value in lower case: enough to know the few that matter.
#[derive(Debug, Default)]
struct Word {
    bytes: [u8; WORD_BYTES_MAX],
    length: usize,
}

impl Word {
    fn push(&mut self, byte: u8) {
        if let Some(free) = self.bytes.get_mut(self.length) {
            *free = byte.to_ascii_lowercase();
        }
        self.length += 1;
    }

    /// The word without surrounding white space; `None` if it is longer than any that matters.
    fn as_bytes(&self) -> Option<&[u8]> {
        self.bytes.get(..self.length).map(<[u8]>::trim_ascii)
    }
}

/// RFC 9110 §8.6: digits and nothing else. `str::parse` would take a sign.
fn decimal(digits: &[u8]) -> Option<u64> {
    let is_number = digits.iter().all(u8::is_ascii_digit);
    str::from_utf8(digits).ok().filter(|_| is_number)?.parse().ok()
}

/// RFC 9110 §5.6.2.
fn is_token(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*'
        | b'+' | b'.' | b'^' | b'`' | b'|' | b'~')
}

/// RFC 9110 §5.5, with the white space around and within.
fn is_value(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

/// What is wrong with a byte that has no place in `state`.
fn refusal_of(state: State, byte: u8) -> Refusal {
    match (state, byte) {
        (_, b'\n') | (State::LineFeed(_), _) => Refusal::LineEnd,
        (State::Start | State::Method | State::Target | State::Version(_) | State::VersionEnd, b'\r' | b' '..=b'~') => {
            Refusal::RequestLine
        }
        (State::LineStart | State::Name, b'\r' | b' '..=b'~') => Refusal::HeaderName,
        (_, _) => Refusal::ForbiddenByte,
    }
}

const VERSION_STEM: &[u8] = b"HTTP/1.";
const VERSION_STEM_BYTES: u8 = 7;
/// Holds `transfer-encoding` and any 64-bit number.
const WORD_BYTES_MAX: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `input` in two pieces, cut at every position, and expects one outcome: the length of the head and its
    /// framing, or the refusal.
    fn outcome(input: &[u8]) -> Result<Option<(usize, Framing)>, Refusal> {
        let whole = Head::default().feed(input);
        for cut in 0..=input.len() {
            let (first, second) = input.split_at(cut);
            let mut head = Head::default();
            let in_two = match head.feed(first) {
                Ok(None) => head.feed(second).map(|end| end.map(|(bytes, framing)| (cut + bytes, framing))),
                ended => ended,
            };
            assert_eq!(in_two, whole, "cut at {cut}: {}", input.escape_ascii());
        }
        whole
    }

    #[test]
    fn a_head_ends_at_its_empty_line_and_says_how_its_body_is_delimited() {
        for (head, framing) in [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", Framing::Length(0)),
            ("\r\nGET / HTTP/1.1\r\nHost:\r\n\r\n", Framing::Length(0)),
            ("GET / HTTP/1.0\r\n\r\n", Framing::Length(0)),
            ("POST /t?a=b HTTP/1.1\r\nhost: a\r\ncontent-length: 12\r\n\r\n", Framing::Length(12)),
            ("POST / HTTP/1.1\r\nHOST: a\r\nCONTENT-LENGTH:\t 007 \t\r\n\r\n", Framing::Length(7)),
            ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n", Framing::Chunked),
            (
                "GET / HTTP/1.1\r\nHost: a\r\nX-Content-Length: 5\r\nUser-Agent: caf\u{e9} (x; y)\r\n\r\n",
                Framing::Length(0),
            ),
        ] {
            assert_eq!(outcome(head.as_bytes()), Ok(Some((head.len(), framing))), "{head:?}");
            let followed = format!("{head}GET");
            assert_eq!(outcome(followed.as_bytes()), Ok(Some((head.len(), framing))), "{followed:?}");
            assert_eq!(outcome(&head.as_bytes()[..head.len() - 1]), Ok(None), "{head:?} less one byte");
        }
    }

    #[test]
    fn a_head_with_two_readings_is_refused() {
        for (lines, refusal) in [
            (
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                Refusal::LengthAndEncoding,
            ),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
                Refusal::LengthAndEncoding,
            ),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\ncontent-length: 1\r\n\r\n",
                Refusal::RepeatedContentLength,
            ),
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n", Refusal::ContentLength),
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", Refusal::ContentLength),
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 1\r\n\r\n", Refusal::ContentLength),
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", Refusal::ContentLength),
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\n", Refusal::ContentLength),
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0000000000000000000000001\r\n\r\n", Refusal::ContentLength),
            ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", Refusal::TransferEncoding),
            ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", Refusal::TransferEncoding),
            ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n", Refusal::TransferEncoding),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
                Refusal::TransferEncoding,
            ),
            ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", Refusal::TransferEncoding),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", Refusal::FoldedHeader),
            ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", Refusal::FoldedHeader),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n\tb\r\n\r\n", Refusal::FoldedHeader),
            ("GET / HTTP/1.1\nHost: a\r\n\r\n", Refusal::LineEnd),
            ("GET / HTTP/1.1\r\nHost: a\n\r\n", Refusal::LineEnd),
            ("GET / HTTP/1.1\r\nHost: a\r\n\n", Refusal::LineEnd),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", Refusal::LineEnd),
            ("GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", Refusal::LineEnd),
            ("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::LineEnd),
            ("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::RequestLine),
            ("G\0T / HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::ForbiddenByte),
            ("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::ForbiddenByte),
            ("GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::ForbiddenByte),
            ("GET / HTTP/1.1\r\nHo\0st: a\r\n\r\n", Refusal::ForbiddenByte),
            ("GET / HTTP/1.1\r\nHost: a\0\r\n\r\n", Refusal::ForbiddenByte),
            ("GET / HTTP/1.1\r\nHost: a\x7f\r\n\r\n", Refusal::ForbiddenByte),
            ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", Refusal::HeaderName),
            ("GET / HTTP/1.1\r\nHost\r\n\r\n", Refusal::HeaderName),
            ("GET / HTTP/1.1\r\n: a\r\n\r\n", Refusal::HeaderName),
            ("GET / HTTP/1.1\r\nHo(st: a\r\n\r\n", Refusal::HeaderName),
            ("GET / HTTP/1.1\r\nAccept: a\r\n\r\n", Refusal::Host),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", Refusal::Host),
            ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::RequestLine),
            ("GET /  HTTP/1.1\r\nHost: a\r\n\r\n", Refusal::RequestLine),
            ("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", Refusal::RequestLine),
            ("GET /\r\n", Refusal::RequestLine),
            ("GET / HTTP/2.0\r\n\r\n", Refusal::RequestLine),
            ("GET / http/1.1\r\n\r\n", Refusal::RequestLine),
            ("\u{16}\u{3}\u{1}", Refusal::ForbiddenByte),
        ] {
            assert_eq!(outcome(lines.as_bytes()), Err(refusal), "{lines:?}");
        }
    }

    #[test]
    fn each_bound_holds_to_the_byte() {
        let method = |bytes| format!("{} / HTTP/1.0\r\n\r\n", "M".repeat(bytes));
        let target = |bytes| format!("GET {} HTTP/1.0\r\n\r\n", "/".repeat(bytes));
        // `x:` before and CR LF after make four bytes besides the value.
        let block = |bytes| format!("GET / HTTP/1.0\r\nx:{}\r\n\r\n", "v".repeat(bytes - 4));
        let headers = |count| format!("GET / HTTP/1.0\r\n{}\r\n", "x:\r\n".repeat(count));
        for (within, beyond, refusal) in [
            (method(METHOD_BYTES_MAX), method(METHOD_BYTES_MAX + 1), Refusal::RequestLine),
            (target(TARGET_BYTES_MAX), target(TARGET_BYTES_MAX + 1), Refusal::TargetTooLong),
            (block(HEADER_BYTES_MAX), block(HEADER_BYTES_MAX + 1), Refusal::HeadersTooLarge),
            (headers(HEADERS_MAX), headers(HEADERS_MAX + 1), Refusal::TooManyHeaders),
        ] {
            let end = Some((within.len(), Framing::Length(0)));
            assert_eq!(Head::default().feed(within.as_bytes()), Ok(end), "{refusal:?}");
            assert_eq!(Head::default().feed(beyond.as_bytes()), Err(refusal));
        }
    }
}
