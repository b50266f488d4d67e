//! Going past what is not read.

use std::io::Read;

use super::bytes::Bytes;
use super::flavor::Flavor;
use super::names::{line, name, skip_blanks, word};
use super::{Fault, literal};

/// Goes past the `,` or `)` that ends one item of a list in brackets, and returns it.
pub(super) fn to_end_of_item<R: Read>(bytes: &mut Bytes<R>, flavor: Flavor) -> Result<u8, Fault> {
    let mut depth = 0_u32;
    loop {
        skip_blanks(bytes, &mut |_| {})?;
        match bytes.peek()? {
            Some(b'\'') => {
                literal::string(bytes, flavor == Flavor::Mysql)?;
                continue;
            }
            Some(b'"' | b'`') => {
                name(bytes)?;
                continue;
            }
            _ => {}
        }
        match bytes.must_take()? {
            b'(' => depth += 1,
            end @ (b',' | b')') if depth == 0 => return Ok(end),
            b')' => depth -= 1,
            _ => {}
        }
    }
}

/// Goes past the `;` that ends the statement.
pub(super) fn statement<R: Read>(bytes: &mut Bytes<R>, flavor: Flavor) -> Result<(), Fault> {
    loop {
        skip_blanks(bytes, &mut |_| {})?;
        match bytes.peek()? {
            // The last statement may go without.
            None => return Ok(()),
            Some(b';') => {
                bytes.take()?;
                return Ok(());
            }
            Some(quote @ (b'\'' | b'"' | b'`')) => quoted(bytes, flavor, quote)?,
            Some(b'$') if flavor == Flavor::Postgres => dollar_quoted(bytes)?,
            Some(_) => {
                bytes.take()?;
            }
        }
    }
}

/// Goes past a quoted text of any length.
fn quoted<R: Read>(bytes: &mut Bytes<R>, flavor: Flavor, quote: u8) -> Result<(), Fault> {
    bytes.take()?;
    loop {
        let byte = bytes.must_take()?;
        if byte == b'\\' && quote != b'`' && flavor == Flavor::Mysql {
            bytes.must_take()?;
        } else if byte == quote {
            return Ok(());
        }
    }
}

/// Goes past `$tag$ … $tag$`, the body of a function.
fn dollar_quoted<R: Read>(bytes: &mut Bytes<R>) -> Result<(), Fault> {
    bytes.take()?;
    let tag = word(bytes)?;
    // `word` takes dollar signs for letters.
    let Some(tag) = tag.strip_suffix('$').or_else(|| tag.is_empty().then_some("")) else { return Ok(()) };
    let end = format!("${tag}$").into_bytes();
    let mut tail: Vec<u8> = Vec::with_capacity(end.len());
    loop {
        if tail.len() == end.len() {
            tail.remove(0);
        }
        tail.push(bytes.must_take()?);
        if tail == end {
            return Ok(());
        }
    }
}

/// Goes past the `END;` of a trigger of SQLite, whose statements have semicolons of their own.
pub(super) fn trigger<R: Read>(bytes: &mut Bytes<R>, flavor: Flavor) -> Result<(), Fault> {
    loop {
        skip_blanks(bytes, &mut |_| {})?;
        match bytes.peek()? {
            None => return Err("the file ends in the middle of a trigger; is it all there?".to_owned()),
            Some(quote @ (b'\'' | b'"' | b'`')) => quoted(bytes, flavor, quote)?,
            Some(byte) if byte.is_ascii_alphabetic() => {
                if word(bytes)?.eq_ignore_ascii_case("END") {
                    skip_blanks(bytes, &mut |_| {})?;
                    if bytes.take_if(b';')? {
                        return Ok(());
                    }
                }
            }
            Some(_) => {
                bytes.take()?;
            }
        }
    }
}

/// Goes past the routines and triggers of MySQL, which stand between two `DELIMITER` lines.
pub(super) fn routines<R: Read>(bytes: &mut Bytes<R>) -> Result<(), Fault> {
    if line(bytes)?.trim() == ";" {
        return Ok(());
    }
    loop {
        if bytes.peek()?.is_none() {
            return Err("the file ends in the middle of a routine; is it all there?".to_owned());
        }
        if line(bytes)?.trim() == "DELIMITER ;" {
            return Ok(());
        }
    }
}
