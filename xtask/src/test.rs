//! `cargo xtask test`: every test of the workspace, on a machine that may have nothing installed.

use crate::apt::{self, Program};
use crate::cargo::cargo;

/// Installs what [`PROGRAMS`] names, builds the program, and runs every test.
pub(crate) fn run() -> Result<(), String> {
    apt::install_missing(PROGRAMS)?;
    // The end-to-end tests start the program as a child process, and cargo builds a binary by
    // itself for the tests of its own package only.
    cargo("build --package regrant-server --bin regrant")?;
    cargo("test --workspace")
}

/// The programs that tests start, beside our own.
const PROGRAMS: &[Program] = &[Program::new("curl", "curl")];
