//! The data directory: database, key file and lock, readable by their owner only.

mod data_directory;
mod error;
mod key_file;
mod owner_only;

#[cfg(test)]
mod tests;

pub use data_directory::{DATABASE, DataDirectory, LOCK_FILE};
pub use error::DataDirectoryError;
pub use key_file::KEY_FILE;
