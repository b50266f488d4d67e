use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use crate::desk::{Desk, ended};

#[test]
fn a_command_has_the_token_in_its_environment_and_nowhere_else() {
    let desk = Desk::logged_in();
    let token = desk.token(&[]);
    assert_eq!(desk.told(&["exec", "--", "sh", "-c", "printf %s \"$ACCESS_TOKEN\""]), token);
    assert_eq!(desk.told(&["exec", "--variable", "MINE", "--", "printenv", "MINE"]), format!("{token}\n"));

    let script = "cat /proc/$$/cmdline /proc/$PPID/cmdline; env | grep -v ^ACCESS_TOKEN=";
    let mut exec = desk.command(&["exec", "--", "sh", "-c", script]);
    let seen = ended(exec.env("REGRANT_TOKEN_CLIENT_SECRET", "sesame").env("REGRANT_TOKEN_PASSWORD", "sesame"), "");
    assert_eq!(seen.code, 0, "{seen:?}");
    assert!(!seen.stdout.contains(&token) && !seen.stdout.contains("sesame"), "{seen:?}");
}

#[test]
fn the_exit_code_of_a_command_is_passed_on() {
    let desk = Desk::logged_in();
    for (command, expected) in
        [(vec!["sh", "-c", "exit 42"], 42), (vec!["true"], 0), (vec!["/nonexistent"], 127), (vec!["/"], 126)]
    {
        let ended = desk.run(&[&["exec", "--"], &command[..]].concat());
        assert_eq!(ended.code, expected, "{command:?}: {ended:?}");
    }
    let absent = desk.run(&["exec", "--name", "absent", "--", "true"]);
    assert_eq!(absent.code, 3, "nothing is run without a token: {absent:?}");
}

#[test]
fn a_signal_reaches_the_command() {
    let desk = Desk::logged_in();
    let script = "trap 'echo caught; exit 7' TERM; echo ready; while :; do read -r line || :; done";
    let mut command = desk.command(&["exec", "--", "sh", "-c", script]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    drop(child.stdin.take());
    assert_eq!(lines.next().unwrap().unwrap(), "caught");
    assert_eq!(child.wait().unwrap().code(), Some(7));
}
