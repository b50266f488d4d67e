use std::io;
use std::path::Path;

use regrant_crypto::{KEY_FILE_BYTES_MAX, KeyFileError};

/// Why a data directory cannot be used. Each says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataDirectoryError {
    /// Others may read it.
    #[error("{path} is open to other users (mode {mode:03o}); run: chmod {wanted:03o} {path}")]
    Mode {
        /// The file or directory.
        path: String,
        /// What it has.
        mode: u32,
        /// What it should have.
        wanted: u32,
    },
    /// It belongs to another user.
    #[error(
        "{path} belongs to the user of number {owner}, and this is user {we}; run it as that user: sudo -u '#{owner}' regrant …"
    )]
    Owner {
        /// The directory.
        path: String,
        /// The number of the user that it belongs to.
        owner: u32,
        /// The number of the user that this process runs as.
        we: u32,
    },
    /// Not a directory.
    #[error("{0} is not a directory; name another with --data")]
    NotADirectory(String),
    /// Another process has it open.
    #[error("{0} is in use by a running regrant; stop that one, or name another directory with --data")]
    InUse(String),
    /// There is a store and no key file.
    #[error(
        "{key_file} is missing beside a store that was made with it; restore the key file from your copy. \
         Without it no token of this store can be checked: to begin anew, move {directory} away"
    )]
    KeyFileMissing {
        /// Where the key file should be.
        key_file: String,
        /// The data directory.
        directory: String,
    },
    /// The store of several nodes was made with a key file, and there is none here.
    #[error(
        "{key_file} is missing, and {store} was made with one; copy the key file of another node there, or your copy of it. \
         Without it no token of this store can be checked, and a new one is not made"
    )]
    KeyFileNotCopied {
        /// Where the key file should be.
        key_file: String,
        /// The database.
        store: String,
    },
    /// The directory belongs to a store of another kind.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    #[error(
        "{file} says that the store of this data directory is {known}, and {named} is to be opened; {advice}. Where {named} is meant, \
         move {file} away"
    )]
    StoreOfAnotherKind {
        /// What says so.
        file: String,
        /// What keeps the store of the directory.
        known: crate::StoreKind,
        /// The store that was to be opened.
        named: String,
        /// What else may be wrong.
        advice: &'static str,
    },
    /// The store that the directory belongs to is not where it was.
    #[error(
        "there is no store in {place}, and {file} says that this data directory belongs to one; {advice}. To begin a new store, move \
         {file} away"
    )]
    StoreMissing {
        /// What says so.
        file: String,
        /// Where it should be.
        place: String,
        /// What to do.
        advice: &'static str,
    },
    /// The directory belongs to another store.
    #[error(
        "{place} is another store than the one that this data directory belongs to by {file}; {advice}. Where that store is meant, move \
         {file} away"
    )]
    AnotherStore {
        /// What says so.
        file: String,
        /// Where the other store is.
        place: String,
        /// What to do.
        advice: &'static str,
    },
    /// It is not said which store the directory belongs to.
    #[error(
        "{0} does not say which store this data directory belongs to; put it back from a copy, or, where the configuration names the \
         right store, move it away: another is written"
    )]
    StoreFile(String),
    /// There is no database, and its mark says that there was one.
    #[error(
        "{database} is missing or empty, and {mark} says how far it had come; restore a backup with `regrant restore`, or, to begin a \
         new store, move {mark} away"
    )]
    DatabaseMissing {
        /// Where the database should be.
        database: String,
        /// The high-water mark.
        mark: String,
    },
    /// The store has a journal, and nobody says where.
    #[error(
        "the store in {0} has a revocation journal, and it is not said where: what ends now would be in none, and a restore would undo \
         it. Name the configuration of the server with --config FILE"
    )]
    JournalNotNamed(String),
    /// A restore was broken off.
    #[error("{0} is what a restore has left that was broken off; run `regrant restore` again")]
    RestoreUnfinished(String),
    /// The store is elsewhere now.
    #[error(
        "the store of {directory} was moved to {to}; name that database in store.url of the configuration. What is left here would \
         make dead tokens good again"
    )]
    StoreMoved {
        /// The data directory.
        directory: String,
        /// Where the store is.
        to: String,
    },
    /// The store may be elsewhere by now.
    #[error(
        "a move of the store of {directory} to {to} was broken off; run `regrant migrate-store` again, which ends it"
    )]
    StoreMoving {
        /// The data directory.
        directory: String,
        /// Where the store may be.
        to: String,
    },
    /// The note about a move cannot be read.
    #[error(
        "{0} is damaged: it does not say where the store has moved; write the line `moved-to` and the URL of the database that has \
         the store into it, or remove it if none has"
    )]
    MoveNote(String),
    /// The key file cannot be read.
    #[error("{0}: {1}")]
    KeyFile(String, KeyFileError),
    /// The key file is too long to be one.
    #[error("{0} is larger than {KEY_FILE_BYTES_MAX} bytes, so it is not a key file; restore it from your copy")]
    KeyFileTooLong(String),
    /// The database cannot be opened.
    #[cfg(feature = "sqlite")]
    #[error(transparent)]
    Database(#[from] regrant_store_sqlite::OpenError),
    /// The database of several nodes cannot be opened.
    #[cfg(feature = "postgres")]
    #[error(transparent)]
    Postgres(#[from] regrant_store_postgres::OpenError),
    /// The store was opened and does not answer.
    #[cfg(feature = "postgres")]
    #[error("{store}: {error}")]
    Store {
        /// The database.
        store: String,
        /// What it met.
        error: regrant_store::StoreError,
    },
    /// The operating system refused.
    #[error("{path}: {error}; see that this user may read and write it, and that the disk is there and not full")]
    Io {
        /// What it refused.
        path: String,
        /// Why.
        error: io::Error,
    },
}

pub(crate) fn io_error(path: &Path, error: io::Error) -> DataDirectoryError {
    DataDirectoryError::Io { path: path.display().to_string(), error }
}
