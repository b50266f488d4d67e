//! The command `regrant config`.

use std::process::{Command, Output};

use crate::folder::Folder;

fn regrant(folder: &Folder, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_regrant"));
    let ours = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("REGRANT_"));
    for (name, _) in ours {
        command.env_remove(name);
    }
    command.current_dir(folder.path()).arg("config").args(arguments);
    command
}

fn texts(output: Output) -> (Option<i32>, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

const GOOD: &str = "\
[server]
issuer = \"https://id.example\"
listen = [\"127.0.0.1:8080\"]
plain_http = true
";

#[test]
fn check_says_that_a_file_is_good_or_everything_that_is_wrong() {
    let folder = Folder::new();
    folder.write("regrant.toml", GOOD);
    folder.write("bad.toml", &GOOD.replace("issuer", "isuer").replace("plain_http = true", "plain_http = 1"));
    let good = "the configuration is good: https://id.example, 0 clients\n".to_owned();
    assert_eq!(texts(regrant(&folder, &["check"]).output().unwrap()), (Some(0), good, String::new()));
    let told = "\
regrant: 2 errors in the configuration
bad.toml:2: server.isuer: there is no such key; did you mean issuer?
bad.toml:4: server.plain_http: it is 1, a number; write true or false, without quotes
";
    let bad = texts(regrant(&folder, &["check", "bad.toml"]).output().unwrap());
    assert_eq!(bad, (Some(1), String::new(), told.to_owned()));
}

#[test]
fn without_a_file_the_environment_is_enough_or_is_asked_for() {
    let folder = Folder::new();
    let told = "\
regrant: 1 error in the configuration
server.issuer: it is missing; there is no regrant.toml here: name the file with --config, or set REGRANT_SERVER_ISSUER
";
    let missing = texts(regrant(&folder, &["check"]).output().unwrap());
    assert_eq!(missing, (Some(1), String::new(), told.to_owned()));
    let mut command = regrant(&folder, &["check"]);
    command.env("REGRANT_SERVER_ISSUER", "https://id.example").env("REGRANT_TLS_CERTIFICATE", "tls.crt");
    assert_eq!(texts(command.env("REGRANT_TLS_KEY", "tls.key").output().unwrap()).0, Some(0));
}

#[test]
fn print_tells_which_layer_won() {
    let folder = Folder::new();
    let path = folder.write("other.toml", GOOD);
    let path = path.to_str().unwrap();
    let arguments = ["print", "--origin", "--config", path, "--plain-http", "--listen", "127.0.0.1:9"];
    let mut command = regrant(&folder, &arguments);
    let (code, printed, told) = texts(command.env("REGRANT_SERVER_ISSUER", "https://new.example").output().unwrap());
    assert_eq!((code, told.as_str()), (Some(0), ""));
    let printed: Vec<&str> = printed.lines().take(6).collect();
    let data = folder.path().join("regrant-data").canonicalize().unwrap_or_else(|_| folder.path().join("regrant-data"));
    assert_eq!(
        printed,
        [
            "[server]",
            "issuer = \"https://new.example\"  # REGRANT_SERVER_ISSUER",
            "listen = [\"127.0.0.1:9\"]  # --listen",
            &format!("data = \"{}\"  # default", data.display()),
            "trusted_proxies = []  # default",
            "plain_http = true  # --plain-http",
        ]
    );
}

#[test]
fn check_and_print_take_the_file_either_way() {
    let folder = Folder::new();
    folder.write("other.toml", GOOD);
    for command in ["check", "print"] {
        let bare = texts(regrant(&folder, &[command, "other.toml"]).output().unwrap());
        let flag = texts(regrant(&folder, &[command, "--config", "other.toml"]).output().unwrap());
        assert_eq!((bare.0, &bare), (Some(0), &flag), "{command}");
        let both = texts(regrant(&folder, &[command, "other.toml", "--config", "other.toml"]).output().unwrap());
        assert_eq!(both.0, Some(2), "{command}: {}", both.2);
    }
}

#[test]
fn schema_is_json_and_with_markdown_a_page() {
    let folder = Folder::new();
    let (code, printed, _) = texts(regrant(&folder, &["schema"]).output().unwrap());
    let schema: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((code, &schema["properties"]["server"]["properties"]["issuer"]["type"]), (Some(0), &"string".into()));
    let (_, page, _) = texts(regrant(&folder, &["schema", "--markdown"]).output().unwrap());
    assert!(page.starts_with("# Configuration\n"));
}
