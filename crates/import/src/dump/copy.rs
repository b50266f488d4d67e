use std::io::Read;

use zeroize::Zeroizing;

use super::Fault;
use super::bytes::Bytes;
use crate::database::{Cell, Cells, VALUE_BYTES_MAX};

/// Takes one line of PostgreSQL's `COPY … FROM stdin`; `None` at its end, `\.`.
pub(super) fn line<R: Read>(bytes: &mut Bytes<R>) -> Result<Option<Cells>, Fault> {
    let mut cells = Vec::new();
    let mut field = Zeroizing::new(Vec::new());
    let mut is_null = false;
    loop {
        match bytes.must_take()? {
            b'\n' => {
                cells.push(cell(&mut field, is_null));
                return Ok(Some(cells));
            }
            b'\t' => {
                cells.push(cell(&mut field, is_null));
                is_null = false;
            }
            b'\\' => match bytes.must_take()? {
                b'.' if cells.is_empty() && field.is_empty() => {
                    super::names::line(bytes)?;
                    return Ok(None);
                }
                b'N' => is_null = true,
                b'x' => field.push(byte(bytes, 0, 16, 2)?),
                digit @ b'0'..=b'7' => field.push(byte(bytes, u32::from(digit - b'0'), 8, 2)?),
                b'b' => field.push(8),
                b'f' => field.push(12),
                b'n' => field.push(b'\n'),
                b'r' => field.push(b'\r'),
                b't' => field.push(b'\t'),
                b'v' => field.push(11),
                other => field.push(other),
            },
            plain => field.push(plain),
        }
        if field.len() > VALUE_BYTES_MAX {
            return Err(format!("a value is longer than {VALUE_BYTES_MAX} bytes"));
        }
    }
}

fn cell(field: &mut Zeroizing<Vec<u8>>, is_null: bool) -> Cell {
    let bytes = std::mem::take(&mut **field);
    if is_null { Cell::Null } else { Cell::from_bytes(bytes) }
}

/// A byte by its number, of which `code` is known already.
fn byte<R: Read>(bytes: &mut Bytes<R>, mut code: u32, base: u32, digits_left: usize) -> Result<u8, Fault> {
    for _ in 0..digits_left {
        let Some(digit) = bytes.peek()?.and_then(|byte| char::from(byte).to_digit(base)) else { break };
        bytes.take()?;
        code = code * base + digit;
    }
    u8::try_from(code).map_err(|_| "an escaped byte that is none".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_copy_are_read_with_their_escapes() {
        let text = b"a\t\\N\t\nb\\tc\t\\\\x\t\\101\\x42\n\\.\n";
        let mut bytes = Bytes::new(&text[..]);
        let mut next = || {
            let cells = line(&mut bytes).unwrap()?;
            Some(cells.iter().map(|cell| cell.text().map(ToOwned::to_owned)).collect::<Vec<_>>())
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(next(), Some(vec![some("a"), None, some("")]), "NULL is not the empty string");
        assert_eq!(next(), Some(vec![some("b\tc"), some("\\x"), some("AB")]), "escapes");
        assert_eq!(next(), None, "the end");
    }

    #[test]
    fn a_file_that_ends_in_a_line_is_not_all_there() {
        assert!(line(&mut Bytes::new(&b"a\tb"[..])).unwrap_err().contains("all there"));
    }
}
