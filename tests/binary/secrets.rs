//! What the program writes has no secret in it.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use regrant_crypto::sha256;

use crate::curl::{bash, log_in, post, refresh, run};
use crate::program::{Program, command, fresh_data};

/// C-196.
#[test]
fn no_secret_is_written_whatever_happens() {
    let (_parent, data) = fresh_data();
    for level in ["info", "trace"] {
        let program = Program::run(command(&data).arg("--no-tour").env("REGRANT_LOG", level));
        let secrets = session(&program.url);
        let ended = program.terminate();
        assert!(ended.stderr.contains("reuse_detected"), "the session is logged: {}", ended.stderr);
        let written = format!("{}{}", ended.stdout, ended.stderr);
        let keys = fs::read_to_string(data.join("master.key")).unwrap();
        let keys = keys.lines().filter_map(|line| line.split_once(" = ")).map(|(_, key)| key.to_owned());
        for secret in secrets.into_iter().chain(keys) {
            assert!(!written.contains(&secret), "{secret:?} was written at level {level}");
        }
    }
}

/// Every program that a test starts is searched for secrets, line by line, and fails its test when it ends.
#[test]
fn what_a_program_writes_is_searched_for_secrets() {
    let token = "rgr_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEy";
    for (line, leaks) in [
        ("refused", false),
        ("password brent123", true),
        (token, true),
        ("'{\"token\":\"eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.AA\"}'", true),
    ] {
        let script = format!("echo listening on http://127.0.0.1:1; echo {line} >&2");
        let program = Program::run(Command::new("sh").args(["-c", &script]));
        let ended = catch_unwind(AssertUnwindSafe(|| drop(program.wait())));
        assert_eq!(ended.is_err(), leaks, "{line}");
    }
}

/// Everything that can happen to a secret, and every secret that it happened to.
fn session(url: &str) -> Vec<String> {
    let verifier = "a-verifier-of-forty-three-characters-0123456".to_owned();
    let challenge = URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes()));
    let mut secrets: Vec<String> =
        ["TestSecret", "brent123", "wrong-secret", "wrong-password"].map(str::to_owned).into();
    secrets.extend([STANDARD.encode("TestClient:TestSecret"), verifier.clone(), challenge.clone()]);

    let login = log_in(url);
    let rotated = refresh(url, &login.refresh_token());
    let retried = refresh(url, &login.refresh_token());
    let proof = format!("retry_challenge={challenge}&retry_verifier={verifier}");
    let token = rotated.refresh_token();
    let newest = post(url, "token", &format!("grant_type=refresh_token&refresh_token={token}&{proof}"));
    for answer in [&login, &rotated, &retried, &newest] {
        secrets.extend([answer.member("access_token"), answer.refresh_token()]);
    }
    let (access, refresh_token) = (newest.member("access_token"), newest.refresh_token());
    let (head, last) = refresh_token.split_at(71);
    let forged = format!("{head}{}", if last == "A" { "B" } else { "A" });
    secrets.push(forged.clone());
    for endpoint in ["token", "revoke", "introspect", "nowhere"] {
        for form in [
            "grant_type=password&username=bshaffer&password=wrong-password",
            "grant_type=password&username=brent123&password=brent123",
            &format!("grant_type=refresh_token&refresh_token={forged}&token={forged}"),
            &format!("grant_type=refresh_token&refresh_token={refresh_token}&refresh_token={refresh_token}"),
            &format!("grant_type=refresh_token&refresh_token={refresh_token}%zz&token={access}%FF"),
            &format!("grant_type=refresh_token&refresh_token={refresh_token}&scope=a%22&{proof}x"),
            &format!("grant_type=refresh_token&resource={refresh_token}&scope={access}&token=%00{access}"),
            &format!("grant_type=refresh_token&refresh_token={refresh_token}&client_secret=TestSecret"),
        ] {
            post(url, endpoint, form);
        }
        for credentials in ["TestClient:wrong-secret", "nobody:wrong-secret", "TestApp:TestSecret"] {
            run(&format!("curl -u '{credentials}' {url}/{endpoint} -d token={access}"));
        }
        run(&format!("curl '{url}/{endpoint}?client_id=TestClient&client_secret=TestSecret&token={access}' -d a=b"));
        run(&format!("curl '{url}/{endpoint}?token={access}' -H 'Authorization: Bearer {access}'"));
        run(&format!("curl {url}/{endpoint} -H 'Authorization: Basic TestSecret' -d {proof}"));
    }
    run(&format!("curl {url}/demo/hello -H 'Authorization: Bearer {access}'"));
    run(&format!("curl {url}/demo/hello?access_token={access}"));
    let host = url.trim_start_matches("http://").replace(':', "/");
    bash(&format!("exec 3<>/dev/tcp/{host}; printf 'GET /{access}\\n{refresh_token}\\n\\n' >&3; cat <&3"));
    post(url, "introspect", &format!("token={access}"));
    post(url, "revoke", &format!("token={access}"));
    refresh(url, &login.refresh_token()).assert_invalid_grant();
    refresh(url, &refresh_token).assert_invalid_grant();
    post(url, "revoke", &format!("token={refresh_token}"));
    secrets
}
