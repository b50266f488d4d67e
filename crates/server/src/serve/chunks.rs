//! A chunked body, followed to its end (RFC 9112 §7.1).
//!
//! hyper decodes the chunks; this only says where they end, and accepts a part of what hyper accepts: no white space
//! after a size, short extensions, no trailers. On what it accepts the two agree.

use super::refusal::Refusal;

/// The most bytes that the extensions of all chunks of one body may have together.
pub const CHUNK_EXTENSION_BYTES_MAX: usize = 256;

/// The reader of one chunked body.
#[derive(Debug, Default)]
pub struct Chunks {
    state: State,
    /// The chunk's size while it is read, then what is left of its data.
    data_bytes: u64,
    extension_bytes: usize,
}

impl Chunks {
    /// Reads on. `None` says that all of `bytes` belongs to a body that goes on; otherwise the body ended after so
    /// many bytes.
    ///
    /// # Errors
    ///
    /// [`Refusal::Chunk`] where the framing is broken. Nothing may be fed afterwards.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Option<usize>, Refusal> {
        let mut index = 0;
        while let Some(&byte) = bytes.get(index) {
            if matches!(self.state, State::Data) {
                index += skip(&mut self.data_bytes, bytes.len() - index);
                if self.data_bytes == 0 {
                    self.state = State::DataEnd;
                }
                continue;
            }
            index += 1;
            self.state = self.next(byte)?;
            if matches!(self.state, State::Ended) {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    fn next(&mut self, byte: u8) -> Result<State, Refusal> {
        Ok(match (self.state, byte) {
            (State::Size { digits }, _) if byte.is_ascii_hexdigit() && digits < SIZE_DIGITS_MAX => {
                self.data_bytes = (self.data_bytes << 4) | u64::from(hex(byte));
                State::Size { digits: digits + 1 }
            }
            (State::Size { digits: 1.. } | State::Extension, b'\r') => State::SizeLineFeed,
            (State::Size { digits: 1.. }, b';') => State::Extension,
            (State::Extension, b'\t' | b' '..=b'~') if self.extension_bytes < CHUNK_EXTENSION_BYTES_MAX => {
                self.extension_bytes += 1;
                State::Extension
            }
            (State::SizeLineFeed, b'\n') if self.data_bytes == 0 => State::LastCarriageReturn,
            (State::SizeLineFeed, b'\n') => State::Data,
            (State::DataEnd, b'\r') => State::DataLineFeed,
            (State::DataLineFeed, b'\n') => State::default(),
            (State::LastCarriageReturn, b'\r') => State::LastLineFeed,
            (State::LastLineFeed, b'\n') => State::Ended,
            (_, _) => return Err(Refusal::Chunk),
        })
    }
}

/// Takes what it can of `available` bytes off `left`, and says how many that were.
pub(super) fn skip(left: &mut u64, available: usize) -> usize {
    let skipped = usize::try_from(*left).map_or(available, |left| left.min(available));
    *left -= skipped as u64;
    skipped
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

#[derive(Clone, Copy, Debug)]
enum State {
    Size { digits: u8 },
    Extension,
    SizeLineFeed,
    Data,
    DataEnd,
    DataLineFeed,
    LastCarriageReturn,
    LastLineFeed,
    Ended,
}

impl Default for State {
    fn default() -> Self {
        Self::Size { digits: 0 }
    }
}

/// 64 bits.
const SIZE_DIGITS_MAX: u8 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(input: &[u8]) -> Result<Option<usize>, Refusal> {
        let whole = Chunks::default().feed(input);
        for cut in 0..=input.len() {
            let (first, second) = input.split_at(cut);
            let mut chunks = Chunks::default();
            let in_two = match chunks.feed(first) {
                Ok(None) => chunks.feed(second).map(|end| end.map(|bytes| cut + bytes)),
                ended => ended,
            };
            assert_eq!(in_two, whole, "cut at {cut}: {}", input.escape_ascii());
        }
        whole
    }

    #[test]
    fn a_chunked_body_ends_after_its_last_chunk() {
        let long_size = format!("00000000000000Af\r\n{}\r\n0\r\n\r\n", "x".repeat(0xaf));
        for body in [
            "0\r\n\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
            "5\r\n0\r\n\r\n\r\n0\r\n\r\n",
            "1;x=\"y\"\r\n!\r\n000\r\n\r\n",
            &long_size,
        ] {
            assert_eq!(outcome(body.as_bytes()), Ok(Some(body.len())), "{body:?}");
            assert_eq!(outcome(format!("{body}GET").as_bytes()), Ok(Some(body.len())), "{body:?} and more");
            assert_eq!(outcome(&body.as_bytes()[..body.len() - 1]), Ok(None), "{body:?} less one byte");
        }
    }

    #[test]
    fn broken_chunks_are_refused() {
        let long_extension = format!("1;{}\r\n", "x".repeat(CHUNK_EXTENSION_BYTES_MAX + 1));
        for body in [
            "\r\n",
            ";x\r\n",
            "g\r\n",
            "5 \r\nhello\r\n",
            "5\nhello\r\n",
            "5;x\nhello\r\n",
            "5\r\nhello!\r\n",
            "5\r\nhello\n0\r\n\r\n",
            "0\r\n\n",
            "0\r\nTrailer: x\r\n\r\n",
            "00000000000000001\r\n",
            "-1\r\n",
            "0x1\r\n",
            &long_extension,
        ] {
            assert_eq!(outcome(body.as_bytes()), Err(Refusal::Chunk), "{body:?}");
        }
    }
}
