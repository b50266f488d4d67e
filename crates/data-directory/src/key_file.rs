use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use regrant_crypto::{KEY_FILE_BYTES_MAX, KeyRing};

use crate::DataDirectoryError;
use crate::error::io_error;
use crate::owner_only::closed_to_others;
use crate::replace_file::replace_file;

/// The name of the key file in a data directory.
pub const KEY_FILE: &str = "master.key";
/// A key file that is being written. Nothing reads it.
pub(crate) const UNFINISHED_KEY_FILE: &str = "master.key.new";

pub(crate) fn read(path: &Path, file: File) -> Result<KeyRing, DataDirectoryError> {
    closed_to_others(path, 0o600)?;
    let mut text = zeroize::Zeroizing::new(String::with_capacity(KEY_FILE_BYTES_MAX + 1));
    file.take(KEY_FILE_BYTES_MAX as u64 + 1).read_to_string(&mut text).map_err(|error| io_error(path, error))?;
    if text.len() > KEY_FILE_BYTES_MAX {
        return Err(DataDirectoryError::KeyFileTooLong(path.display().to_string()));
    }
    KeyRing::from_text(&text).map_err(|error| DataDirectoryError::KeyFile(path.display().to_string(), error))
}

/// Writes the key file so that a crash leaves all of it, or what was there before: the store is made only after it is on
/// disk, and it only after the directories that lead to it.
pub(crate) fn write(directory: &Path, path: &Path, ring: &KeyRing) -> io::Result<()> {
    sync_above(directory)?;
    replace_file(path, ring.to_text().as_bytes())
}

/// Makes durable that `directory` exists: a new one, and those that were made above it, may be lost with the power.
fn sync_above(directory: &Path) -> io::Result<()> {
    let directory = directory.canonicalize()?;
    let device = fs::metadata(&directory)?.dev();
    for above in directory.ancestors().skip(1) {
        match File::open(above) {
            // What was made together lies in one file system.
            Ok(above) if above.metadata()?.dev() != device => break,
            Ok(above) => above.sync_all()?,
            // What may not be read was not made here.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
