//! `cargo xtask prove KIND`: the proofs that take longer than a test.

use crate::apt::{self, Program};
use crate::cargo::cargo;

/// Installs what [`PROGRAMS`] names, and runs the proofs that `arguments` name.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    apt::install_missing(PROGRAMS)?;
    let proofs = "run --quiet --release --package regrant-prove --features planted-faults --";
    cargo(&[&[proofs], arguments].concat().join(" "))
}

/// The programs that proofs start, beside our own.
const PROGRAMS: &[Program] = &[Program::new("strace", "strace")];
