use std::io::Read;

use zeroize::Zeroizing;

use super::Fault;
use super::bytes::Bytes;
use super::flavor::Flavor;
use super::names::{skip_blanks, word};
use crate::database::{Cell, VALUE_BYTES_MAX};

/// Takes one value of an `INSERT`: NULL, a number, a string in any of its spellings, or hexadecimal bytes.
pub(super) fn value<R: Read>(bytes: &mut Bytes<R>, flavor: Flavor) -> Result<Cell, Fault> {
    loop {
        skip_blanks(bytes, &mut |_| {})?;
        return match bytes.peek()? {
            Some(b'\'') => string(bytes, flavor == Flavor::Mysql).map(Cell::from_bytes),
            // MySQL takes these for strings; nobody else writes one as a value.
            Some(b'"') if flavor == Flavor::Mysql => string(bytes, true).map(Cell::from_bytes),
            Some(b'0'..=b'9' | b'+' | b'-' | b'.') => number(bytes),
            Some(_) => {
                let name = word(bytes)?.to_ascii_uppercase();
                let is_followed = matches!(bytes.peek()?, Some(b' ' | b'\''));
                if is_followed && flavor == Flavor::Mysql && name.starts_with('_') {
                    // A character set before a string: `_binary '…'`, `_utf8mb4 '…'`.
                    continue;
                }
                named(&name, bytes, flavor)
            }
            None => Err("the file ends in the middle of a row; is it all there?".to_owned()),
        };
    }
}

/// The value that begins with `name`.
fn named<R: Read>(name: &str, bytes: &mut Bytes<R>, flavor: Flavor) -> Result<Cell, Fault> {
    match (name, bytes.peek()?) {
        ("NULL" | "DEFAULT", _) => Ok(Cell::Null),
        ("TRUE", _) => Ok(Cell::from_bytes(b"1".to_vec())),
        ("FALSE", _) => Ok(Cell::from_bytes(b"0".to_vec())),
        ("X", Some(b'\'')) => unhex(&string(bytes, false)?).map(Cell::from_bytes),
        ("B", Some(b'\'')) => bits(&string(bytes, false)?).map(Cell::from_bytes),
        ("E", Some(b'\'')) => string(bytes, true).map(Cell::from_bytes),
        ("N", Some(b'\'')) => string(bytes, flavor == Flavor::Mysql).map(Cell::from_bytes),
        // sqlite3's .dump writes control characters by these.
        ("UNISTR", Some(b'(')) => unistr(&one_argument(bytes)?).map(Cell::from_bytes),
        ("REPLACE", Some(b'(')) => replace(bytes).map(Cell::from_bytes),
        _ => Err(format!("{name:?} is no value that a dump should hold")),
    }
}

/// A string from its opening quote on. A doubled quote is one; with `has_escapes`, a backslash means something.
pub(super) fn string<R: Read>(bytes: &mut Bytes<R>, has_escapes: bool) -> Result<Vec<u8>, Fault> {
    let quote = bytes.must_take()?;
    let mut text = Zeroizing::new(Vec::new());
    loop {
        let byte = bytes.must_take()?;
        if byte == quote {
            if !bytes.take_if(quote)? {
                return Ok(std::mem::take(&mut *text));
            }
            text.push(quote);
        } else if byte == b'\\' && has_escapes {
            text.push(unescaped(bytes.must_take()?));
        } else {
            text.push(byte);
        }
        if text.len() > VALUE_BYTES_MAX {
            return Err(format!("a value is longer than {VALUE_BYTES_MAX} bytes"));
        }
    }
}

/// What a backslash makes of the byte after it (MySQL's table, of which PostgreSQL's `E''` knows the common ones).
pub(super) const fn unescaped(byte: u8) -> u8 {
    match byte {
        b'0' => 0,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'Z' => 26,
        other => other,
    }
}

fn number<R: Read>(bytes: &mut Bytes<R>) -> Result<Cell, Fault> {
    let mut text = Vec::new();
    while let Some(byte @ (b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'+' | b'-' | b'.')) = bytes.peek()? {
        text.push(byte);
        bytes.take()?;
        if text.len() > VALUE_BYTES_MAX {
            return Err(format!("a value is longer than {VALUE_BYTES_MAX} bytes"));
        }
    }
    match text.strip_prefix(b"0x") {
        Some(digits) => unhex(digits).map(Cell::from_bytes),
        None => Ok(Cell::from_bytes(text)),
    }
}

fn unhex(digits: &[u8]) -> Result<Vec<u8>, Fault> {
    let digit = |digit: u8| (digit as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?);
    digits.chunks(2).map(pair).collect::<Option<_>>().ok_or_else(|| "hexadecimal bytes with a digit too few".to_owned())
}

/// A bit field as the number that it is: Boolean columns of MySQL.
fn bits(digits: &[u8]) -> Result<Vec<u8>, Fault> {
    let digits = std::str::from_utf8(digits).unwrap_or_default();
    let number = u64::from_str_radix(digits, 2).map_err(|_| "bits that are neither 0 nor 1".to_owned())?;
    Ok(number.to_string().into_bytes())
}

fn one_argument<R: Read>(bytes: &mut Bytes<R>) -> Result<Vec<u8>, Fault> {
    expect(bytes, b'(')?;
    let text = string(bytes, false)?;
    expect(bytes, b')')?;
    Ok(text)
}

/// `unistr('a\u000ab')`.
fn unistr(text: &[u8]) -> Result<Vec<u8>, Fault> {
    let fault = || "unistr() with an escape that is none".to_owned();
    let text = std::str::from_utf8(text).map_err(|_| fault())?;
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, escape)) = rest.split_once('\\') {
        out.push_str(before);
        let (digits, after) = match escape.as_bytes().first() {
            Some(b'\\') => {
                out.push('\\');
                rest = &escape[1..];
                continue;
            }
            Some(b'u') => (escape.get(1..5), escape.get(5..)),
            Some(b'+') => (escape.get(1..7), escape.get(7..)),
            Some(b'U') => (escape.get(1..9), escape.get(9..)),
            _ => (escape.get(..4), escape.get(4..)),
        };
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
        out.push(code.ok_or_else(fault)?);
        rest = after.ok_or_else(fault)?;
    }
    out.push_str(rest);
    Ok(out.into_bytes())
}

/// How many `replace()` are one in another: sqlite3 writes one for line feeds and one for carriage returns.
const REPLACES_MAX: usize = 8;

/// `replace('a\nb','\n',char(10))`, one in another.
fn replace<R: Read>(bytes: &mut Bytes<R>) -> Result<Vec<u8>, Fault> {
    let mut depth = 1;
    expect(bytes, b'(')?;
    while bytes.peek()? != Some(b'\'') {
        let name = word(bytes)?;
        if !name.eq_ignore_ascii_case("replace") {
            return Err(format!("{name:?} inside replace()"));
        }
        depth += 1;
        if depth > REPLACES_MAX {
            return Err(format!("more than {REPLACES_MAX} replace(), one in another"));
        }
        expect(bytes, b'(')?;
    }
    let no_utf8 = |_| "replace() in bytes that are no UTF-8".to_owned();
    let mut text = String::from_utf8(string(bytes, false)?).map_err(no_utf8)?;
    for _ in 0..depth {
        expect(bytes, b',')?;
        let from = String::from_utf8(string(bytes, false)?).map_err(no_utf8)?;
        expect(bytes, b',')?;
        let name = word(bytes)?;
        expect(bytes, b'(')?;
        let code = number(bytes)?;
        expect(bytes, b')')?;
        expect(bytes, b')')?;
        let code = code.text().and_then(|code| code.parse::<u8>().ok()).filter(|_| name.eq_ignore_ascii_case("char"));
        let code = code.ok_or_else(|| "replace() by something other than a character".to_owned())?;
        text = text.replace(&from, &char::from(code).to_string());
    }
    Ok(text.into_bytes())
}

fn expect<R: Read>(bytes: &mut Bytes<R>, wanted: u8) -> Result<(), Fault> {
    skip_blanks(bytes, &mut |_| {})?;
    if bytes.take_if(wanted)? { Ok(()) } else { Err(format!("{:?} is missing", char::from(wanted))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, flavor: Flavor) -> Result<Option<String>, Fault> {
        value(&mut Bytes::new(text.as_bytes()), flavor).map(|cell| cell.text().map(ToOwned::to_owned))
    }

    #[test]
    fn values_are_read_as_each_program_writes_them() {
        let text = |text: &str| Ok(Some(text.to_owned()));
        let cases = [
            ("NULL,", Flavor::Mysql, Ok(None), "nothing"),
            ("''", Flavor::Mysql, text(""), "the empty string is not NULL"),
            ("'it''s'", Flavor::Sqlite, text("it's"), "a doubled quote"),
            (r"'it\'s \\ \n'", Flavor::Mysql, text("it's \\ \n"), "MySQL's backslashes"),
            (r"'a\b'", Flavor::Sqlite, text(r"a\b"), "elsewhere a backslash is one"),
            (r"'a\b'", Flavor::Postgres, text(r"a\b"), "… by standard_conforming_strings"),
            (r"E'a\tb'", Flavor::Postgres, text("a\tb"), "… but not in E''"),
            ("-1234)", Flavor::Mysql, text("-1234"), "a negative number"),
            ("X'616263'", Flavor::Sqlite, text("abc"), "bytes"),
            ("0x616263", Flavor::Mysql, text("abc"), "bytes by --hex-blob"),
            ("_binary 'abc'", Flavor::Mysql, text("abc"), "bytes with their character set"),
            ("_utf8mb4'abc'", Flavor::Mysql, text("abc"), "text with its character set"),
            ("b'1'", Flavor::Mysql, text("1"), "a bit"),
            ("true", Flavor::Postgres, text("1"), "a Boolean"),
            (r"unistr('a\u000ab')", Flavor::Sqlite, text("a\nb"), "a line feed in .dump since 3.50"),
            (r"replace('a\nb','\n',char(10))", Flavor::Sqlite, text("a\nb"), "… and before"),
            (r"replace(replace('a\r\n','\r',char(13)),'\n',char(10))", Flavor::Sqlite, text("a\r\n"), "… both"),
        ];
        for (literal, flavor, expected, why) in cases {
            assert_eq!(read(literal, flavor), expected, "{literal}: {why}");
        }
    }

    #[test]
    fn what_is_no_value_ends_reading() {
        for literal in ["'open", "now()", "X'6'", "b'2'", r"unistr('\uzzzz')", "", "new.id"] {
            assert!(read(literal, Flavor::Sqlite).is_err(), "{literal}");
        }
        let endless = format!("'{}'", "x".repeat(VALUE_BYTES_MAX + 1));
        assert!(read(&endless, Flavor::Sqlite).unwrap_err().contains("longer"));
    }

    #[test]
    fn bytes_that_are_no_text_are_kept_apart() {
        let latin1 = b"'M\xfcller'";
        assert!(value(&mut Bytes::new(&latin1[..]), Flavor::Mysql).is_ok_and(|cell| matches!(cell, Cell::NotUtf8(_))));
    }

    #[test]
    fn what_stands_before_or_around_a_string_again_and_again_is_no_way_to_fill_the_stack() {
        let prefixes = format!("{}'x'", "_a ".repeat(200_000));
        assert_eq!(read(&prefixes, Flavor::Mysql), Ok(Some("x".to_owned())));
        let nested = format!("{}'x'", "replace(".repeat(200_000));
        assert!(read(&nested, Flavor::Sqlite).unwrap_err().contains("one in another"));
    }
}
