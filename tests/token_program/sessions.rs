//! Sessions that nobody uses any more end at the server, and profile and tokens come and go together.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use serde_json::json;

use crate::desk::{Desk, ended};
use crate::stand_in::{StandIn, answer};

#[test]
fn a_new_login_leaves_the_session_that_it_replaces_to_expire_and_says_so() {
    for (second, is_told) in [("second", true), ("first", false)] {
        let desk = Desk::new();
        let server = StandIn::in_turn(|url| {
            let metadata = answer("200 OK", &metadata(url));
            vec![metadata.clone(), tokens("first"), metadata, tokens(second)]
        });
        let login = ["login", &server.url, "--client-id", "job", "--client-credentials"];
        let log_in = || ended(desk.command(&login).env("REGRANT_TOKEN_CLIENT_SECRET", "sesame"), "");
        assert_eq!(log_in().code, 0);
        let again = log_in();
        assert_eq!(again.code, 0, "{again:?}");
        assert_eq!(again.stderr.contains("the earlier session lives at the server"), is_told, "{again:?}");
        let heard = server.all_heard();
        assert!(!heard.iter().any(|request| request.starts_with("POST /revoke ")), "{heard:?}");
    }
}

fn metadata(url: &str) -> String {
    let metadata = json!({
        "issuer": url, "token_endpoint": format!("{url}/token"), "revocation_endpoint": format!("{url}/revoke"),
    });
    metadata.to_string()
}

fn tokens(refresh_token: &str) -> String {
    let tokens =
        json!({"access_token": "opaque", "token_type": "Bearer", "expires_in": 3600, "refresh_token": refresh_token});
    answer("200 OK", &tokens.to_string())
}

#[test]
fn a_login_that_another_one_overtakes_is_not_kept_and_its_session_ends() {
    let desk = Desk::new();
    let mut login = desk.command(&["login", &desk.server.url, "--client-id", "TestApp", "--print-url"]);
    let overtaken = desk.log_in_after(&mut login, || {
        let job = ["login", &desk.server.url, "--client-id", "TestClient", "--client-credentials"];
        let job = ended(desk.command(&job).env("REGRANT_TOKEN_CLIENT_SECRET", "TestSecret"), "");
        assert_eq!(job.code, 0, "{job:?}");
    });
    assert_eq!(overtaken.code, 1, "{overtaken:?}");
    for expected in ["log out there first", "could not be kept, and the server has ended their session again"] {
        assert!(overtaken.stderr.contains(expected), "{overtaken:?}");
    }
    let status = ended(desk.command(&["status", "--json"]).env("REGRANT_TOKEN_CLIENT_SECRET", "TestSecret"), "");
    assert!(status.code == 0 && status.stdout.contains("TestClient"), "{status:?}");
}

#[test]
fn tokens_without_a_profile_are_listed_and_removed() {
    let desk = Desk::new();
    desk.log_in(&["--name", "r"]);
    fs::remove_file(desk.file("profiles/r.json")).unwrap();
    let listed = desk.json(&["list"]);
    assert_eq!((&listed["profiles"][0]["name"], &listed["profiles"][0]["state"]), (&"r".into(), &"no_profile".into()));
    assert_eq!(listed["profiles"][0]["client_id"], "TestApp", "{listed}");
    assert!(desk.run(&["list"]).stderr.contains("regrant-token logout --name r"));
    assert_eq!(desk.json(&["logout", "--name", "r"])["session"], "revoked");
    assert!(desk.json(&["list"])["profiles"].as_array().unwrap().is_empty());
    assert_eq!(desk.run(&["logout", "--name", "r"]).code, 3);
}

#[test]
fn logins_and_logouts_at_once_leave_profile_and_tokens_or_neither() {
    let desk = Desk::new();
    let login = ["login", &desk.server.url, "--client-id", "TestClient", "--client-credentials"];
    for round in 0..10 {
        let run = |arguments: &[&str]| {
            let mut command = desk.command(arguments);
            command.env("REGRANT_TOKEN_CLIENT_SECRET", "TestSecret").stderr(Stdio::null()).spawn().unwrap()
        };
        let children = [run(&login), run(&["logout"]), run(&login), run(&["logout"]), run(&["revoke"])];
        for mut child in children {
            child.wait().unwrap();
        }
        let (profile, tokens) =
            (desk.file("profiles/default.json").exists(), desk.file("tokens/default.json").exists());
        assert!(profile || !tokens, "round {round}: tokens that nothing names");
    }
}

#[test]
fn whoever_changes_a_profile_waits_for_its_turn() {
    let desk = Desk::logged_in();
    let lock = fs::File::create(desk.file("profiles/default.json.lock")).unwrap();
    lock.lock().unwrap();
    let mut logout = desk.command(&["logout", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    // Other commands, which take longer than it would, are done, and this one is not.
    for _ in 0..20 {
        assert!(desk.is_good(&desk.token(&[])));
    }
    assert!(logout.try_wait().unwrap().is_none() && desk.file("profiles/default.json").exists());
    drop(lock);
    assert!(logout.wait().unwrap().success());
    assert!(!desk.file("tokens/default.json").exists());
    let mode = fs::metadata(desk.file("profiles")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o700);
}
