use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::OpenError;
use crate::examine::{examine, open_to_read};

/// Why there is no backup. What was there before is as it was, and nothing else was left behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// There is a file already.
    #[error("{} is there already; a backup replaces nothing: name another file", .0.display())]
    Exists(PathBuf),
    /// The copy cannot be written.
    #[error("{} cannot be written: {cause}; name a file in a directory that this process may write to", path.display())]
    Unwritable {
        /// The copy.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// The store cannot be read, or the copy cannot.
    #[error(transparent)]
    Unreadable(#[from] OpenError),
    /// What was written is not what was read.
    #[error("the copy {} is not sound: {fault}; look at the disk, and run `regrant doctor`", path.display())]
    Unsound {
        /// The copy.
        path: PathBuf,
        /// The first thing that is wrong with it.
        fault: String,
    },
}

/// Copies the store at `path`, as it is at one moment, to the new file `copy`, which only its owner may read. The store may be
/// open and in use meanwhile, here or in another process. When it returns, the copy is on the disk and was read back whole. How
/// many bytes it has.
///
/// # Errors
/// [`BackupError`], each with what to do.
pub fn back_up(path: &Path, copy: &Path) -> Result<u64, BackupError> {
    let unwritable = |error: io::Error| BackupError::Unwritable { path: copy.to_owned(), cause: error.to_string() };
    // SQLite fills an empty file; made here, nobody else can read it, and one that is there is not touched.
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(copy) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(BackupError::Exists(copy.to_owned()));
        }
        Err(error) => return Err(unwritable(error)),
    }
    let written = write(path, copy).and_then(|()| sync(copy).map_err(unwritable)).and_then(|()| check(path, copy));
    if written.is_err() {
        // What cannot be removed either is told by what went wrong before.
        let _ = fs::remove_file(copy);
    }
    written
}

fn write(path: &Path, copy: &Path) -> Result<(), BackupError> {
    let target = copy
        .to_str()
        .ok_or_else(|| BackupError::Unwritable { path: copy.to_owned(), cause: "the path is not UTF-8".to_owned() })?;
    let connection = open_to_read(path)?;
    connection
        .execute(COPY, [target])
        .map(drop)
        .map_err(|error| BackupError::Unwritable { path: copy.to_owned(), cause: error.to_string() })
}

/// Makes file and name durable.
fn sync(copy: &Path) -> io::Result<()> {
    File::open(copy)?.sync_all()?;
    let directory = copy.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}

fn check(path: &Path, copy: &Path) -> Result<u64, BackupError> {
    let unsound = |fault: String| BackupError::Unsound { path: copy.to_owned(), fault };
    let found = examine(copy)?;
    if let Some(fault) = found.faults.into_iter().next() {
        return Err(unsound(fault));
    }
    let wanted = crate::connection::schema(&open_to_read(path)?, path)?;
    if found.schema != wanted {
        return Err(unsound(format!("it has schema {} instead of {wanted}", found.schema)));
    }
    let metadata = fs::metadata(copy).map_err(|error| unsound(error.to_string()))?;
    Ok(metadata.len())
}

/// A snapshot: in WAL mode, writers go on meanwhile.
const COPY: &str = "VACUUM INTO ?1";

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use rusqlite::Connection;

    use super::*;
    use crate::connection::{connect, create};

    fn store(path: &Path) -> Connection {
        create(path).unwrap();
        let connection = connect(path).unwrap();
        connection
            .execute_batch(
                "PRAGMA application_id = 0x72676e74; PRAGMA user_version = 7; CREATE TABLE words (word TEXT) STRICT",
            )
            .unwrap();
        connection.execute("INSERT INTO words VALUES ('kept')", []).unwrap();
        connection
    }

    #[test]
    fn a_copy_has_what_is_committed_while_the_store_is_open_and_nothing_else_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let (path, copy) = (directory.path().join("regrant.db"), directory.path().join("copies.db"));
        let open = store(&path);
        let transaction = open.unchecked_transaction().unwrap();
        transaction.execute("INSERT INTO words VALUES ('not committed')", []).unwrap();

        let bytes = back_up(&path, &copy).unwrap();
        assert_eq!(bytes, fs::metadata(&copy).unwrap().len());
        assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
        let words: String = Connection::open(&copy)
            .unwrap()
            .query_row("SELECT group_concat(word) FROM words", [], |row| row.get(0))
            .unwrap();
        assert_eq!(words, "kept");
        let names: Vec<String> =
            fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        assert_eq!(names.iter().filter(|name| name.starts_with("copies")).count(), 1, "{names:?}");
    }

    #[test]
    fn what_is_there_is_not_replaced_and_a_failure_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let (path, copy) = (directory.path().join("regrant.db"), directory.path().join("copy.db"));
        assert!(matches!(back_up(&path, &copy), Err(BackupError::Unreadable(_))), "there is no store");
        assert!(!copy.exists());
        drop(store(&path));
        let nowhere = directory.path().join("nowhere/copy.db");
        assert!(matches!(back_up(&path, &nowhere), Err(BackupError::Unwritable { .. })));
        fs::write(&copy, "a letter").unwrap();
        assert!(matches!(back_up(&path, &copy), Err(BackupError::Exists(_))));
        assert_eq!(fs::read_to_string(&copy).unwrap(), "a letter");
    }
}
