//! `cargo xtask prove KIND`: the proofs that take longer than a test.

use crate::apt::{self, Program};
use crate::cargo::cargo;
use crate::clients;

/// Installs what [`PROGRAMS`] names, for the kind `client` the servers of other makers too, for `--store postgres` PostgreSQL, and
/// runs the proofs that `arguments` name.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    apt::install_missing(PROGRAMS)?;
    if arguments.contains(&"client") {
        apt::install_missing(PROGRAMS_OF_SERVERS)?;
        clients::install_servers()?;
    }
    if arguments.contains(&"postgres") || arguments.contains(&"--store=postgres") {
        apt::install_missing(PROGRAMS_OF_POSTGRES)?;
    }
    let proofs = "run --quiet --release --package regrant-prove --features planted-faults --";
    cargo(&[&[proofs], arguments].concat().join(" "))
}

/// The programs that proofs start, beside our own.
const PROGRAMS: &[Program] = &[Program::new("strace", "strace")];

/// The database that proofs with several nodes start themselves.
const PROGRAMS_OF_POSTGRES: &[Program] = &[Program::new("pg_ctlcluster", "postgresql")];

/// The programs that start and install the servers of other makers.
const PROGRAMS_OF_SERVERS: &[Program] = &[
    Program::new("node", "nodejs"),
    Program::new("npm", "npm"),
    Program::new("python3 -m ensurepip --version", "python3-venv"),
];
