//! `cargo xtask test`: every test of the workspace, on a machine that may have nothing installed.

use std::env;

use crate::apt::{self, Program};
use crate::cargo::{cargo, cargo_with};
use crate::clients;
use crate::memory::MemoryFolder;

/// Installs what [`PROGRAMS`] and the clients and servers of other makers need, and runs every test.
pub(crate) fn run() -> Result<(), String> {
    apt::install_missing(PROGRAMS)?;
    clients::install()?;
    clients::install_servers()?;
    // The programs that tests start are built with the tests of their own packages. Each of them alone would build what they
    // depend on once more, with fewer features.
    let tests = format!("test --workspace --features {FEATURES}");
    // Some of what is tested works under a bound of time, which must not be spent on waiting for a disk that others are writing to.
    let folder = if env::var_os("TMPDIR").is_some() { None } else { MemoryFolder::make() };
    match folder {
        Some(folder) => cargo_with(&tests, "TMPDIR", &folder.path().display().to_string()),
        None => cargo(&tests),
    }
}

/// What is tested and not in every build.
pub(crate) const FEATURES: &str = "regrant-client/program";

/// The programs that tests start, beside our own.
const PROGRAMS: &[Program] = &[
    Program::new("curl", "curl"),
    Program::new("openssl", "openssl"),
    Program::new("chromium", "chromium"),
    Program::new("chromedriver", "chromium-driver"),
    Program::new("node", "nodejs"),
    Program::new("systemd-analyze", "systemd"),
    Program::new("npm", "npm"),
    Program::new("go", "golang-go"),
    Program::new("git", "git"),
    // Servers that the tests of `regrant import` start themselves; the ones that the packages start are left alone.
    Program::new("mariadb-install-db", "mariadb-server"),
    Program::new("pg_ctlcluster", "postgresql"),
    // A keyring of a desktop, on a session of its own.
    Program::new("dbus-run-session", "dbus-daemon"),
    Program::new("dbus-send", "dbus-bin"),
    Program::new("gnome-keyring-daemon", "gnome-keyring"),
    // Debian's Python has it only with this package, and makes no virtual environment without.
    Program::new("python3 -m ensurepip --version", "python3-venv"),
];
