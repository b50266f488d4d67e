//! What each failure is told as: its exit code, its words, and that the tokens are kept.

use std::fs;

use serde_json::Value;

use crate::desk::{Desk, ended};
use crate::stand_in::{StandIn, answer};

#[test]
fn wrong_usage_has_the_exit_code_2() {
    let desk = Desk::new();
    for arguments in [&["frobnicate"][..], &["get", "--name", "../../etc/passwd"], &["get", "--name", ""], &["exec"]] {
        let ended = desk.run(arguments);
        assert_eq!(ended.code, 2, "{arguments:?}: {ended:?}");
    }
}

#[test]
fn where_nobody_has_logged_in_the_exit_code_is_3() {
    let desk = Desk::new();
    for arguments in
        [&["get"][..], &["status"], &["logout"], &["revoke"], &["header"], &["kubectl"], &["exec", "--", "true"]]
    {
        let ended = desk.run(arguments);
        assert!(ended.code == 3 && ended.stderr.contains("log in first"), "{arguments:?}: {ended:?}");
        assert_eq!(ended.stdout, "", "{arguments:?}");
    }
    let ended = ended(desk.command(&["get"]).env("REGRANT_TOKEN_PROFILE", "../x"), "");
    assert!(ended.code == 1 && ended.stderr.contains("REGRANT_TOKEN_PROFILE"), "{ended:?}");
}

#[test]
fn where_the_server_has_refused_the_session_the_exit_code_is_4() {
    let desk = Desk::logged_in();
    desk.let_time_pass();
    desk.change("tokens/default.json", |kept| kept["refresh_token"] = "rgr_spent".into());
    for command in ["get", "status", "header"] {
        let ended = desk.run(&[command]);
        assert!(ended.code == 4 && ended.stderr.contains("run: regrant-token login\n"), "{command}: {ended:?}");
    }
}

#[test]
fn html_instead_of_json_is_told_and_the_tokens_are_kept() {
    let desk = Desk::logged_in();
    desk.let_time_pass();
    let before = kept(&desk);
    for head in ["200 OK", "403 Forbidden", "502 Bad Gateway"] {
        let portal = StandIn::once(answer(
            &format!("{head}\r\nRetry-After: 3600\r\nContent-Type: text/html"),
            "<html>Welcome</html>",
        ));
        desk.change("profiles/default.json", |profile| {
            profile["endpoints"]["token"] = format!("{}/token", portal.url).into();
        });
        let ended = desk.run(&["get"]);
        let status = &head[..3];
        assert!(ended.code == 5 && ended.stderr.contains(&format!("status {status}")), "{ended:?}");
        assert!(portal.heard().starts_with("POST /token "));
        assert_eq!(kept(&desk), before, "after {head}");
        desk.change("tokens/default.json", |kept| kept["not_before"] = Value::Null);
    }
    // Back at its own server the same session goes on.
    let url = desk.server.url.clone();
    desk.change("profiles/default.json", |profile| profile["endpoints"]["token"] = format!("{url}/token").into());
    assert!(desk.is_good(&desk.token(&[])));
}

#[test]
fn a_server_that_cannot_be_reached_is_temporary() {
    let desk = Desk::new();
    let ended = desk.run(&["login", "http://127.0.0.1:1", "--client-id", "TestApp", "--print-url"]);
    assert!(ended.code == 5 && ended.stderr.contains("cannot reach the server"), "{ended:?}");
}

#[test]
fn tokens_of_another_server_are_neither_sent_nor_changed() {
    let desk = Desk::logged_in();
    desk.change("tokens/default.json", |kept| kept["issuer"] = "https://other.example".into());
    let before = fs::read(desk.file("tokens/default.json")).unwrap();
    for arguments in [&["get"][..], &["status"], &["exec", "--", "true"]] {
        let ended = desk.run(arguments);
        assert!(ended.code == 1 && ended.stderr.contains("https://other.example"), "{arguments:?}: {ended:?}");
    }
    assert_eq!(fs::read(desk.file("tokens/default.json")).unwrap(), before);
}

/// The tokens that are kept.
fn kept(desk: &Desk) -> (Value, Value) {
    let kept: Value = serde_json::from_slice(&fs::read(desk.file("tokens/default.json")).unwrap()).unwrap();
    (kept["refresh_token"].clone(), kept["access_token"].clone())
}
