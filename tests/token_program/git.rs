use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use crate::desk::{Desk, ended};
use crate::program::neighbour;

const HOST: &str = "protocol=https\nhost=git.example\n\n";

/// What git reads: lines of a name, `=` and a value, each name once.
#[track_caller]
fn attributes(text: &str) -> BTreeMap<String, String> {
    let mut read = BTreeMap::new();
    assert!(text.ends_with('\n') && !text.contains("\n\n") && !text.contains('\0'), "{text:?}");
    for line in text.lines() {
        let (name, value) = line.split_once('=').unwrap_or_else(|| panic!("no attribute: {line:?}"));
        assert!(read.insert(name.to_owned(), value.to_owned()).is_none(), "twice: {line:?}");
    }
    read
}

fn at_a_forge() -> Desk {
    let desk = Desk::new();
    desk.log_in(&["--for", "Git.Example", "--for", "127.0.0.1:3000", "--for", "[::1]:3000"]);
    desk
}

#[test]
fn git_gets_the_token_as_a_password_with_its_end() {
    let desk = at_a_forge();
    let (token, end) = (desk.token(&[]), desk.json(&["get"])["expires_at"].clone());
    let answer = attributes(&desk.run_with(&["git", "get"], HOST).stdout);
    assert_eq!((answer["username"].as_str(), &answer["password"]), ("oauth2", &token));
    let seconds: i64 = answer["password_expiry_utc"].parse().unwrap();
    let date = Command::new("date").args(["--utc", "--date", &format!("@{seconds}"), "+%Y-%m-%dT%H:%M:%SZ"]).output();
    assert_eq!(Value::from(String::from_utf8(date.unwrap().stdout).unwrap().trim()), end);
    assert_eq!(answer.len(), 3, "and no refresh token: {answer:?}");

    let named = desk.run_with(&["git", "get"], "protocol=https\nhost=git.example\nusername=ada\n");
    assert_eq!(attributes(&named.stdout)["username"], "ada");
}

#[test]
fn git_can_be_told_to_send_a_bearer_header() {
    let desk = at_a_forge();
    let answer =
        desk.run_with(&["git", "--bearer", "get"], "capability[]=authtype\nprotocol=https\nhost=git.example\n");
    let answer = attributes(&answer.stdout);
    assert_eq!((answer["authtype"].as_str(), &answer["credential"]), ("Bearer", &desk.token(&[])));
    assert_eq!((answer["capability[]"].as_str(), answer["ephemeral"].as_str()), ("authtype", "1"));
    let older = desk.run_with(&["git", "--bearer", "get"], HOST);
    assert!(older.code == 1 && older.stdout.is_empty() && older.stderr.contains("2.46"), "{older:?}");
}

#[test]
fn no_other_host_gets_the_token() {
    let desk = at_a_forge();
    for (description, expected) in [
        ("protocol=https\nhost=evil.example\n\n", ""),
        ("protocol=https\nhost=git.example.evil.example\n\n", ""),
        ("protocol=https\nhost=git.example:8443\n\n", ""),
        ("protocol=http\nhost=git.example\n\n", "not asked over https"),
        ("protocol=https\nhost=\n\n", ""),
        ("", ""),
    ] {
        for arguments in [&["git", "get"][..], &["git", "--name", "default", "get"]] {
            let ended = desk.run_with(arguments, description);
            assert_eq!((ended.code, ended.stdout.as_str()), (0, ""), "{description:?}");
            assert!(ended.stderr.contains(expected), "{ended:?}");
        }
    }
    for host in ["127.0.0.1:3000", "[::1]:3000", "[0::1]:3000"] {
        let here = desk.run_with(&["git", "get"], &format!("protocol=http\nhost={host}\n\n"));
        assert!(here.stdout.contains("password="), "{host}: {here:?}");
    }
}

#[test]
fn two_profiles_for_one_host_have_to_be_told_apart() {
    let desk = at_a_forge();
    desk.log_in(&["--name", "other", "--for", "git.example"]);
    let ended = desk.run_with(&["git", "get"], HOST);
    assert!(ended.code == 1 && ended.stderr.contains("say which with --name"), "{ended:?}");
    let named = desk.run_with(&["git", "--name", "other", "get"], HOST);
    assert_eq!(attributes(&named.stdout)["password"], desk.token(&["--name", "other"]));
}

#[test]
fn a_token_that_a_server_refused_is_replaced_and_the_session_kept() {
    let desk = at_a_forge();
    let refused = desk.token(&[]);
    desk.change("tokens/default.json", |kept| {
        kept["received_at"] = (kept["received_at"].as_i64().unwrap() - 60_000).into()
    });
    let erase = |password: &str| {
        let ended = desk.run_with(
            &["git", "erase"],
            &format!("protocol=https\nhost=git.example\nusername=oauth2\npassword={password}\n"),
        );
        assert_eq!((ended.code, ended.stdout.as_str()), (0, ""), "{ended:?}");
    };
    erase("another one");
    assert_eq!(desk.token(&[]), refused);
    erase(&refused);
    assert_ne!(desk.token(&[]), refused);
    for operation in ["store", "frobnicate"] {
        let ended = desk.run_with(&["git", operation], HOST);
        assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (0, "", ""), "{operation}");
    }
}

#[test]
fn git_itself_is_answered() {
    let desk = at_a_forge();
    let fill = |helper: &str, environment: &[(&str, &str)]| {
        let mut git = Command::new("git");
        git.args(["-c", &format!("credential.helper={helper}"), "credential", "fill"]);
        desk.at_home(&mut git);
        git.env("GIT_TERMINAL_PROMPT", "0").env("GIT_CONFIG_NOSYSTEM", "1").envs(environment.iter().copied());
        ended(&mut git, HOST)
    };
    let filled = fill(&format!("!{} git", neighbour("regrant-token").display()), &[]);
    assert_eq!(attributes(&filled.stdout)["password"], desk.token(&[]), "{filled:?}");

    // By its name on the path, as git looks for helpers.
    std::os::unix::fs::symlink(neighbour("regrant-token"), desk.home().join("git-credential-regrant-token")).unwrap();
    let path = format!("{}:{}", desk.home().display(), std::env::var("PATH").unwrap());
    let filled = fill("regrant-token", &[("PATH", &path)]);
    assert_eq!(attributes(&filled.stdout)["password"], desk.token(&[]), "{filled:?}");
}
