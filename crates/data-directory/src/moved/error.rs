use std::path::PathBuf;

use regrant_store_postgres::ArrivalError;
use regrant_store_sqlite::OpenError;

use crate::DataDirectoryError;
use crate::renewal::AnotherKey;

/// Why a store was not moved. It is served as before, unless it is said otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MoveError {
    /// There is no store.
    #[error("{} is not there, so there is nothing to move; name the data directory with --data DIR", .0.display())]
    NothingThere(PathBuf),
    /// The database is damaged.
    #[error("{} is damaged: {fault}; restore a backup, and move that", database.display())]
    Unsound {
        /// The database.
        database: PathBuf,
        /// The first thing that is wrong with it.
        fault: String,
    },
    /// The store has a journal, and nobody says where.
    #[error(
        "the store has a revocation journal, and it is not said where: name the configuration of the server on SQLite with --config \
         FILE"
    )]
    JournalNotNamed,
    /// It was moved to, or begun to be moved to, another database.
    #[error("the store of this directory {what} {to} before; name that database")]
    ElsewhereBefore {
        /// Whether it has moved.
        what: &'static str,
        /// Where to.
        to: String,
    },
    /// The directory cannot be used.
    #[error(transparent)]
    Directory(#[from] DataDirectoryError),
    /// The key file is of another store, or lacks a key.
    #[error(
        "master key {kid} of the store is not the one in the key file; put the key file of this store into the data directory"
    )]
    AnotherKey {
        /// Its number.
        kid: u8,
    },
    /// The store cannot be read.
    #[error(transparent)]
    Departure(#[from] OpenError),
    /// The other database does not take it.
    #[error(transparent)]
    Arrival(#[from] ArrivalError),
}

impl From<AnotherKey> for MoveError {
    fn from(AnotherKey(kid): AnotherKey) -> Self {
        Self::AnotherKey { kid: kid.0 }
    }
}
