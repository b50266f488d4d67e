//! Files and directories that count only as long as nobody but their owner can write them.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use anyhow::{Context, Result};
use regrant_client::StorageError;

/// All of a file that is this user's alone; `None` where there is none.
///
/// # Errors
/// When it is a link or no file, another user's, open to others, or longer than `bytes_max`; then nothing of it counts.
pub(crate) fn read(path: &Path, bytes_max: usize) -> Result<Option<Vec<u8>>, StorageError> {
    let failed = |action, cause: String| StorageError::File { action, path: path.to_path_buf(), cause };
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        // Opening what is no file may wait for ever, and reading it too.
        Ok(metadata) => {
            let kind = if metadata.is_symlink() { "a symbolic link" } else { "no regular file" };
            return Err(StorageError::NotPlain { path: path.to_path_buf(), kind });
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("open", error.to_string())),
    }
    let file = File::open(path).map_err(|error| failed("open", error.to_string()))?;
    check_private(path, &file)?;
    let mut bytes = Vec::new();
    file.take(bytes_max as u64 + 1).read_to_end(&mut bytes).map_err(|error| failed("read", error.to_string()))?;
    if bytes.len() > bytes_max {
        return Err(failed("read", format!("it is longer than {bytes_max} bytes")));
    }
    Ok(Some(bytes))
}

/// Fails where others than its owner, who has to be this user, could put files into a directory. It need not be there.
///
/// # Errors
/// Whose it is, or who may write it, and what to do.
pub(crate) fn check_directory(path: &Path) -> Result<()> {
    match fs::metadata(path) {
        Ok(metadata) => check_owned(path, &metadata),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("{path:?}")),
    }
}

#[cfg(unix)]
fn check_private(path: &Path, file: &File) -> Result<(), StorageError> {
    use std::os::unix::fs::MetadataExt as _;
    let path = path.to_path_buf();
    let metadata = match file.metadata() {
        Ok(metadata) => metadata,
        Err(error) => return Err(StorageError::File { action: "read", path, cause: error.to_string() }),
    };
    let (owner, user) = (metadata.uid(), rustix::process::geteuid().as_raw());
    let mode = metadata.mode() & 0o777;
    match metadata.nlink() {
        _ if owner != user => Err(StorageError::OtherOwner { path, owner, user }),
        _ if mode & 0o077 != 0 => Err(StorageError::Exposed { path, mode }),
        // 0: it was replaced since it was opened.
        0 | 1 => Ok(()),
        names => Err(StorageError::Linked { path, names }),
    }
}

#[cfg(unix)]
fn check_owned(path: &Path, metadata: &fs::Metadata) -> Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let (owner, user) = (metadata.uid(), rustix::process::geteuid().as_raw());
    let mode = metadata.mode() & 0o777;
    anyhow::ensure!(
        owner == user,
        "{path:?} belongs to user {owner}, and this program runs as user {user}; nothing was read: run it as that user"
    );
    anyhow::ensure!(
        mode & 0o022 == 0,
        "{path:?} may be written by others (mode {mode:o}); nothing was read: look at what is in it, and run chmod 700 on it"
    );
    Ok(())
}

#[cfg(not(unix))]
fn check_private(_: &Path, _: &File) -> Result<(), StorageError> {
    Ok(())
}

#[cfg(not(unix))]
fn check_owned(_: &Path, _: &fs::Metadata) -> Result<()> {
    Ok(())
}
