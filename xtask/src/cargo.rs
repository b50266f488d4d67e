//! Running cargo, the same one that runs us.

use std::env;
use std::ffi::OsString;
use std::process::Command;

use crate::command;

/// Runs `cargo` with `arguments`, which are separated by single spaces.
///
/// Fails if cargo cannot be started or does not succeed.
pub(crate) fn cargo(arguments: &str) -> Result<(), String> {
    command::run(&format!("cargo {arguments}"), &mut prepared(arguments))
}

/// Like [`cargo`], with the environment variable `name` set to `value`.
pub(crate) fn cargo_with(arguments: &str, name: &str, value: &str) -> Result<(), String> {
    command::run(&format!("{name}={value} cargo {arguments}"), prepared(arguments).env(name, value))
}

fn prepared(arguments: &str) -> Command {
    // Inside `cargo run`, CARGO names the very cargo that was called, toolchain included.
    let program = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.args(arguments.split(' '));
    command
}
