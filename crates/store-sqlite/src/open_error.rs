use std::path::{Path, PathBuf};

use regrant_store::{OutsideError, RolledBack};
use rusqlite::ErrorCode;

/// Why a store was not opened. The file is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file cannot be made, read or written.
    #[error(
        "{path} cannot be opened for reading and writing: {cause}; let the user of this process write the file and its \
         directory"
    )]
    Inaccessible {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// The file is no database, or one of another program.
    #[error("{path} is not a store of regrant; name another file, or move this one away")]
    NotAStore {
        /// The file.
        path: PathBuf,
    },
    /// The file is a store, but it cannot be read whole.
    #[error("{path} is damaged: {cause}; restore a backup")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        cause: String,
    },
    /// The disk or another process is in the way.
    #[error("{path} is not available: {cause}; look at the disk and at who else uses the file, and try again")]
    Unavailable {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        cause: String,
    },
    /// The file, or what is outside it, was put back to an earlier day.
    #[error("{path} is not what it was: {how}{}", advice(.how))]
    RolledBack {
        /// The file.
        path: PathBuf,
        /// How it is known.
        how: RolledBack,
    },
    /// What is outside the file cannot be used.
    #[error(transparent)]
    Outside(#[from] OutsideError),
    /// A newer version of regrant has written the file.
    #[error("{path} has schema {found}, and this version knows schemas up to {known}; install the newer version again")]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// The schema of the file.
        found: u32,
        /// The newest schema that this version knows.
        known: u32,
    },
    /// An older version of regrant has written the file, and here it is only read.
    #[error("{path} has schema {found}, and this version reads schema {known}; start this version on it once")]
    OlderSchema {
        /// The file.
        path: PathBuf,
        /// The schema of the file.
        found: u32,
        /// The schema that this version works on.
        known: u32,
    },
    /// The file was made by a migration that reads differently in this version.
    #[error(
        "{path} was brought to schema {number} by another text of that migration than this version has; install the \
         version that wrote it"
    )]
    ForeignMigration {
        /// The file.
        path: PathBuf,
        /// The number of the migration.
        number: u32,
    },
    /// SQLite did not accept a setting on which a promise stands.
    #[error("{path}: SQLite has {pragma} = {found} where {wanted} was asked for; put the file on a local file system")]
    Setting {
        /// The file.
        path: PathBuf,
        /// The setting.
        pragma: &'static str,
        /// What was asked for.
        wanted: &'static str,
        /// What was read back.
        found: String,
    },
    /// The SQLite that this program was linked with has a bug that loses data.
    #[error("this program is linked with SQLite {found}, which can lose data; link it with {required} or later")]
    OldLibrary {
        /// Its version number, as `sqlite3_libversion_number` gives it.
        found: i32,
        /// The oldest that is accepted.
        required: i32,
    },
}

/// What to do about a file that was put back; where it is the journal, that is said already.
fn advice(how: &RolledBack) -> &'static str {
    if how.needs_restore() {
        ". Served as it is, used tokens would be good again and what was revoked would live: run `regrant restore`"
    } else {
        ""
    }
}

impl OpenError {
    /// What a failure of SQLite while opening `path` means to the operator.
    pub(crate) fn of_sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        let path = path.to_owned();
        let cause = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotAStore { path },
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged { path, cause },
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
                Self::Inaccessible { path, cause }
            }
            _ => Self::Unavailable { path, cause },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    #[test]
    fn every_failure_of_sqlite_says_what_to_do() {
        for (code, advice) in [
            (ffi::SQLITE_NOTADB, "name another file"),
            (ffi::SQLITE_CORRUPT, "restore a backup"),
            (ffi::SQLITE_CORRUPT_INDEX, "restore a backup"),
            (ffi::SQLITE_CANTOPEN, "let the user of this process"),
            (ffi::SQLITE_READONLY_DIRECTORY, "let the user of this process"),
            (ffi::SQLITE_IOERR_READ, "look at the disk"),
            (ffi::SQLITE_BUSY, "who else uses the file"),
        ] {
            let failure = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            let message = OpenError::of_sqlite(Path::new("regrant.db"), &failure).to_string();
            assert!(message.starts_with("regrant.db ") && message.contains(advice), "{code}: {message}");
        }
    }
}
