//! `cargo xtask ci`: what every change must pass.

use crate::cargo::{cargo, cargo_with};
use crate::stage::{self, Stage};
use crate::{test, words};

/// Runs [`STAGES`], and fails at the first that fails.
pub(crate) fn run() -> Result<(), String> {
    stage::run(STAGES)
}

/// The stages in the order they run; the tests come first, since they say most about a change.
const STAGES: &[Stage] = &[
    Stage::new("test", test::run),
    Stage::new("format", || cargo("fmt --all --check")),
    Stage::new("clippy", || cargo("clippy --workspace --all-targets -- -D warnings")),
    Stage::new("docs", || cargo_with("doc --workspace --no-deps", "RUSTDOCFLAGS", "-Dwarnings")),
    Stage::new("words", words::run),
];
