use httparse::{Status, parse_chunk_size};
use regrant_server::serve::chunks::Chunks;
use regrant_server::serve::refusal::Refusal;

/// How often a body is cut in two.
const CUTS_MAX: usize = 16;

/// A chunked body ends at one place: wherever it is cut, and whoever reads it.
pub(crate) fn run(data: &[u8]) {
    let whole = Chunks::default().feed(data);
    for cut in (0..=data.len()).step_by(data.len() / CUTS_MAX + 1) {
        assert_eq!(fed_in([&data[..cut], &data[cut..]]), whole, "cut at {cut}");
    }
    assert_eq!(fed_in(data.chunks(1)), whole, "byte by byte");
    if let Ok(Some(length)) = whole {
        assert_eq!(end_by_httparse(data), Some(length), "httparse finds the same end");
    }
}

fn fed_in<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Option<usize>, Refusal> {
    let (mut chunks, mut before) = (Chunks::default(), 0);
    for piece in pieces {
        if let Some(length) = chunks.feed(piece)? {
            return Ok(Some(before + length));
        }
        before += piece.len();
    }
    Ok(None)
}

/// Where a body without trailers ends for a second reader.
fn end_by_httparse(data: &[u8]) -> Option<usize> {
    let mut end = 0;
    loop {
        let Ok(Status::Complete((line_bytes, size))) = parse_chunk_size(&data[end..]) else { return None };
        end = end.checked_add(line_bytes)?.checked_add(usize::try_from(size).ok()?)?;
        if data.get(end..end + 2) != Some(b"\r\n") {
            return None;
        }
        end += 2;
        if size == 0 {
            return Some(end);
        }
    }
}
