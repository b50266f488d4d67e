//! Tokens that the keyring of a desktop seals: GNOME's, on a D-Bus session of its own.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::desk::{Desk, ended};
use crate::program::neighbour;

/// The session: a keyring that is open, and the program.
const SESSION: &str =
    "printf secret | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1 && exec \"$0\" \"$@\"";

/// The program on a desktop, whose keyring lies in the home from one session to the next.
fn on_a_desktop(desk: &Desk, arguments: &[&str]) -> Command {
    let mut command = Command::new("dbus-run-session");
    command.args(["--", "sh", "-c", SESSION]).arg(neighbour("regrant-token")).args(arguments);
    desk.at_home(&mut command);
    command.env("XDG_RUNTIME_DIR", desk.home());
    command
}

#[test]
fn where_there_is_a_keyring_it_seals_the_tokens() {
    let desk = Desk::new();
    let login = ["login", &desk.server.url, "--client-id", "TestApp", "--print-url", "--json"];
    let login = desk.log_in_by(&mut on_a_desktop(&desk, &login));
    let answer: Value = serde_json::from_str(&login.stdout).unwrap();
    assert_eq!(answer["storage"], "keyring", "{answer}");
    assert!(!login.stderr.contains("plain file"), "{}", login.stderr);

    let get = ended(&mut on_a_desktop(&desk, &["get"]), "");
    let token = get.stdout.trim();
    assert!(get.code == 0 && desk.is_good(token), "{get:?}");
    assert!(!desk.file("tokens/default.json").exists());
    let sealed = fs::read(desk.file("tokens/default.sealed")).unwrap();
    assert!(!String::from_utf8(sealed.clone()).unwrap().contains(token));

    // Over SSH, say, where nobody has a keyring: it may be there later, and nothing is lost.
    for command in ["get", "status", "logout"] {
        let without = desk.run(&[command]);
        assert!(without.code == 5 && without.stderr.contains("Unlock the keyring"), "{command}: {without:?}");
    }
    assert_eq!(fs::read(desk.file("tokens/default.sealed")).unwrap(), sealed);

    let logout = ended(&mut on_a_desktop(&desk, &["logout", "--json"]), "");
    let answer: Value = serde_json::from_str(&logout.stdout).unwrap();
    assert_eq!((logout.code, &answer["session"]), (0, &"revoked".into()), "{logout:?}");
    assert!(!desk.file("tokens/default.sealed").exists() && !desk.is_good(token));
}
