//! Dumps and exports, read into a database of our own.
//!
//! Rows of a dump come in any order, and are asked for by key. So they are read once, from beginning to end and a piece
//! at a time, into a SQLite database that lives in an unnamed temporary file: it is gone with the process, whatever ends it.

mod bytes;
mod copy;
mod csv;
mod flavor;
mod literal;
mod names;
mod skip;
mod staging;
mod statements;

use std::fs::File;
use std::path::Path;

pub(crate) use csv::read_directory;
pub(crate) use staging::Staging;

use crate::OpenError;
use crate::database::SqliteDatabase;

/// Which tables of a dump matter, and what they are asked for by.
pub(crate) trait Interest {
    /// Whether the table called `name` is read.
    fn wants(&self, name: &str) -> bool;

    /// The columns of `name` that rows are looked up by.
    fn looked_up_by(&self, name: &str) -> Vec<&'static str>;
}

/// Reads the dump at `path`: of `mysqldump`, of `sqlite3 .dump`, or of `pg_dump` in its plain format.
///
/// # Errors
/// When it cannot be read, is not all there, or is not SQL.
pub(crate) fn read_dump(path: &Path, interest: &dyn Interest) -> Result<SqliteDatabase, OpenError> {
    let open = || File::open(path).map_err(|error| OpenError::File { path: path.to_owned(), cause: error.to_string() });
    let flavor = flavor::recognize(open()?, path)?;
    let mut staging = Staging::new(flavor.ignores_case())?;
    statements::read(bytes::Bytes::new(open()?), flavor, interest, &mut staging)
        .map_err(|(line, fault)| OpenError::Dump { path: path.to_owned(), line, fault })?;
    staging.finish(interest)
}

/// What is wrong at the place at which reading stands.
type Fault = String;
