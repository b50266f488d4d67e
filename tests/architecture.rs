//! The shape of the house, tested: who may use whom, and what must be absent where.
//!
//! Every rule is a table of data with the sentence that it stands for; a failure prints the sentence.

#[path = "architecture/arrows.rs"]
mod arrows;
#[path = "architecture/captions.rs"]
mod captions;
#[path = "architecture/libraries.rs"]
mod libraries;
#[path = "architecture/names.rs"]
mod names;
#[path = "architecture/purity.rs"]
mod purity;
#[path = "architecture/sql.rs"]
mod sql;
#[path = "architecture/workspace.rs"]
mod workspace;

/// Fails with every sentence of `violations`, and does nothing if there is none.
#[track_caller]
fn assert_none(violations: &[String]) {
    assert!(violations.is_empty(), "\n\n{}\n", violations.join("\n\n"));
}
