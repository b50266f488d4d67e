use std::fs::{self, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use crate::DataDirectoryError;
use crate::error::io_error;

/// What is made with these is for its owner only.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600)
}

/// Refuses what belongs to another user than `we`.
pub(crate) fn owned_by(path: &Path, we: u32) -> Result<(), DataDirectoryError> {
    let owner = fs::metadata(path).map_err(|error| io_error(path, error))?.uid();
    if owner == we { Ok(()) } else { Err(DataDirectoryError::Owner { path: path.display().to_string(), owner, we }) }
}

/// Refuses what others may read or write; `wanted` is the mode to give it.
pub(crate) fn closed_to_others(path: &Path, wanted: u32) -> Result<(), DataDirectoryError> {
    let metadata = fs::metadata(path).map_err(|error| io_error(path, error))?;
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(DataDirectoryError::Mode { path: path.display().to_string(), mode, wanted })
    }
}
