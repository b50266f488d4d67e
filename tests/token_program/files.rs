//! Files that are not what they should be are told, and left as they are.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::desk::{Desk, ended};

#[test]
fn a_token_file_that_cannot_be_read_is_left_alone() {
    let desk = Desk::logged_in();
    let path = desk.file("tokens/default.json");
    let good = fs::read_to_string(&path).unwrap();
    let newer = good.replace("\"version\": 1", "\"version\": 2").replace("\"version\": 2", "\"version\": 999");
    for (text, expected) in [
        ("", "truncated or damaged"),
        (&good[..good.len() / 2], "truncated or damaged"),
        ("{\"access_token\":\"of another program\"}", "not a credential"),
        (&newer, "version 999"),
        ("\u{0}\u{1}\u{2}", "truncated or damaged"),
    ] {
        fs::write(&path, text).unwrap();
        for command in ["get", "status", "logout", "revoke"] {
            let ended = desk.run(&[command]);
            assert!(ended.code == 1 && ended.stderr.contains(expected), "{command}: {ended:?}");
        }
        let login = desk.run(&["login", "--print-url"]);
        assert!(login.code == 1 && login.stderr.contains(expected), "nobody is troubled in vain: {login:?}");
        let listed = desk.run(&["list", "--json"]);
        assert!(listed.code == 0 && listed.stdout.contains("unreadable"), "{listed:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    fs::write(&path, good).unwrap();
    assert!(desk.is_good(&desk.token(&[])));
}

#[test]
fn a_token_file_that_others_may_read_is_refused() {
    let desk = Desk::logged_in();
    fs::set_permissions(desk.file("tokens/default.json"), fs::Permissions::from_mode(0o644)).unwrap();
    let ended = desk.run(&["get"]);
    assert!(ended.code == 1 && ended.stderr.contains("chmod 600"), "{ended:?}");
}

#[test]
fn a_profile_that_cannot_be_read_is_left_alone() {
    let desk = Desk::logged_in();
    let path = desk.file("profiles/default.json");
    for text in ["{\"format\":\"regrant-token-prof", "{}", "{\"format\":\"regrant-token-profile\",\"version\":999}"] {
        fs::write(&path, text).unwrap();
        for command in ["get", "status", "login", "logout"] {
            let ended = desk.run(&[command]);
            assert!(ended.code == 1 && ended.stderr.contains("left as it is"), "{command}: {ended:?}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn what_is_kept_is_for_its_owner_alone() {
    let desk = Desk::logged_in();
    for (path, expected) in
        [("tokens", 0o700), ("profiles", 0o700), ("tokens/default.json", 0o600), ("profiles/default.json", 0o600)]
    {
        let mode = fs::metadata(desk.file(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, expected, "{path}");
    }
}

#[test]
fn the_directory_is_where_the_environment_says() {
    let desk = Desk::new();
    let cases = [
        ("REGRANT_TOKEN_DIRECTORY", desk.home().join("own"), desk.home().join("own")),
        ("XDG_STATE_HOME", desk.home().join("xdg"), desk.home().join("xdg/regrant-token")),
    ];
    for (variable, value, expected) in cases {
        let url = desk.server.url.clone();
        let mut login = desk.command(&["login", &url, "--client-id", "TestApp", "--print-url"]);
        desk.log_in_by(login.env(variable, value));
        assert!(expected.join("tokens/default.json").exists(), "{variable}");
    }
    let nowhere = ended(desk.command(&["list"]).env_remove("HOME"), "");
    assert!(nowhere.code == 1 && nowhere.stderr.contains("REGRANT_TOKEN_DIRECTORY"), "{nowhere:?}");
    let relative = ended(desk.command(&["list"]).env_remove("HOME").env("XDG_STATE_HOME", "here"), "");
    assert_eq!(relative.code, 1, "{relative:?}");
}
