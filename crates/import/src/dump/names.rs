use std::io::Read;

use super::Fault;
use super::bytes::Bytes;

/// The longest name of a table or column.
const NAME_BYTES_MAX: usize = 256;
/// How much of a comment is looked at.
const COMMENT_BYTES_MAX: usize = 256;

/// Goes on to what is neither blank nor comment, and shows the beginning of each comment to `hear`.
pub(super) fn skip_blanks<R: Read>(bytes: &mut Bytes<R>, hear: &mut dyn FnMut(&str)) -> Result<(), Fault> {
    loop {
        match (bytes.peek()?, bytes.peek_second()?) {
            (Some(b' ' | b'\t' | b'\r' | b'\n'), _) => {
                bytes.take()?;
            }
            // A byte order mark, which some editors leave at the beginning.
            (Some(0xEF), Some(0xBB)) if bytes.line() == 1 => {
                for _ in 0..3 {
                    bytes.take()?;
                }
            }
            (Some(b'-'), Some(b'-')) => hear(&line(bytes)?),
            (Some(b'/'), Some(b'*')) => hear(&block_comment(bytes)?),
            _ => return Ok(()),
        }
    }
}

/// The rest of the line, of which the beginning is kept.
pub(super) fn line<R: Read>(bytes: &mut Bytes<R>) -> Result<String, Fault> {
    let mut text = Vec::new();
    while let Some(byte) = bytes.take()? {
        if byte == b'\n' {
            break;
        }
        if text.len() < COMMENT_BYTES_MAX {
            text.push(byte);
        }
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn block_comment<R: Read>(bytes: &mut Bytes<R>) -> Result<String, Fault> {
    let mut text = Vec::new();
    loop {
        let byte = bytes.must_take()?;
        if byte == b'*' && text.len() > 1 && bytes.take_if(b'/')? {
            return Ok(String::from_utf8_lossy(&text).into_owned());
        }
        if text.len() < COMMENT_BYTES_MAX {
            text.push(byte);
        }
    }
}

/// An unquoted word; empty where none begins.
pub(super) fn word<R: Read>(bytes: &mut Bytes<R>) -> Result<String, Fault> {
    let mut name = Vec::new();
    while let Some(byte) = bytes.peek()? {
        if !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'#') || byte >= 0x80) {
            break;
        }
        bytes.take()?;
        name.push(byte);
        check(&name)?;
    }
    String::from_utf8(name).map_err(|_| "a name that is no UTF-8".to_owned())
}

/// A name, quoted in any of the ways or not, and whether it was.
pub(super) fn name<R: Read>(bytes: &mut Bytes<R>) -> Result<(String, bool), Fault> {
    skip_blanks(bytes, &mut |_| {})?;
    let quote = match bytes.peek()? {
        Some(quote @ (b'`' | b'"' | b'\'')) => quote,
        Some(b'[') => b']',
        _ => return word(bytes).map(|word| (word, false)),
    };
    bytes.take()?;
    let mut name = Vec::new();
    loop {
        let byte = bytes.must_take()?;
        if byte == quote && !bytes.take_if(quote)? {
            let name = String::from_utf8(name).map_err(|_| "a name that is no UTF-8".to_owned())?;
            return Ok((name, true));
        }
        name.push(byte);
        check(&name)?;
    }
}

/// The name of a table, without the schema or database before it.
pub(super) fn table_name<R: Read>(bytes: &mut Bytes<R>) -> Result<String, Fault> {
    let (mut table, _) = name(bytes)?;
    while bytes.take_if(b'.')? {
        (table, _) = name(bytes)?;
    }
    if table.is_empty() { Err("the name of a table is missing".to_owned()) } else { Ok(table) }
}

fn check(name: &[u8]) -> Result<(), Fault> {
    if name.len() > NAME_BYTES_MAX { Err(format!("a name is longer than {NAME_BYTES_MAX} bytes")) } else { Ok(()) }
}
