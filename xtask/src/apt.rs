//! Programs of the system that the tests start, installed with apt-get where they are missing.

use std::env;
use std::ffi::OsStr;
use std::process::Command;

use crate::command;

/// A program of the system, and where it comes from.
pub(crate) struct Program {
    command: &'static str,
    debian_package: &'static str,
}

impl Program {
    /// The program that is started as `command` and lies in `debian_package`.
    ///
    /// A command with arguments is run to find out: it succeeds where the program has all that is needed of it.
    pub(crate) const fn new(command: &'static str, debian_package: &'static str) -> Self {
        Self { command, debian_package }
    }
}

/// Installs the packages of those `programs` that are missing; does nothing if none is.
///
/// Needs root for that. Without, the error is the command to run by hand.
pub(crate) fn install_missing(programs: &[Program]) -> Result<(), String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let packages = packages_of_missing(programs, |command| is_present(command, &path));
    if packages.is_empty() {
        return Ok(());
    }
    let packages = packages.join(" ");
    if !is_root()? {
        return Err(format!(
            "the tests need programs that are missing; install them with:\n\n    \
             sudo apt-get update && sudo apt-get install --yes {packages}\n"
        ));
    }
    println!("installing what the tests need: {packages}");
    apt_get("update")?;
    apt_get(&format!("install --yes --no-install-recommends {packages}"))
}

/// The packages to install, each once, in the order of `programs`.
fn packages_of_missing(programs: &[Program], is_present: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let mut packages = Vec::new();
    for program in programs {
        if !is_present(program.command) && !packages.contains(&program.debian_package) {
            packages.push(program.debian_package);
        }
    }
    packages
}

fn is_present(command: &str, path: &OsStr) -> bool {
    match command.split_once(' ') {
        None => env::split_paths(path).any(|folder| folder.join(command).is_file()),
        Some((name, arguments)) => {
            Command::new(name).args(arguments.split(' ')).output().is_ok_and(|output| output.status.success())
        }
    }
}

/// Whether this is root.
pub(crate) fn is_root() -> Result<bool, String> {
    let output = Command::new("id")
        .arg("-u")
        .output()
        .map_err(|error| format!("`id -u` cannot be started, so whether this is root is unknown: {error}"))?;
    Ok(output.stdout.trim_ascii() == b"0")
}

fn apt_get(arguments: &str) -> Result<(), String> {
    let mut apt_get = Command::new("apt-get");
    apt_get.args(arguments.split(' ')).env("DEBIAN_FRONTEND", "noninteractive");
    command::run(&format!("apt-get {arguments}"), &mut apt_get)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAMS: &[Program] =
        &[Program::new("psql", "postgresql"), Program::new("curl", "curl"), Program::new("pg_ctl", "postgresql")];

    #[test]
    fn only_what_is_missing_is_installed_and_each_package_once() {
        let cases: &[(&[&str], &[&str])] = &[
            (&["psql", "curl", "pg_ctl"], &[]),
            (&["psql", "pg_ctl"], &["curl"]),
            (&["curl"], &["postgresql"]),
            (&[], &["postgresql", "curl"]),
        ];
        for (present, expected) in cases {
            let packages = packages_of_missing(PROGRAMS, |name| present.contains(&name));
            assert_eq!(packages, *expected, "with {present:?} present");
        }
    }

    #[test]
    fn a_command_with_arguments_is_present_where_it_succeeds() {
        let cases = [("sh", true), ("sh -c true", true), ("sh -c false", false), ("no-such-program -c true", false)];
        let path = env::var_os("PATH").unwrap_or_default();
        for (command, expected) in cases {
            assert_eq!(is_present(command, &path), expected, "{command}");
        }
    }
}
