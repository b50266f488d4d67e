//! `doctor`: what it says of our own server in every mode, and of another maker's.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use regrant_grant::RotationMode::{self, Consume, Fork, Reuse, Rotate};
use serde_json::Value;
use tempfile::TempDir;

use crate::desk::{Ended, ended};
use crate::program::neighbour;
use crate::socket::Socket;

/// The program, and a home with nothing in it.
fn doctor(home: &TempDir, arguments: &[&str], password: &str) -> Command {
    let mut command = Command::new(neighbour("regrant-token"));
    command.arg("doctor").args(arguments).env_clear().env("HOME", home.path()).env("NO_PROXY", "127.0.0.1");
    command.env("REGRANT_TOKEN_PASSWORD", password);
    command
}

/// What was found, as topic and grade; the first of a topic counts.
fn grades(ended: &Ended) -> BTreeMap<String, String> {
    let report: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let findings = report["findings"].as_array().unwrap().iter().rev();
    findings.map(|finding| (text(&finding["topic"]), text(&finding["grade"]))).collect()
}

/// A table as a text, one space between words.
fn words(table: &str) -> String {
    table.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mode_of_our_server_is_told_as_it_is() {
    let cases: [(RotationMode, Option<u32>, &[(&str, &str)]); 5] = [
        (Rotate, None, &[("rotation", "good"), ("retry", "good"), ("reuse", "good")]),
        (Rotate, Some(0), &[("rotation", "good"), ("retry", "bad")]),
        (Reuse, None, &[("rotation", "note"), ("retry", "good")]),
        (Consume, None, &[("rotation", "note"), ("retry", "good")]),
        (Fork, None, &[("rotation", "good"), ("retry", "note"), ("reuse", "warning")]),
    ];
    for (rotation, window, expected) in cases {
        let socket = Socket::open().await;
        let client = socket.server.confidential("TestApp").rotation(rotation);
        let client = window.into_iter().fold(client, |client, seconds| client.retry_window(seconds));
        let secret = client.register().await.secret.clone().unwrap();
        let issuer = socket.server.engine.issuer().as_str().to_owned();
        let ended = tokio::task::spawn_blocking(move || {
            let home = tempfile::tempdir().unwrap();
            let file = home.path().join("secret");
            fs::write(&file, secret).unwrap();
            let file = file.to_str().unwrap();
            let of_client = ["--client-id", "TestApp", "--client-secret-post", "--client-secret-file", file];
            let of_user = [&of_client[..], &["--username", regrant_tests::USERNAME]].concat();
            ended(&mut doctor(&home, &[&[&*issuer, "--json"], &of_user[..]].concat(), regrant_tests::PASSWORD), "")
        });
        let ended = ended.await.unwrap();
        let grades = grades(&ended);
        for (topic, grade) in
            [("metadata", "good"), ("tls", "note"), ("keys", "good"), ("clock", "bad")].iter().chain(expected)
        {
            assert_eq!(
                grades.get(*topic).map(String::as_str),
                Some(*grade),
                "{topic} of {rotation:?} {window:?}: {ended:?}"
            );
        }
        // The server of a test has a clock of its own.
        assert_eq!(ended.code, 1, "something is bad: {ended:?}");
    }
}

/// A server of another maker; it ends with this.
struct Foreign {
    child: Child,
    url: String,
    /// Its standard output stays open.
    _lines: Box<dyn Iterator<Item = String>>,
}

impl Foreign {
    fn start() -> Self {
        let script = neighbour("../servers/node/scripts/oidc_provider.mjs");
        let mut node = Command::new("node");
        node.args(["--preserve-symlinks", "--preserve-symlinks-main"]).arg(script);
        Self::run(&mut node, "listening on ")
    }

    /// Starts a program that says where it listens on a line that begins so.
    fn run(command: &mut Command, beginning: &str) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let told = lines.find_map(|line| line.strip_prefix(beginning).map(str::to_owned));
        Self { child, url: told.expect("it says where it listens"), _lines: Box::new(lines) }
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn a_server_without_a_retry_rule_is_told_in_words() {
    let (foreign, home) = (Foreign::start(), tempfile::tempdir().unwrap());
    let of_user = ["--client-id", "TestApp", "--username", "bshaffer", "--scope", "openid offline_access"];
    let arguments = [&[&*foreign.url], &of_user[..]].concat();
    let table = ended(&mut doctor(&home, &arguments, "brent123"), "");
    assert_eq!(table.code, 1, "{table:?}");
    for expected in [
        "bad retry after a lost answer the same refresh token is refused (invalid_grant), and the session ended",
        "good clock ",
        "good rotation ",
        "good reuse ",
        "- retry: let the server give the same answer again for a while (a retry or grace window)",
    ] {
        assert!(words(&table.stdout).contains(expected), "{expected}: {}", table.stdout);
    }
    assert!(table.stderr.contains("something is bad"), "{table:?}");

    let wrong = ended(&mut doctor(&home, &[&arguments[..], &["--json"]].concat(), "wrong"), "");
    assert_eq!((wrong.code, grades(&wrong).get("refresh").map(String::as_str)), (1, Some("bad")), "{wrong:?}");
    let alone = ended(&mut doctor(&home, &[&foreign.url, "--json"], ""), "");
    assert_eq!((alone.code, grades(&alone).get("refresh").map(String::as_str)), (0, Some("note")), "{alone:?}");
}

#[test]
fn version_and_certificate_are_told() {
    let home = tempfile::tempdir().unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let mut parameters = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    for (version, expected) in [("-tls1_3", "good tls version 1.3"), ("-tls1_2", "note tls version 1.2")] {
        parameters.not_after = rcgen::date_time_ymd(2124, 1, 1);
        let certificate = home.path().join("tls.crt");
        fs::write(&certificate, parameters.self_signed(&key).unwrap().pem()).unwrap();
        fs::write(home.path().join("tls.key"), key.serialize_pem()).unwrap();
        let server = Foreign::run(
            Command::new("openssl")
                .args(["s_server", "-accept", "127.0.0.1:0", "-www", "-cert", "tls.crt", "-key", "tls.key", version])
                .current_dir(home.path()),
            "ACCEPT ",
        );
        let issuer = format!("https://{}", server.url);
        let trusting = ended(doctor(&home, &[&issuer], "").env("SSL_CERT_FILE", &certificate), "");
        assert!(words(&trusting.stdout).contains(expected), "{trusting:?}");
        let other = ended(&mut doctor(&home, &[&issuer], ""), "");
        assert!(other.code == 5 && other.stderr.contains("invalid peer certificate"), "{other:?}");
    }
}

#[test]
fn a_server_that_cannot_be_reached_may_be_later() {
    let home = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nowhere = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    for (arguments, code, expected) in [
        (&[&*nowhere][..], 5, "cannot reach the server"),
        (&["http://id.example"], 1, "is not an https:// URL"),
        (&[&nowhere, "--username", "x"], 2, "--client-id"),
    ] {
        let ended = ended(&mut doctor(&home, arguments, ""), "");
        assert!(ended.code == code && ended.stderr.contains(expected), "{arguments:?}: {ended:?}");
    }
}
