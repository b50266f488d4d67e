use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::bytes::Bytes;
use super::{Fault, Interest, Staging};
use crate::OpenError;
use crate::database::{Cell, Column, SqliteDatabase, VALUE_BYTES_MAX};

/// The most columns that a table may have.
const COLUMNS_MAX: usize = 512;

/// Reads a directory with one file per table, `NAME.csv`, whose first line names the columns (RFC 4180).
///
/// An empty field without quotes is NULL, as is `\N` or `NULL`; `""` is the empty text.
///
/// # Errors
/// When the directory or a file cannot be read, or is no CSV.
pub(crate) fn read_directory(directory: &Path, interest: &dyn Interest) -> Result<SqliteDatabase, OpenError> {
    let cannot =
        |path: &Path, error: &std::io::Error| OpenError::File { path: path.to_owned(), cause: error.to_string() };
    let mut files: Vec<(String, PathBuf)> = Vec::new();
    for entry in fs::read_dir(directory).map_err(|error| cannot(directory, &error))? {
        let path = entry.map_err(|error| cannot(directory, &error))?.path();
        let is_csv = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        if let Some(table) = path.file_stem().and_then(|stem| stem.to_str()).filter(|table| interest.wants(table))
            && is_csv
        {
            files.push((table.to_owned(), path));
        }
    }
    files.sort();
    let mut staging = Staging::new(false)?;
    for (table, path) in files {
        let mut bytes = Bytes::new(File::open(&path).map_err(|error| cannot(&path, &error))?);
        read(&mut bytes, &table, &mut staging).map_err(|fault| OpenError::Dump {
            path: path.clone(),
            line: bytes.line(),
            fault,
        })?;
    }
    staging.finish(interest)
}

fn read<R: Read>(bytes: &mut Bytes<R>, table: &str, staging: &mut Staging) -> Result<(), Fault> {
    super::names::skip_blanks(bytes, &mut |_| {})?;
    let Some(header) = record(bytes)? else {
        return Err("the file is empty; its first line names the columns".to_owned());
    };
    let names: Vec<String> = header
        .iter()
        .map(|field| field.text().map(|name| name.trim().to_owned()))
        .collect::<Option<_>>()
        .ok_or_else(|| "the first line does not name every column; export with a header".to_owned())?;
    let columns: Vec<Column> =
        names.iter().map(|name| Column { name: name.clone(), type_name: String::new() }).collect();
    staging.create(table, &columns).map_err(|error| error.to_string())?;
    while let Some(row) = record(bytes)? {
        // A blank line, mostly the last.
        if matches!(row.as_slice(), [Cell::Null]) && names.len() > 1 {
            continue;
        }
        if row.len() != names.len() {
            return Err(format!("a row of {} values for {} columns", row.len(), names.len()));
        }
        staging.insert(table, &names, row).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// The next record; `None` at the end.
fn record<R: Read>(bytes: &mut Bytes<R>) -> Result<Option<Vec<Cell>>, Fault> {
    if bytes.peek()?.is_none() {
        return Ok(None);
    }
    let mut fields = Vec::new();
    loop {
        fields.push(field(bytes)?);
        if fields.len() > COLUMNS_MAX {
            return Err(format!("more than {COLUMNS_MAX} columns"));
        }
        match bytes.take()? {
            Some(b',') => {}
            Some(b'\r') => {
                bytes.take_if(b'\n')?;
                return Ok(Some(fields));
            }
            Some(b'\n') | None => return Ok(Some(fields)),
            Some(other) => return Err(format!("{:?} after a closing quote", char::from(other))),
        }
    }
}

fn field<R: Read>(bytes: &mut Bytes<R>) -> Result<Cell, Fault> {
    if bytes.peek()? == Some(b'"') {
        return super::literal::string(bytes, false).map(Cell::from_bytes);
    }
    let mut text = Vec::new();
    while let Some(byte) = bytes.peek()? {
        if matches!(byte, b',' | b'\r' | b'\n') {
            break;
        }
        bytes.take()?;
        text.push(byte);
        if text.len() > VALUE_BYTES_MAX {
            return Err(format!("a value is longer than {VALUE_BYTES_MAX} bytes"));
        }
    }
    Ok(match text.as_slice() {
        b"" | b"\\N" | b"NULL" => Cell::Null,
        _ => Cell::from_bytes(text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_as_rfc_4180_writes_them() {
        let text = "a,\"b,\"\"c\"\"\",\"\",,\\N,NULL\r\n\"line\nbreak\",x\nlast";
        let mut bytes = Bytes::new(text.as_bytes());
        let mut next = || {
            let cells = record(&mut bytes).unwrap()?;
            Some(cells.iter().map(|cell| cell.text().map(ToOwned::to_owned)).collect::<Vec<_>>())
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(next(), Some(vec![some("a"), some("b,\"c\""), some(""), None, None, None]));
        assert_eq!(next(), Some(vec![some("line\nbreak"), some("x")]));
        assert_eq!(next(), Some(vec![some("last")]));
        assert_eq!(next(), None);
    }
}
