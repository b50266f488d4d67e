use std::path::PathBuf;

use crate::System;

/// Why a source cannot be read at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// No such file or directory, or not ours to read.
    #[error("cannot read {path}: {cause}; check the path and its permissions")]
    File {
        /// As it was given.
        path: PathBuf,
        /// What the system says.
        cause: String,
    },
    /// A SQLite file that SQLite cannot open.
    #[error("cannot open {path} as a SQLite database: {cause}")]
    Sqlite {
        /// As it was given.
        path: PathBuf,
        /// What SQLite says.
        cause: String,
    },
    /// A URL of something that cannot be read.
    #[error(
        "cannot read from {0}://; give a file, or a URL that begins with mysql://, mariadb://, postgres:// or postgresql://"
    )]
    Scheme(String),
    /// A URL with something missing.
    #[error("the database URL cannot be used: {0}")]
    Url(&'static str),
    /// A password where it would be seen by everybody who lists processes.
    #[error(
        "the database URL has a password in it, which every user of this machine can read in the list of processes; leave it out and give it in a file or the environment"
    )]
    PasswordInUrl,
    /// The server is not there, or refuses.
    #[error("cannot connect to {url}: {cause}")]
    Connect {
        /// Without the password.
        url: String,
        /// What the driver says.
        cause: String,
    },
    /// The list of tables cannot be had.
    #[error("cannot list the tables: {0}")]
    Tables(String),
    /// A dump that cannot be read.
    #[error("{path}, line {line}: {fault}")]
    Dump {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: u64,
        /// What is wrong, and what to do.
        fault: String,
    },
    /// A file that is no database and no dump of one.
    #[error("{path} is {found}; {remedy}")]
    Format {
        /// As it was given.
        path: PathBuf,
        /// What it looks like.
        found: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// A table that the system always has.
    #[error("there is no table {table} of {system} here; {found} (known: {})", system.known_versions())]
    NoTable {
        /// Whose it is.
        system: System,
        /// Its name in that system.
        table: String,
        /// What is there instead.
        found: String,
    },
    /// A column that the system always has.
    #[error("table {table} has no column {column}, but {}: is it a table of {system}? (known: {})", present.join(", "), system.known_versions())]
    NoColumn {
        /// Whose table it should be.
        system: System,
        /// Its name here.
        table: String,
        /// What is missing.
        column: &'static str,
        /// The columns that it has.
        present: Vec<String>,
    },
    /// The tables of several installations.
    #[error("there are tables of several installations here: {}; say by --table-prefix which", candidates.join(", "))]
    Ambiguous {
        /// What could be meant.
        candidates: Vec<String>,
    },
    /// Reading began and failed.
    #[error(transparent)]
    Read(#[from] crate::ReadError),
}
