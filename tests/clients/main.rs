//! Clients of other makers log in at the program. Each is a small program in its own language, with a lock file of its
//! own; `cargo xtask test` installs them into `target/clients`.

#[expect(dead_code, reason = "the tests of the binary ask for more of it")]
#[path = "../binary/program.rs"]
mod program;

use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::{Program, fresh_data};

#[test]
fn openid_client_logs_in_refreshes_and_logs_out() {
    run("openid-client", node("openid_client.mjs"));
}

#[test]
fn oauth4webapi_logs_in_refreshes_and_logs_out() {
    run("oauth4webapi", node("oauth4webapi.mjs"));
}

#[test]
fn authlib_logs_in_refreshes_and_logs_out() {
    run("Authlib", python("authlib_client.py"));
}

#[test]
fn requests_oauthlib_logs_in_refreshes_and_revokes() {
    run("requests-oauthlib", python("requests_oauthlib_client.py"));
}

#[test]
fn openidconnect_logs_in_refreshes_and_logs_out() {
    run("openidconnect", rust("openidconnect-client"));
}

#[test]
fn oauth2_logs_in_refreshes_and_revokes() {
    run("oauth2", rust("oauth2-client"));
}

#[test]
fn x_oauth2_of_go_logs_in_refreshes_and_revokes() {
    run("golang.org/x/oauth2", Command::new(installed("go/oauth2_client")));
}

/// Runs a client against a program of its own, shows what it says, and fails unless it succeeds.
#[track_caller]
fn run(name: &str, mut client: Command) {
    let (_parent, data) = fresh_data();
    let program = Program::start(&data, &[]);
    // Whatever proxy this machine has, the program is on this machine.
    client.arg(&program.url).env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
    let output = client.output().unwrap_or_else(|error| panic!("{client:?} cannot be started: {error}"));
    let told = String::from_utf8_lossy(&output.stdout);
    let lines: String = told.lines().map(|line| format!("{name}: {line}\n")).collect();
    // Past the capture of the test runner: who reads a passing run sees what each client did.
    std::io::stdout().write_all(lines.as_bytes()).expect("standard output is open");
    assert!(output.status.success(), "{name} failed: {}", String::from_utf8_lossy(&output.stderr));
}

/// A script for Node. The packages lie in `target/clients/node`, and the scripts in a link beside them, because Node
/// looks for packages from a script's folder upwards.
fn node(script: &str) -> Command {
    let mut command = Command::new("node");
    command.args(["--preserve-symlinks", "--preserve-symlinks-main"]).arg(installed("node/scripts").join(script));
    command
}

fn python(script: &str) -> Command {
    let mut command = Command::new(installed("python/bin/python"));
    command.arg(sources().join("python").join(script));
    command
}

fn rust(program: &str) -> Command {
    let cargo = env::var_os("CARGO").expect("cargo runs this test, and says where it is");
    let mut command = Command::new(cargo);
    command.args(["run", "--quiet", "--locked", "--bin", program, "--manifest-path"]);
    command.arg(sources().join("rust/Cargo.toml")).arg("--target-dir").arg(installed("rust")).arg("--");
    command
}

fn installed(path: &str) -> PathBuf {
    let path = workspace().join("target/clients").join(path);
    assert!(path.exists(), "{} is not there: `cargo xtask test` installs it", path.display());
    path
}

fn sources() -> PathBuf {
    workspace().join("tests/clients")
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package is a folder of the workspace")
}
