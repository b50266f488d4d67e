use regrant_tests::{secret_in, token_in};

use crate::desk::{Desk, ended};

#[test]
fn no_secret_is_in_the_log_or_in_an_answer_that_is_no_token() {
    let desk = Desk::logged_in();
    desk.let_time_pass();
    for arguments in [&["get"][..], &["status"], &["list"], &["status", "--json"], &["logout", "--json"]] {
        // `ended` looks for secrets in standard error.
        let ended = ended(desk.command(arguments).env("REGRANT_LOG", "trace"), "");
        assert_eq!(ended.code, 0, "{ended:?}");
        let is_quiet = !ended.stdout.lines().any(|line| secret_in(line).is_some());
        assert_eq!(is_quiet, arguments != ["get"], "{arguments:?}: {}", ended.stdout);
    }
}

#[test]
fn what_a_server_writes_is_told_without_what_was_sent() {
    let desk = Desk::new();
    let arguments =
        ["login", &desk.server.url, "--client-id", "TestClient", "--client-credentials", "--scope", "unknown"];
    let refused = ended(desk.command(&arguments).env("REGRANT_TOKEN_CLIENT_SECRET", "TestSecret"), "");
    assert!(refused.code == 1 && refused.stderr.contains("invalid_scope"), "{refused:?}");
    assert_eq!(token_in(&refused.stderr), None);
}

#[test]
fn no_option_takes_a_secret() {
    let desk = Desk::new();
    for command in ["login", "get", "exec", "git", "docker", "aws", "doctor"] {
        let help = desk.told(&[command, "--help"]);
        for line in help.lines().filter(|line| line.trim_start().starts_with("--")) {
            let option = line.split("  ").find(|column| !column.is_empty()).expect("the line is not empty");
            let is_place = option.contains("FILE") || option.contains("-id <") || !option.contains('<');
            let names_secret = ["secret", "password", "key", "token"].iter().any(|word| option.contains(word));
            assert!(is_place || !names_secret, "{command}: {option}");
        }
    }
}
