//! The data directory of a process: key file, lock and, with SQLite, the database, readable by their owner only; and the store that
//! fits the keys.
//!
//! - Feature `sqlite`: the store in the directory itself.
//! - Feature `postgres`: the store of several nodes, each of which has a directory with the same key file.

mod data_directory;
mod error;
mod key_file;
mod owner_only;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests;

pub use data_directory::{DataDirectory, LOCK_FILE};
pub use error::DataDirectoryError;
pub use key_file::KEY_FILE;
#[cfg(feature = "sqlite")]
pub use sqlite::DATABASE;
