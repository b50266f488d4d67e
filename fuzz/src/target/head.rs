use httparse::{EMPTY_HEADER, Request, Status};
use regrant_server::serve::head::{Framing, HEADER_BYTES_MAX, HEADERS_MAX, Head, METHOD_BYTES_MAX, TARGET_BYTES_MAX};

/// How often a head is cut in two.
const CUTS_MAX: usize = 16;

/// The outcome of reading a head: where it ended and what follows, that it goes on, or that it was refused.
type Outcome = Result<Option<(usize, Framing)>, String>;

/// A reader of one head, as far as it has come.
pub(crate) trait Reader: Default {
    fn feed(&mut self, bytes: &[u8]) -> Outcome;
}

impl Reader for Head {
    fn feed(&mut self, bytes: &[u8]) -> Outcome {
        Self::feed(self, bytes).map_err(|refusal| format!("{refusal:?}"))
    }
}

/// A head has one reading: wherever it is cut, and whoever reads it.
pub(crate) fn run(data: &[u8]) {
    check::<Head>(data);
}

/// Holds a reader to the promises of a head.
pub(crate) fn check<R: Reader>(data: &[u8]) {
    let whole = R::default().feed(data);
    for cut in (0..=data.len()).step_by(data.len() / CUTS_MAX + 1) {
        assert_eq!(fed_in::<R>([&data[..cut], &data[cut..]]), whole, "cut at {cut}");
    }
    assert_eq!(fed_in::<R>(data.chunks(1)), whole, "byte by byte");
    if let Ok(Some((length, framing))) = whole {
        has_one_reading(&data[..length], framing);
    }
}

fn fed_in<'a, R: Reader>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let (mut reader, mut before) = (R::default(), 0);
    for piece in pieces {
        if let Some((length, framing)) = reader.feed(piece)? {
            return Ok(Some((before + length, framing)));
        }
        before += piece.len();
    }
    Ok(None)
}

/// What was accepted is a head to the letter, and to the parser that hyper uses.
fn has_one_reading(head: &[u8], framing: Framing) {
    let is_lone = |index: usize| match head[index] {
        b'\n' => index == 0 || head[index - 1] != b'\r',
        b'\r' => head.get(index + 1) != Some(&b'\n'),
        byte => byte < b' ' && byte != b'\t' || byte == 0x7F,
    };
    assert!(!(0..head.len()).any(is_lone), "lines end in CR LF, and nothing else is a control character");

    let mut headers = [EMPTY_HEADER; HEADERS_MAX];
    let mut request = Request::new(&mut headers);
    assert_eq!(request.parse(head), Ok(Status::Complete(head.len())), "httparse reads it to the same end");
    let (method, target) = (request.method.expect("complete"), request.path.expect("complete"));
    assert!(method.len() <= METHOD_BYTES_MAX && target.len() <= TARGET_BYTES_MAX);
    let line_bytes = |header: &httparse::Header<'_>| header.name.len() + header.value.len();
    assert!(request.headers.iter().map(line_bytes).sum::<usize>() <= HEADER_BYTES_MAX);

    let values = |name: &str| -> Vec<&[u8]> {
        request
            .headers
            .iter()
            .filter(|header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value)
            .collect()
    };
    assert!(values("host").len() <= 1 && (request.version == Some(0) || values("host").len() == 1), "one Host");
    let expected = match (values("content-length").as_slice(), values("transfer-encoding").as_slice()) {
        ([], []) => Framing::Length(0),
        ([length], []) => {
            assert!(!length.is_empty() && length.iter().all(u8::is_ascii_digit), "{}", length.escape_ascii());
            Framing::Length(str::from_utf8(length).expect("digits").parse().expect("a length of 64 bits"))
        }
        ([], [coding]) if coding.eq_ignore_ascii_case(b"chunked") && request.version == Some(1) => Framing::Chunked,
        ambiguous => panic!("accepted with {ambiguous:?}"),
    };
    assert_eq!(framing, expected, "httparse's headers delimit the same body");
}
