//! The data directory of a process: key file, lock and, with SQLite, the database, readable by their owner only; and the store that
//! fits the keys.
//!
//! - Feature `sqlite`: the store in the directory itself.
//! - Feature `postgres`: the store of several nodes, each of which has a directory with the same key file.

#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod checksum;
mod data_directory;
#[cfg(feature = "sqlite")]
mod database_files;
mod error;
mod file_lock;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod hex;
#[cfg(feature = "sqlite")]
mod journal;
mod key_file;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod known_store;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod mark;
mod move_note;
#[cfg(all(feature = "postgres", feature = "sqlite"))]
mod moved;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod outside;
mod owner_only;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod renewal;
mod replace_file;
#[cfg(feature = "sqlite")]
mod restore;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod restore_error;
#[cfg(feature = "postgres")]
mod restore_postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests;

pub use data_directory::{DataDirectory, LOCK_FILE};
pub use error::DataDirectoryError;
pub use key_file::KEY_FILE;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use known_store::{KnownStore, STORE_FILE, StoreKind};
#[cfg(all(feature = "postgres", feature = "sqlite"))]
pub use moved::{MOVED_DATABASE, MoveError, MoveProgress, MoveStage, StoreMoved};
#[cfg(feature = "sqlite")]
pub use sqlite::DATABASE;
#[cfg(feature = "sqlite")]
pub use {journal::JOURNAL_LINE_BYTES_MAX, restore::Restoration};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use {
    mark::MARK_FILE,
    outside::OutsideFiles,
    renewal::{RECOVERY_SECONDS_MAX, RestorePolicy, Restored},
    restore_error::RestoreError,
};
