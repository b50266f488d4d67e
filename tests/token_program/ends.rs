use std::fs;

use serde_json::Value;

use crate::desk::Desk;

#[test]
fn logout_ends_the_session_at_the_server_and_leaves_nothing_here() {
    let desk = Desk::logged_in();
    let kept = fs::read(desk.file("tokens/default.json")).unwrap();
    let profile = fs::read(desk.file("profiles/default.json")).unwrap();
    assert_eq!(desk.json(&["logout"])["session"], "revoked");
    assert_eq!(desk.run(&["get"]).code, 3);
    assert_eq!(desk.json(&["list"])["profiles"], Value::Array(Vec::new()));
    assert!(!desk.file("tokens/default.json").exists() && !desk.file("profiles/default.json").exists());

    // A copy of what was here is worth nothing any more.
    fs::write(desk.file("profiles/default.json"), profile).unwrap();
    fs::write(desk.file("tokens/default.json"), kept).unwrap();
    let private = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o600);
    for file in ["profiles/default.json", "tokens/default.json"] {
        fs::set_permissions(desk.file(file), fs::Permissions::clone(&private)).unwrap();
    }
    desk.let_time_pass();
    let ended = desk.run(&["get"]);
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(ended.stderr.contains("run: regrant-token login\n"), "{ended:?}");
}

#[test]
fn revoke_keeps_the_profile_for_the_next_login() {
    let desk = Desk::new();
    desk.log_in(&["--name", "work"]);
    assert_eq!(desk.json(&["revoke", "--name", "work"])["profile"], "work");
    assert_eq!(desk.run(&["get", "--name", "work"]).code, 3);
    assert_eq!(desk.json(&["list"])["profiles"][0]["state"], "log_in");
    desk.log_in_by(&mut desk.command(&["login", "--name", "work", "--print-url"]));
    assert!(desk.is_good(&desk.token(&["--name", "work"])));
}

#[test]
fn revoke_keeps_the_tokens_until_the_server_has_confirmed_it() {
    let desk = Desk::logged_in();
    desk.change("profiles/default.json", |profile| {
        profile["endpoints"]["revocation"] = "http://127.0.0.1:1/revoke".into();
    });
    let before = fs::read(desk.file("tokens/default.json")).unwrap();
    let ended = desk.run(&["revoke"]);
    assert!(ended.code == 5 && ended.stderr.contains("the tokens are kept"), "{ended:?}");
    assert_eq!(fs::read(desk.file("tokens/default.json")).unwrap(), before);
    // A logout forgets them all the same, and says what it could not do.
    let ended = desk.run(&["logout"]);
    assert!(ended.code == 0 && ended.stderr.contains("did not confirm"), "{ended:?}");
}
