use regrant_store::MovedTable;

use crate::OpenError;

/// Why no store was moved into a database. The database is as it was, unless it is said otherwise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArrivalError {
    /// The database cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is another store, or the beginning of one.
    #[error("{address} is not empty: its table {table} has rows of {whose}; name an empty database")]
    NotEmpty {
        /// The database.
        address: String,
        /// A table with rows.
        table: &'static str,
        /// Whose they are.
        whose: &'static str,
    },
    /// Somebody works in the tables.
    #[error("{address} is in use: {cause}; stop whoever uses it, and run this again")]
    InUse {
        /// The database.
        address: String,
        /// What the server said.
        cause: String,
    },
    /// A row cannot be written there.
    #[error("{address} does not take the rows of {table}: {cause}; look at that, and run this again")]
    Refused {
        /// The database.
        address: String,
        /// The table.
        table: MovedTable,
        /// What the server said.
        cause: String,
    },
    /// The database has something else than what was written.
    #[error(
        "{address} has {found} rows in {table} that are not the {expected} that were written; look at the server, and run this again"
    )]
    Differs {
        /// The database.
        address: String,
        /// The table.
        table: MovedTable,
        /// How many rows were written.
        expected: u64,
        /// How many were read.
        found: u64,
    },
    /// Nobody knows whether the store is there now.
    #[error(
        "{address} did not say whether it has committed: {cause}; when it is there again, run this again, which looks"
    )]
    Unknown {
        /// The database.
        address: String,
        /// What was met.
        cause: String,
    },
}
