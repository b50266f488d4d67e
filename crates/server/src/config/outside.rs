use std::path::Path;

use regrant_data_directory::OutsideFiles;

use crate::config::key::{Form, Key, Kind};
use crate::config::problem::Fault;
use crate::config::table_reader::{Reported, TableReader};
use crate::config::value::Preset;

pub(super) const MARK: Key = Key::new(
    "mark",
    Kind::Text(Form::Path),
    Preset::Absent,
    "The high-water mark: a small file that says how far the database has come, so that one that was put back to an earlier day is noticed. Best on another disk than the database; with PostgreSQL each server has its own. Without it, `high-water.mark` in the directory `server.data`.",
)
.at_start();

pub(super) const JOURNAL: Key = Key::new(
    "journal",
    Kind::Text(Form::Path),
    Preset::Absent,
    "With SQLite, the revocation journal: a file to which everything that ends is added before anybody hears of it, so that a restored database does not bring it back. Best on another disk. Without it there is none.",
)
.at_start();

/// Reads where the files outside the database are.
pub(super) fn read(table: &mut TableReader<'_>) -> Result<OutsideFiles, Reported> {
    let (mark, journal) = (table.path(&MARK, in_directory), table.path(&JOURNAL, in_directory));
    Ok(OutsideFiles { mark: mark?.map(|(path, ())| path), journal: journal?.map(|(path, ())| path) })
}

/// The file is made, its directory is not.
fn in_directory(path: &Path) -> Result<(), Fault> {
    match path.parent() {
        Some(parent) if parent.is_dir() => Ok(()),
        Some(parent) => Err(Fault::Value(format!("there is no directory {}; make it", parent.display()))),
        None => Err(Fault::Value("it is a directory; name a file".to_owned())),
    }
}
