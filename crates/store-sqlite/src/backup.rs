use std::fs::{self, File, OpenOptions, TryLockError};
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
/// It is written as `copy.partial` and has its own name only when all of it is there. What a process that ended on the way has
/// left under that other name is written over.
///
/// # Errors
/// [`BackupError`], each with what to do.
pub fn back_up(path: &Path, copy: &Path) -> Result<u64, BackupError> {
    if copy.symlink_metadata().is_ok() {
        return Err(BackupError::Exists(copy.to_owned()));
    }
    let partial = beside(copy, PARTIAL);
    let _alone = begin(&partial).map_err(|error| unwritable(copy, &error))?;
    let written = write(path, &partial)
        .and_then(|()| check(path, &partial))
        .and_then(|bytes| name(&partial, copy).map(|()| bytes));
    // What cannot be removed is written over by the next copy.
    let _ = remove(&partial);
    written
}

/// Makes an empty file, which SQLite fills; made here, nobody else can read it. While what it returns is held, no other process
/// begins the same copy.
fn begin(partial: &Path) -> io::Result<(Option<File>, File)> {
    let leftover = match File::open(partial) {
        Ok(leftover) => Some(locked(leftover)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    remove(partial)?;
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(partial)?;
    Ok((leftover, locked(made)?))
}

fn locked(file: File) -> io::Result<File> {
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(io::Error::other("another backup is writing it")),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Gives the finished copy its name, unless another has it by now, and makes both durable.
fn name(partial: &Path, copy: &Path) -> Result<(), BackupError> {
    let sync =
        |path: &Path| File::open(path).and_then(|file| file.sync_all()).map_err(|error| unwritable(copy, &error));
    sync(partial)?;
    match fs::hard_link(partial, copy) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(BackupError::Exists(copy.to_owned()));
        }
        Err(error) => return Err(unwritable(copy, &error)),
    }
    sync(copy.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

/// Removes an unfinished copy, and its journal: beside another copy it would undo that one.
fn remove(partial: &Path) -> io::Result<()> {
    for path in [beside(partial, JOURNAL), partial.to_owned()] {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn unwritable(copy: &Path, error: &io::Error) -> BackupError {
    BackupError::Unwritable { path: copy.to_owned(), cause: error.to_string() }
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

/// What a copy that is not finished has behind its name.
const PARTIAL: &str = ".partial";
/// What SQLite's journal of a file has behind its name.
const JOURNAL: &str = "-journal";

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
        // As kill -9 leaves it: half a copy, and a journal that would undo the next one.
        fs::write(directory.path().join("copy.db.partial"), "half").unwrap();
        fs::write(directory.path().join("copy.db.partial-journal"), "half").unwrap();
        back_up(&path, &copy).unwrap();
        let words: String =
            Connection::open(&copy).unwrap().query_row("SELECT word FROM words", [], |row| row.get(0)).unwrap();
        assert_eq!(words, "kept");
        let names = || fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        assert_eq!(names().filter(|name| name.starts_with("copy")).collect::<Vec<_>>(), ["copy.db"]);
        fs::remove_file(&copy).unwrap();
        let other = begin(&beside(&copy, PARTIAL)).unwrap();
        let told = back_up(&path, &copy).unwrap_err().to_string();
        assert!(told.contains("another backup is writing it"), "{told}");
        drop(other);
        fs::write(&copy, "a letter").unwrap();
        assert!(matches!(back_up(&path, &copy), Err(BackupError::Exists(_))));
        assert_eq!(fs::read_to_string(&copy).unwrap(), "a letter");
    }
}
