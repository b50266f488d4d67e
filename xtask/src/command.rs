//! Starting a program with its output shown.

use std::process::Command;

/// Prints `line`, which is what a person would type, runs `command` and waits for it.
///
/// Fails if it cannot be started or does not succeed.
pub(crate) fn run(line: &str, command: &mut Command) -> Result<(), String> {
    println!("$ {line}");
    let status = command.status().map_err(|error| format!("`{line}` cannot be started: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{line}` failed with {status}")) }
}
