//! `doctor`: what it says of our own server in every mode, and of another maker's.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use regrant_grant::RotationMode::{self, Consume, Fork, Reuse, Rotate};
use serde_json::Value;
use tempfile::TempDir;

use crate::desk::{Ended, ended};
use crate::foreign::Foreign;
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
    type Grades = [(&'static str, &'static str)];
    let cases: [(RotationMode, Option<u32>, &Grades); 5] = [
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

#[test]
fn a_server_without_a_retry_rule_is_told_in_words() {
    let (foreign, home) = (Foreign::oidc_provider(&[]), tempfile::tempdir().unwrap());
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
    // The client exists, and has no password grant: that says nothing against the server.
    let (desk, home) = (crate::desk::Desk::new(), tempfile::tempdir().unwrap());
    let of_user = [&*desk.server.url, "--client-id", "TestApp", "--username", "bshaffer", "--json"];
    let not_tried = ended(&mut doctor(&home, &of_user, "brent123"), "");
    assert_eq!(grades(&not_tried).get("refresh").map(String::as_str), Some("note"), "{not_tried:?}");
    assert!(not_tried.stdout.contains("not tried: this client may not log in by a password"), "{not_tried:?}");

    let alone = ended(&mut doctor(&home, &[&foreign.url, "--json"], ""), "");
    assert_eq!((alone.code, grades(&alone).get("refresh").map(String::as_str)), (0, Some("note")), "{alone:?}");
}

/// What a server has that does nothing but TLS, and the certificate that it shows until then.
fn tls_server(home: &TempDir, until_year: i32, version: &str) -> Foreign {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut parameters = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    parameters.not_before = rcgen::date_time_ymd(2019, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(until_year, 1, 1);
    fs::write(home.path().join("tls.crt"), parameters.self_signed(&key).unwrap().pem()).unwrap();
    fs::write(home.path().join("tls.key"), key.serialize_pem()).unwrap();
    let mut server = Command::new("openssl");
    server.args(["s_server", "-accept", "127.0.0.1:0", "-www", "-cert", "tls.crt", "-key", "tls.key", version]);
    Foreign::run(server.current_dir(home.path()), "ACCEPT ")
}

#[test]
fn version_and_certificate_are_told() {
    let home = tempfile::tempdir().unwrap();
    let trusted = home.path().join("tls.crt");
    for (version, expected) in [("-tls1_3", "good tls version 1.3"), ("-tls1_2", "note tls version 1.2")] {
        let server = tls_server(&home, 2124, version);
        let issuer = format!("https://{}", server.url);
        let trusting = ended(doctor(&home, &[&issuer], "").env("SSL_CERT_FILE", &trusted), "");
        assert!(words(&trusting.stdout).contains(expected), "{trusting:?}");
    }
}

#[test]
fn a_certificate_that_clients_refuse_is_told_with_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let trusted = home.path().join("tls.crt");
    for (until_year, is_trusted, host, fault, advice) in [
        (2124, false, "127.0.0.1", "unknown_issuer", "- tls: send the intermediate certificates too"),
        (2020, true, "127.0.0.1", "expired", "- tls: renew the certificate now"),
        (2124, true, "localhost", "other_name", "- tls: get a certificate for the host"),
    ] {
        let server = tls_server(&home, until_year, "-tls1_2");
        let issuer = format!("https://{}", server.url.replace("127.0.0.1", host));
        let look = |arguments: &[&str]| {
            let mut doctor = doctor(&home, &[&[&*issuer], arguments].concat(), "");
            if is_trusted {
                doctor.env("SSL_CERT_FILE", &trusted);
            }
            ended(&mut doctor, "")
        };
        let table = look(&[]);
        let told = words(&table.stdout);
        assert!(table.code == 1 && told.contains("bad tls clients refuse the certificate"), "{table:?}");
        assert!(told.contains(advice), "{table:?}");
        let report = look(&["--json"]);
        let seen: Value = serde_json::from_str(&report.stdout).unwrap();
        assert_eq!(seen["observations"]["tls"]["fault"], fault, "{report:?}");
        assert_eq!(grades(&report).len(), 1, "{report:?}");
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
