/// Why a store did not do what it was asked for. In every case nothing was changed that anybody was told of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The disk or the database failed; the cause, for the log.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// Too many steps are waiting.
    #[error("{0} steps are waiting for the store, which is the most that may")]
    Overloaded(usize),
    /// The step was not begun in time: its sender may have given up.
    #[error("the step waited too long for the store and was not begun")]
    TooLate,
    /// The store is older than tokens that it issued, and decides nothing until it was restored.
    #[error("the store is older than tokens that it issued; stop the server and run `regrant restore`")]
    RolledBack,
    /// A newer version has brought the store to a schema on which this one does not work.
    #[error(
        "the store has a schema on which a version works that knows schema {needed} or later, and this one knows {known}; install a \
         newer version"
    )]
    NewerSchema {
        /// The schema that has to be known.
        needed: i32,
        /// The newest schema that this version knows.
        known: i32,
    },
    /// A row cannot be what it is.
    #[error("table {table}, column {column}, row {row}: {problem}; restore a backup, or report this")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The key of the row, never a secret.
        row: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// Why a client or user was not added or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// There is one of this name, or there was one.
    #[error("{0:?} is taken, by a client or user that exists or was removed; choose another")]
    Taken(String),
    /// There is none of this name.
    #[error("there is no {0:?}")]
    Unknown(String),
    /// What the change was made of is not what there is any more.
    #[error("{0:?} was changed by somebody else meanwhile, and stays as it is now; look at it, and ask again")]
    Outdated(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
