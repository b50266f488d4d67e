//! Files that are not what they should be are told, and left as they are.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

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
        for command in ["get", "status", "login", "revoke"] {
            let ended = desk.run(&[command]);
            assert!(ended.code == 1 && ended.stderr.contains("left as it is"), "{command}: {ended:?}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    // Whoever wants to be rid of it is: the server is asked where its sessions end.
    let logout = desk.json(&["logout"]);
    assert_eq!(logout["session"], "revoked");
    assert!(!path.exists() && !desk.file("tokens/default.json").exists());
}

#[test]
fn a_profile_that_others_could_have_written_is_told_and_nothing_is_sent() {
    type Arrange = fn(&std::path::Path);
    let cases: [(&str, Arrange, &str); 6] = [
        ("open to others", |path| mode(path, 0o666), "may be read or written by others (mode 666)"),
        ("a pipe", |path| replace_by("mkfifo", path), "no regular file"),
        (
            "a link",
            |path| {
                fs::remove_file(path).unwrap();
                symlink("/dev/zero", path).unwrap();
            },
            "a symbolic link",
        ),
        ("a directory", |path| replace_by("mkdir", path), "no regular file"),
        ("another name", |path| fs::hard_link(path, path.with_file_name("other")).unwrap(), "has 2 names"),
        ("too long", |path| fs::write(path, vec![b' '; 1024 * 1024]).unwrap(), "longer than"),
    ];
    for (why, arrange, expected) in cases {
        let desk = Desk::logged_in();
        desk.log_in(&["--name", "forge", "--for", "git.example"]);
        desk.let_time_pass();
        // What would be sent there is heard by nobody.
        desk.change("profiles/default.json", |profile| profile["endpoints"]["token"] = "http://127.0.0.1:1/".into());
        arrange(&desk.file("profiles/default.json"));
        for command in ["get", "status", "login", "revoke"] {
            let ended = desk.run(&[command]);
            assert!(ended.code == 1 && ended.stderr.contains(expected), "{why}, {command}: {ended:?}");
        }
        let listed = desk.json(&["list"]);
        assert_eq!(listed["profiles"][0]["state"], "unreadable", "{why}: {listed}");
        assert_eq!(listed["profiles"][1]["state"], "valid", "{why}: {listed}");

        // The others go on; only where none is for the host, it may have been this one.
        let git = desk.run_with(&["git", "get"], "protocol=https\nhost=git.example\n\n");
        assert!(git.code == 0 && git.stdout.contains("password="), "{why}: {git:?}");
        assert!(git.stderr.contains("profile default is left out"), "{why}: {git:?}");
        let git = desk.run_with(&["git", "get"], "protocol=https\nhost=other.example\n\n");
        assert!(git.code == 1 && git.stderr.contains(expected) && git.stdout.is_empty(), "{why}: {git:?}");
        let docker = desk.run(&["docker", "list"]);
        assert!(docker.code == 0 && docker.stdout.contains("git.example"), "{why}: {docker:?}");

        if why != "a directory" {
            assert_eq!(desk.json(&["logout"])["session"], "revoked", "{why}");
        }
    }
}

#[test]
fn a_directory_that_others_may_write_is_refused() {
    let desk = Desk::logged_in();
    for directory in ["profiles", "tokens"] {
        mode(&desk.file(directory), 0o777);
        for arguments in [&["get"][..], &["list"], &["login"], &["logout"], &["docker", "list"]] {
            let ended = desk.run(arguments);
            assert!(ended.code == 1 && ended.stderr.contains("run chmod 700 on it"), "{arguments:?}: {ended:?}");
        }
        mode(&desk.file(directory), 0o700);
    }
    assert!(desk.is_good(&desk.token(&[])));
}

fn mode(path: &std::path::Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn replace_by(program: &str, path: &std::path::Path) {
    fs::remove_file(path).unwrap();
    assert!(std::process::Command::new(program).arg(path).status().unwrap().success());
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
