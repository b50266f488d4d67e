use std::collections::BTreeMap;
use std::process::Command;

use serde::Deserialize;

use crate::desk::{Desk, Ended, ended};
use crate::program::neighbour;

/// What Docker reads, and not one member more.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DockerCredential {
    #[serde(rename = "ServerURL")]
    server_url: String,
    #[serde(rename = "Username")]
    username: String,
    #[serde(rename = "Secret")]
    secret: String,
}

/// Starts the program by the name that Docker looks for.
fn ask(desk: &Desk, operation: &str, input: &str) -> Ended {
    let link = desk.home().join("docker-credential-regrant-token");
    if !link.exists() {
        std::os::unix::fs::symlink(neighbour("regrant-token"), &link).unwrap();
    }
    let mut command = Command::new(link);
    desk.at_home(command.arg(operation));
    ended(&mut command, input)
}

#[test]
fn docker_gets_the_token_of_a_registry_that_a_login_has_named() {
    let desk = Desk::new();
    desk.log_in(&["--for", "registry.example", "--username", "00000000-0000-0000-0000-000000000000"]);
    for server in ["registry.example", "https://registry.example/v2/"] {
        let ended = ask(&desk, "get", &format!("{server}\n"));
        let answer: DockerCredential =
            serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
        assert_eq!((answer.server_url.as_str(), &answer.secret), (server, &desk.token(&[])));
        assert_eq!(answer.username, "00000000-0000-0000-0000-000000000000");
    }
    let list: BTreeMap<String, String> = serde_json::from_str(&ask(&desk, "list", "").stdout).unwrap();
    assert_eq!(list.into_keys().collect::<Vec<_>>(), ["registry.example"]);
}

#[test]
fn docker_gets_no_token_that_would_travel_in_the_clear() {
    let desk = Desk::new();
    desk.log_in(&["--for", "registry.example", "--for", "127.0.0.1:5000", "--for", "[::1]:5000"]);
    for (server, is_given) in [
        ("http://registry.example/v2/", false),
        ("ftp://registry.example", false),
        ("http://127.0.0.1:5000/v2/", true),
        ("http://[::1]:5000/v2/", true),
        ("registry.example", true),
    ] {
        let ended = ask(&desk, "get", server);
        assert_eq!(ended.stdout.contains("Secret"), is_given, "{server}: {ended:?}");
        assert_eq!(ended.stdout.contains("not asked over https"), !is_given, "{server}: {ended:?}");
    }
}

#[test]
fn docker_is_told_in_its_own_words_that_there_is_nothing() {
    let desk = Desk::logged_in();
    let absent = ask(&desk, "get", "registry.example\n");
    assert_eq!((absent.code, absent.stdout.as_str()), (1, "credentials not found in native keychain\n"));
    for (operation, expected) in [("store", "regrant-token login"), ("erase", "regrant-token logout")] {
        let refused = ask(&desk, operation, "{}");
        assert!(refused.code == 1 && refused.stdout.contains(expected), "{refused:?}");
    }
}
