//! What is said, and that it is said once.

use crate::desk::{Desk, ended};
use crate::stand_in::{StandIn, answer};

#[test]
fn an_error_and_its_cause_are_told_once() {
    let desk = Desk::new();
    let server = StandIn::in_turn(|url| {
        let metadata = format!("{{\"issuer\":\"{url}\",\"token_endpoint\":\"http://id.example/token\"}}");
        vec![answer("200 OK", &metadata)]
    });
    let ended = desk.run(&["login", &server.url, "--client-id", "TestApp", "--print-url"]);
    assert_eq!((ended.code, ended.stderr.matches("http://id.example/token").count()), (1, 1), "{ended:?}");
}

#[test]
fn the_log_is_plain_text_in_a_file_and_a_wrong_filter_is_told() {
    let desk = Desk::logged_in();
    desk.let_time_pass();
    let debug = ended(desk.command(&["get"]).env("REGRANT_LOG", "trace"), "");
    assert!(!debug.stderr.is_empty() && !debug.stderr.contains('\u{1b}'), "{debug:?}");
    let wrong = ended(desk.command(&["get"]).env("REGRANT_LOG", "a=b=c"), "");
    assert!(wrong.code == 0 && wrong.stderr.contains("REGRANT_LOG cannot be read"), "{wrong:?}");
    let none = ended(desk.command(&["get"]).env("REGRANT_LOG", ""), "");
    assert_eq!((none.code, none.stderr.as_str()), (0, ""));
}

#[test]
fn man_pages_are_written_into_a_directory_that_is_made() {
    let desk = Desk::new();
    let directory = desk.home().join("share/man/man1");
    desk.told(&["man", directory.to_str().unwrap()]);
    assert!(directory.join("regrant-token-login.1").exists());
}
