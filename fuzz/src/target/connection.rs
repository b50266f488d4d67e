use regrant_server::serve::framing::{Found, Requests};
use regrant_server::serve::head::{Framing, Head};
use regrant_server::serve::refusal::Refusal;

/// How often the bytes of a connection are cut in two.
const CUTS_MAX: usize = 16;

/// Requests behind each other are told apart the same way wherever their bytes are cut.
pub(crate) fn run(data: &[u8]) {
    let whole = read([data]);
    for cut in (0..=data.len()).step_by(data.len() / CUTS_MAX + 1) {
        assert_eq!(read([&data[..cut], &data[cut..]]), whole, "cut at {cut}");
    }
    assert_eq!(read(data.chunks(1)), whole, "byte by byte");

    // The first head alone says where the first body begins, and how long it is.
    if let Ok(Some((length, framing))) = Head::default().feed(data) {
        assert_eq!(whole.heads.first().map(|head| head.1), Some(length));
        if let (Framing::Length(body), Some((next, _))) = (framing, whole.heads.get(1)) {
            assert_eq!(*next as u64, length as u64 + body, "the next head begins where the body ends");
        }
    }
}

/// What the bytes turned out to be.
#[derive(Debug, Default, PartialEq)]
struct Reading {
    /// Where each complete head begins and ends.
    heads: Vec<(usize, usize)>,
    /// What ended it.
    refusal: Option<Refusal>,
    /// Whether it ends between two requests, or in a body.
    rest: Option<(bool, bool)>,
}

fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Reading {
    let (mut requests, mut reading, mut at) = (Requests::default(), Reading::default(), 0);
    let mut head_start = None;
    for mut rest in pieces {
        while !rest.is_empty() {
            let (found, length) = match requests.feed(rest) {
                Ok(fed) => fed,
                Err(refusal) => return Reading { refusal: Some(refusal), ..reading },
            };
            assert!((1..=rest.len()).contains(&length), "it moves on, and not beyond what it was given");
            if found != Found::Body {
                let start = *head_start.get_or_insert(at);
                if found == Found::HeadEnd {
                    reading.heads.push((start, at + length));
                    head_start = None;
                }
            }
            at += length;
            rest = &rest[length..];
        }
    }
    assert!(!(requests.is_between() && requests.is_in_body()));
    reading.rest = Some((requests.is_between(), requests.is_in_body()));
    reading
}
