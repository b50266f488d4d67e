use std::process::{Command, Stdio};

use crate::browser::Browser;
use crate::desk::{Desk, ended};
use crate::program::neighbour;
use crate::stand_in::{StandIn, answer};

#[test]
fn a_login_with_a_browser_is_kept_and_shown() {
    let desk = Desk::new();
    let login = desk.log_in(&["--scope", "read", "--json", "--for", "git.example"]);
    let answer: serde_json::Value = serde_json::from_str(&login.stdout).unwrap();
    assert_eq!(
        (&answer["version"], &answer["profile"], &answer["scope"]),
        (&1.into(), &"default".into(), &"read".into())
    );
    assert_eq!((&answer["has_refresh_token"], &answer["storage"]), (&true.into(), &"file".into()));
    assert!(login.stderr.contains("plain file that only you may read"), "the fallback is announced: {}", login.stderr);

    let status = desk.json(&["status"]);
    assert_eq!((&status["state"], &status["issuer"]), (&"valid".into(), &desk.server.url.clone().into()), "{status}");
    assert_eq!((&status["client_id"], &status["version"]), (&"TestApp".into(), &1.into()), "{status}");
    let told = desk.told(&["status"]);
    assert!(told.contains("refresh token  yes") && told.contains("git.example"), "{told}");

    let listed = desk.json(&["list"]);
    assert_eq!(listed["profiles"][0]["name"], "default", "{listed}");
    assert!(desk.told(&["list"]).starts_with("PROFILE  ISSUER"));
}

#[test]
fn the_next_login_of_a_profile_needs_no_words_and_announces_nothing_again() {
    let desk = Desk::new();
    desk.log_in(&["--name", "work", "--scope", "read"]);
    let again = desk.log_in_by(&mut desk.command(&["login", "--name", "work", "--print-url"]));
    assert!(!again.stderr.contains("plain file"), "{}", again.stderr);
    assert_eq!(desk.json(&["status", "--name", "work"])["scope"], "read");
    assert_eq!(desk.run(&["get"]).code, 3, "the other profile is another one");
    let named = ended(desk.command(&["get"]).env("REGRANT_TOKEN_PROFILE", "work"), "");
    assert_eq!(named.code, 0, "{named:?}");
}

#[test]
fn where_nobody_can_act_a_login_fails_at_once() {
    let desk = Desk::new();
    // Nothing listens there: nobody has been asked for anything.
    let login = ["login", "http://127.0.0.1:1", "--client-id", "TestApp"];
    for arguments in [&login[..], &[&login[..], &["--print-url", "--no-input"]].concat()] {
        let ended = desk.run(arguments);
        assert_eq!(ended.code, 4, "{ended:?}");
        assert!(ended.stderr.contains("there is no terminal here"), "{ended:?}");
    }
    assert!(!desk.file("profiles").exists());
}

#[test]
fn on_a_desktop_a_browser_is_opened() {
    let desk = Desk::new();
    let script = "#!/bin/sh\necho \"$1$REGRANT_TOKEN_PASSWORD\" > \"$HOME/opened\"\n";
    std::fs::write(desk.home().join("xdg-open"), script).unwrap();
    let pipe = "chmod +x xdg-open && mkfifo opened";
    assert!(Command::new("sh").args(["-c", pipe]).current_dir(desk.home()).status().unwrap().success());

    let path = format!("{}:{}", desk.home().display(), std::env::var("PATH").unwrap());
    let mut login = desk.command(&["login", &desk.server.url, "--client-id", "TestApp", "--browser"]);
    let mut child =
        login.env("PATH", path).env("REGRANT_TOKEN_PASSWORD", "sesame").stderr(Stdio::null()).spawn().unwrap();
    let address = std::fs::read_to_string(desk.home().join("opened")).unwrap();
    assert_eq!(Browser::default().log_in(address.trim()).status, 200);
    assert!(child.wait().unwrap().success());
    assert!(desk.is_good(&desk.token(&[])));
}

#[test]
fn on_a_terminal_without_a_desktop_the_address_is_shown() {
    let desk = Desk::new();
    // `script` gives a command a terminal, and passes on what it shows.
    let line = format!(
        "exec script --quiet --return --command '{} login {} --client-id TestApp' /dev/null >&2",
        neighbour("regrant-token").display(),
        desk.server.url
    );
    let mut shell = Command::new("sh");
    desk.at_home(shell.args(["-c", &line]));
    let ended = desk.log_in_by(&mut shell);
    assert!(ended.stderr.contains("open this in a browser on this machine"), "{}", ended.stderr);
    assert!(desk.is_good(&desk.token(&[])));
}

#[test]
fn a_client_with_a_secret_gets_its_own_tokens_without_anybody() {
    let desk = Desk::new();
    let secret = desk.home().join("job.secret");
    std::fs::write(&secret, "TestSecret\n").unwrap();
    let secret = secret.to_str().unwrap();
    let common = ["--client-id", "TestClient", "--client-credentials", "--scope", "read"];
    let by_file =
        [&["login", &desk.server.url, "--name", "by-file", "--client-secret-file", secret], &common[..]].concat();
    assert_eq!(desk.run(&by_file).code, 0);
    let by_variable =
        [&["login", &desk.server.url, "--name", "by-variable", "--client-secret-post"], &common[..]].concat();
    assert_eq!(ended(desk.command(&by_variable).env("REGRANT_TOKEN_CLIENT_SECRET", "TestSecret"), "").code, 0);

    assert!(desk.is_good(&desk.token(&["--name", "by-file"])));
    desk.change("tokens/by-variable.json", |kept| kept["expires_at"] = kept["received_at"].clone());
    let without = desk.run(&["get", "--name", "by-variable"]);
    assert!(without.code == 1 && without.stderr.contains("REGRANT_TOKEN_CLIENT_SECRET"), "{without:?}");
    let with =
        ended(desk.command(&["get", "--name", "by-variable"]).env("REGRANT_TOKEN_CLIENT_SECRET_FILE", secret), "");
    assert_eq!(with.code, 0, "{with:?}");

    for file in ["profiles/by-file.json", "profiles/by-variable.json", "tokens/by-file.json"] {
        let kept = std::fs::read_to_string(desk.file(file)).unwrap();
        assert!(!kept.contains("TestSecret"), "{file} has the client's secret");
    }
}

#[test]
fn a_wrong_secret_of_the_client_is_told() {
    let desk = Desk::new();
    let arguments = ["login", &desk.server.url, "--client-id", "TestClient", "--client-credentials"];
    let ended = ended(desk.command(&arguments).env("REGRANT_TOKEN_CLIENT_SECRET", "wrong"), "");
    assert!(ended.code == 1 && ended.stderr.contains("does not accept this client"), "{ended:?}");
}

#[test]
fn a_client_without_a_secret_is_told_what_is_missing() {
    let desk = Desk::new();
    let ended = desk.run(&["login", &desk.server.url, "--client-id", "TestClient", "--client-credentials"]);
    assert!(ended.code == 1 && ended.stderr.contains("--client-secret-file FILE"), "{ended:?}");
}

#[test]
fn without_the_clients_secret_a_valid_token_is_given_and_a_logout_is_made() {
    let desk = Desk::new();
    let secret = desk.home().join("job.secret");
    std::fs::write(&secret, "TestSecret\n").unwrap();
    let file = secret.to_str().unwrap();
    let login = ["login", &desk.server.url, "--client-id", "TestClient", "--client-credentials"];
    assert_eq!(desk.run(&[&login[..], &["--client-secret-file", file]].concat()).code, 0);
    let token = desk.token(&[]);
    std::fs::remove_file(&secret).unwrap();
    assert_eq!(desk.token(&[]), token);
    assert!(desk.is_good(&token));

    let before = std::fs::read(desk.file("tokens/default.json")).unwrap();
    for arguments in [&["revoke"][..], &["get", "--refused"], &["get", "--scope", "write"]] {
        let ended = desk.run(arguments);
        assert!(ended.code == 1 && ended.stderr.contains("job.secret"), "{arguments:?}: {ended:?}");
    }
    assert_eq!(std::fs::read(desk.file("tokens/default.json")).unwrap(), before);
    desk.let_time_pass();
    let ended = desk.run(&["get"]);
    assert!(ended.code == 1 && ended.stderr.contains("job.secret"), "{ended:?}");
    assert_eq!(desk.json(&["logout"])["session"], "unconfirmed");
    assert!(!desk.file("tokens/default.json").exists() && !desk.file("profiles/default.json").exists());
}

#[test]
fn a_host_is_named_without_scheme_and_path() {
    let desk = Desk::new();
    for host in ["https://git.example/", "*.example", "", "git.example/team", "::1"] {
        let ended = desk.run(&["login", "http://127.0.0.1:1", "--client-id", "TestApp", "--print-url", "--for", host]);
        assert!(
            ended.code == 2 && ended.stderr.contains("as in git.example or git.example:8443"),
            "{host:?}: {ended:?}"
        );
    }
}

#[test]
fn the_plain_file_is_announced_however_quiet_one_is() {
    let desk = Desk::new();
    let login = desk.log_in(&["--quiet"]);
    assert!(login.stderr.contains("plain file that only you may read"), "{}", login.stderr);
    assert!(!login.stderr.contains("logged in at"), "{}", login.stderr);
}

#[test]
fn a_server_that_binds_no_token_is_told_before_anybody_is_troubled() {
    let desk = Desk::new();
    let server = StandIn::in_turn(|url| {
        let metadata = format!(
            "{{\"issuer\":\"{url}\",\"token_endpoint\":\"{url}/token\",\"authorization_endpoint\":\"{url}/authorize\"}}"
        );
        vec![answer("200 OK\r\nContent-Type: application/json", &metadata)]
    });
    let ended = desk.run(&["login", &server.url, "--client-id", "TestApp", "--print-url", "--dpop"]);
    assert!(ended.code == 1 && ended.stderr.contains("dpop_signing_alg_values_supported"), "{ended:?}");
    assert!(!ended.stderr.contains("/authorize?"), "{ended:?}");
}

#[test]
fn over_ssh_it_is_said_how_a_browser_elsewhere_gets_here() {
    let desk = Desk::new();
    let mut login = desk.command(&["login", &desk.server.url, "--client-id", "TestApp", "--print-url"]);
    let told = desk.log_in_by(login.env("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22")).stderr;
    let forward = told.split("ssh -L ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    let (port, target) = forward.split_once(':').unwrap_or_else(|| panic!("{told}"));
    assert_eq!(target, format!("127.0.0.1:{port}"), "{told}");
    assert!(told.contains(&format!("127.0.0.1%3A{port}%2Fcallback")), "{told}");
}

#[test]
fn a_profile_of_another_server_is_not_overwritten() {
    let desk = Desk::logged_in();
    let other = Desk::new();
    let before = std::fs::read(desk.file("tokens/default.json")).unwrap();
    let ended = desk.run(&["login", &other.server.url, "--client-id", "TestApp", "--print-url"]);
    assert!(ended.code == 1 && ended.stderr.contains("log out there first"), "{ended:?}");
    assert_eq!(std::fs::read(desk.file("tokens/default.json")).unwrap(), before);
    assert!(desk.is_good(&desk.token(&[])));
}

#[test]
fn a_server_is_named_as_it_names_itself() {
    let desk = Desk::new();
    let localhost = desk.server.url.replace("127.0.0.1", "localhost");
    let ended = desk.run(&["login", &localhost, "--client-id", "TestApp", "--print-url"]);
    assert!(ended.code == 1 && ended.stderr.contains("exactly as it names itself"), "{ended:?}");
    let ended = desk.run(&["login", "http://id.example", "--client-id", "TestApp", "--print-url"]);
    assert!(ended.code == 1 && ended.stderr.contains("not an https:// URL"), "{ended:?}");
}
