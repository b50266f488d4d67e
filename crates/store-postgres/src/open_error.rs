use std::error::Error;
use std::io;

use regrant_protocol::Timestamp;
use regrant_store::{OutsideError, RolledBack, StoreError};
use tokio_postgres::error::SqlState;

/// Why a store was not opened, migrated or restored. The database is as it was, but for [`OpenError::Unknown`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Nobody answers there, or not as a database.
    #[error(
        "{address} is not available: {cause}; look whether the server runs and can be reached from here, and try again"
    )]
    Unavailable {
        /// Where it was looked for.
        address: String,
        /// What was met there.
        cause: String,
    },
    /// The server does not let us in.
    #[error(
        "{address} refuses us: {cause}; check user and password, and what pg_hba.conf of the server says of this host"
    )]
    Refused {
        /// The database.
        address: String,
        /// What the server said.
        cause: String,
    },
    /// The server has no such database.
    #[error("{address}: {cause}; create it, and let the user of it make a schema there")]
    NoDatabase {
        /// The database.
        address: String,
        /// What the server said.
        cause: String,
    },
    /// The user may not do what a store needs.
    #[error("{address} does not let us work: {cause}; let the user own the schema `regrant` of the database")]
    Forbidden {
        /// The database.
        address: String,
        /// What the server said.
        cause: String,
    },
    /// Nothing can be written there.
    #[error(
        "{address} can only be read: it is a replica, or was told so; name the primary, or all hosts of the cluster"
    )]
    ReadOnly {
        /// The database.
        address: String,
    },
    /// The way is not secured as was asked for.
    #[error(
        "{address} cannot be reached by TLS: {cause}; check sslmode and sslrootcert, and the certificate of the server"
    )]
    Tls {
        /// The database.
        address: String,
        /// What was wrong.
        cause: String,
    },
    /// The server is of a version on which the store was never tried.
    #[error("{address} is PostgreSQL {found}, and {oldest} is the oldest that will do; bring the server up to date")]
    OldServer {
        /// The database.
        address: String,
        /// Its version number, as `server_version_num` has it.
        found: i32,
        /// The oldest that is accepted.
        oldest: i32,
    },
    /// The server did not accept a setting on which a promise stands.
    #[error("{address} has {setting} = {found} where {wanted} is needed; {advice}")]
    Setting {
        /// The database.
        address: String,
        /// The setting.
        setting: &'static str,
        /// What is needed.
        wanted: &'static str,
        /// What was read back.
        found: String,
        /// What to do.
        advice: &'static str,
    },
    /// The schema is somebody else's.
    #[error("{address} has a schema `regrant` that is no store; name another database, or rename that schema")]
    NotAStore {
        /// The database.
        address: String,
    },
    /// There is nothing.
    #[error(
        "{address} has no store of regrant in it; put the backup back there first, by pg_restore or from the archive of the log"
    )]
    NoStore {
        /// The database.
        address: String,
    },
    /// A version of regrant has been here that this one cannot work beside.
    #[error(
        "{address} has schema {found}, on which a version works that knows schema {needed} or later, and this one knows {known}; \
         install a newer version"
    )]
    NewerSchema {
        /// The database.
        address: String,
        /// The schema there.
        found: i32,
        /// The schema that has to be known to work on it.
        needed: i32,
        /// The newest schema that this version knows.
        known: i32,
    },
    /// The database was made by a migration that reads differently in this version.
    #[error(
        "{address} was brought to schema {number} by another text of that migration than this version has; install the \
         version that wrote it"
    )]
    ForeignMigration {
        /// The database.
        address: String,
        /// The number of the migration.
        number: i32,
    },
    /// What the store is known by cannot be read.
    #[error("{address} is damaged: {cause}; restore a backup")]
    Damaged {
        /// The database.
        address: String,
        /// What was found.
        cause: String,
    },
    /// There has been another primary since.
    #[error(
        "{address} was the primary before another server was promoted: it is on timeline {found}, and {newest} was used already; stop it, or \
         let it follow the new one"
    )]
    FormerPrimary {
        /// The database.
        address: String,
        /// Its timeline.
        found: u32,
        /// The newest that was met.
        newest: u32,
    },
    /// There is another store than the one that was opened.
    #[error(
        "{address} is another store than the one that was opened; start the process again, with the database it is for"
    )]
    OtherStore {
        /// The database.
        address: String,
    },
    /// The database was put back to an earlier day, or a standby took over that did not have everything.
    #[error("{address} is not what it was: {how}{}", advice(.how))]
    RolledBack {
        /// The database.
        address: String,
        /// How it is known.
        how: RolledBack,
    },
    /// One of the nodes found out before that it was put back.
    #[error(
        "{address} is not what it was: a node found so at {}, by its high-water mark or by a token that is ahead of its row; stop all \
         nodes, and run `regrant restore`",
        at.to_rfc3339()
    )]
    Halted {
        /// The database.
        address: String,
        /// When.
        at: Timestamp,
    },
    /// A restore or a migration was not told what became of its commit.
    #[error("{address}: {cause}; whether it is done is not known: run it again, which is right in both cases")]
    Unknown {
        /// The database.
        address: String,
        /// What was met.
        cause: String,
    },
    /// The store has a journal, and this node is not told where.
    #[error(
        "the store in {address} has a revocation journal, and it is not said where: what ends here would be in none. Name it in store.journal, \
         as every node has to"
    )]
    JournalNotNamed {
        /// The database.
        address: String,
    },
    /// The store was restored since it was opened.
    #[error("{address} was restored since it was opened here; start the process again")]
    Restored {
        /// The database.
        address: String,
    },
    /// What is outside the database cannot be used.
    #[error(transparent)]
    Outside(#[from] OutsideError),
}

/// What helps.
fn advice(how: &RolledBack) -> &'static str {
    match how.needs_restore() {
        true => "; stop all nodes, and run `regrant restore`",
        false => "",
    }
}

impl OpenError {
    /// What it means for a store that is open already.
    pub(crate) fn while_open(self) -> StoreError {
        if let Self::NewerSchema { needed, known, .. } = self {
            return StoreError::NewerSchema { needed, known };
        }
        if matches!(self, Self::RolledBack { .. }) {
            return StoreError::RolledBack;
        }
        StoreError::Unavailable(self.to_string())
    }

    /// What a failure of the driver at `address` means to the operator.
    pub(crate) fn of_driver(address: String, error: &tokio_postgres::Error) -> Self {
        let cause = said(error);
        let source = error.source();
        if let Some(code) = error.code() {
            return match *code {
                SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
                    Self::Refused { address, cause }
                }
                SqlState::INVALID_CATALOG_NAME => Self::NoDatabase { address, cause },
                SqlState::INSUFFICIENT_PRIVILEGE => Self::Forbidden { address, cause },
                SqlState::READ_ONLY_SQL_TRANSACTION => Self::ReadOnly { address },
                _ => Self::Unavailable { address, cause },
            };
        }
        // The driver has no other word for these.
        let io_error = source.and_then(|source| source.downcast_ref::<io::Error>());
        if io_error.is_some_and(|error| error.to_string() == "database does not allow writes") {
            Self::ReadOnly { address }
        } else if error.to_string().contains("TLS") {
            Self::Tls { address, cause }
        } else if source.is_some_and(|source| source.to_string().contains("password missing")) {
            Self::Refused { address, cause: "it asks for a password, and none was given".to_owned() }
        } else {
            Self::Unavailable { address, cause }
        }
    }
}

/// Where a session has statements that it never prepared, or lacks those that it did.
const POOLER: &str = "a pooler in between gives our sessions to others: let it keep them, as by pool_mode = session";

/// What the server or the system said, which the driver's own message hides behind the kind of the error.
pub(crate) fn said(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), error.source()) {
        (Some(answer), _)
            if [SqlState::DUPLICATE_PSTATEMENT, SqlState::INVALID_SQL_STATEMENT_NAME].contains(answer.code()) =>
        {
            format!("{} ({POOLER})", answer.message())
        }
        (Some(answer), _) => answer.message().to_owned(),
        (None, Some(source)) => source.to_string(),
        (None, None) => error.to_string(),
    }
}
