//! The data directories of `regrant dev` and of `regrant serve` are kept apart: one has users and clients whose passwords everybody
//! knows, and the other is not to get them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use regrant_data_directory::{DATABASE, KEY_FILE};

/// The file that tells the directories of `regrant dev`.
pub(crate) const MARK: &str = "demo";

/// Why a data directory is not for this command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoDirectoryError {
    /// `serve` on a directory of `dev`.
    #[error(
        "{0} was made by `regrant dev`, whose user and clients have passwords that everybody knows; \
         name another directory with --data, or as server.data"
    )]
    OfDemo(String),
    /// `dev` on another directory.
    #[error(
        "{0} was not made by `regrant dev`, which would add a user and clients with passwords that everybody knows; \
         name another directory with --data"
    )]
    NotOfDemo(String),
    /// The operating system refused.
    #[error("{0}: {1}; see that this user may read and write it")]
    Io(String, io::Error),
}

/// Takes an open data directory for `regrant dev`, unless it is that of something else.
pub(crate) fn claim(directory: &Path) -> Result<(), DemoDirectoryError> {
    let mark = directory.join(MARK);
    if mark.exists() {
        return Ok(());
    }
    // A directory with keys alone is that of a server whose store is elsewhere.
    if [DATABASE, KEY_FILE].into_iter().any(|name| directory.join(name).exists()) {
        return Err(DemoDirectoryError::NotOfDemo(directory.display().to_string()));
    }
    make(&mark, directory).map_err(|error| DemoDirectoryError::Io(mark.display().to_string(), error))
}

/// Makes the mark, and lets no power cut take it away again: what is made after it would be taken for something else.
fn make(mark: &Path, directory: &Path) -> io::Result<()> {
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(mark)?.sync_all()?;
    File::open(directory)?.sync_all()
}

/// Fails for a data directory of `regrant dev`.
pub(crate) fn refuse(directory: &Path) -> Result<(), DemoDirectoryError> {
    let mark = directory.join(MARK);
    match fs::metadata(&mark) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(DemoDirectoryError::Io(mark.display().to_string(), error)),
        Ok(_) => Err(DemoDirectoryError::OfDemo(directory.display().to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_for_one_of_the_two() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path();
        assert!(refuse(directory).is_ok(), "a new one is for either");
        claim(directory).unwrap();
        fs::write(directory.join(DATABASE), "").unwrap();
        claim(directory).unwrap();
        assert!(refuse(directory).unwrap_err().to_string().contains("made by `regrant dev`"));
        fs::remove_file(directory.join(MARK)).unwrap();
        assert!(claim(directory).unwrap_err().to_string().contains("not made by `regrant dev`"));
        assert!(refuse(directory).is_ok());
    }
}
