//! `regrant-token` as it is typed first.

#![expect(clippy::unwrap_used, reason = "what helps a test fails as the test itself")]

use std::process::{Command, Output};

fn typed(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_regrant-token")).args(arguments).output().unwrap()
}

#[test]
fn it_says_what_it_is_and_refuses_what_it_does_not_know_with_the_code_of_a_wrong_command_line() {
    let version = typed(&["--version"]);
    assert!(version.status.success());
    assert_eq!(String::from_utf8(version.stdout).unwrap(), format!("regrant-token {}\n", env!("CARGO_PKG_VERSION")));
    let unknown = typed(&["logn"]);
    assert_eq!(unknown.status.code(), Some(2));
    let told = String::from_utf8(unknown.stderr).unwrap();
    assert!(told.contains("logn") && told.contains("login"), "{told}");
    assert!(unknown.stdout.is_empty());
}
