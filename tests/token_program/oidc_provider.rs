//! What our own server does not offer, with the program at oidc-provider.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regrant_crypto::{Algorithm, SigningKey};
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::desk::{Desk, Ended};
use crate::foreign::Foreign;

/// The server with the client `TestKeys`, and the file in which that has its private key.
fn server_with_keys(desk: &Desk) -> (Foreign, String) {
    let key = SigningKey::generate(Algorithm::Es256);
    let jwks = json!({ "keys": [key.public_jwk()] }).to_string();
    let file = desk.home().join("key.pem");
    let body = STANDARD.encode(&*key.to_pkcs8());
    std::fs::write(&file, format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")).unwrap();
    (Foreign::oidc_provider(&["--client-jwks", &jwks]), file.to_str().unwrap().to_owned())
}

/// Logs in with a browser on another device, which says yes to the code that is shown.
fn log_in_elsewhere(desk: &Desk, server: &Foreign, arguments: &[&str]) -> Ended {
    let mut login = desk.command(&[&["login", &server.url, "--device"], arguments].concat());
    let mut child = login.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut told = String::new();
    let code = loop {
        let before = told.len();
        assert_ne!(errors.read_line(&mut told).unwrap(), 0, "it shows no code: {told}");
        if let Some((address, code)) = told[before..].split_once(" on any device, and enter the code ") {
            assert!(address.starts_with(&format!("open {}/", server.url)), "{told}");
            break code.trim().to_owned();
        }
    };
    let approve = ureq::Agent::config_builder().proxy(None).build().new_agent().post(format!("{}/approve", server.url));
    assert_eq!(approve.send_form([("user_code", &*code)]).unwrap().status(), 204);
    errors.read_to_string(&mut told).unwrap();
    let output = child.wait_with_output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    Ended { code: output.status.code().unwrap(), stdout, stderr: told }
}

/// What the server answers to a request for the user's claims, with the headers that the program prints for it.
fn userinfo(desk: &Desk, server: &Foreign) -> u16 {
    let url = format!("{}/me", server.url);
    let lines = desk.told(&["header", "--url", &url]);
    let headers: Vec<(&str, &str)> = lines.lines().map(|line| line.split_once(": ").unwrap()).collect();
    assert!(headers[0].1.starts_with("DPoP ") && headers[1].0 == "dpop", "{lines}");
    Browser::default().get(&url, &headers).status.as_u16()
}

#[test]
fn a_login_elsewhere_by_a_client_with_a_key_is_bound_and_refreshed() {
    let desk = Desk::new();
    let (server, key) = server_with_keys(&desk);
    let client = ["--client-id", "TestKeys", "--private-key-file", &key, "--dpop"];
    let scope = ["--scope", "openid offline_access", "--json"];
    let login = log_in_elsewhere(&desk, &server, &[&client[..], &scope].concat());
    assert_eq!(login.code, 0, "{login:?}");
    let answer: Value = serde_json::from_str(&login.stdout).unwrap();
    assert_eq!((&answer["client_id"], &answer["has_refresh_token"]), (&"TestKeys".into(), &true.into()), "{answer}");

    let mut tokens = Vec::new();
    for _ in 0..2 {
        let given = desk.json(&["get"]);
        assert_eq!(given["token_type"], "DPoP", "{given}");
        assert_eq!(userinfo(&desk, &server), 200, "token, key and proof belong together");
        tokens.push(given["access_token"].as_str().unwrap().to_owned());
        desk.let_time_pass();
    }
    assert_ne!(tokens[0], tokens[1], "it was refreshed, with the key of the client and that of the login");
    for command in [&["git", "get"][..], &["kubectl"]] {
        let refused = desk.run_with(command, "protocol=https\nhost=git.example\n\n");
        assert!(!refused.stdout.contains(&tokens[1]), "{command:?}: {refused:?}");
    }
    assert_eq!(desk.json(&["logout"])["session"], "revoked");
    for token in &tokens {
        assert!(!login.stderr.contains(token.as_str()), "{}", login.stderr);
    }
}

#[test]
fn a_client_with_a_key_gets_its_own_tokens_without_anybody() {
    let desk = Desk::new();
    let (server, key) = server_with_keys(&desk);
    let login = |audience: &str| {
        let client = ["--client-id", "TestKeys", "--private-key-file", &key, "--audience", audience];
        desk.run(&[&["login", &server.url, "--name", audience, "--client-credentials"], &client[..]].concat())
    };
    for audience in ["issuer", "token-endpoint"] {
        let login = login(audience);
        assert_eq!(login.code, 0, "{login:?}");
        assert!(!desk.token(&["--name", audience]).is_empty());
        let profile = std::fs::read_to_string(desk.file(&format!("profiles/{audience}.json"))).unwrap();
        assert!(profile.contains("key.pem") && !profile.contains("PRIVATE"), "{profile}");
    }
    let other = SigningKey::generate(Algorithm::Es256);
    let body = STANDARD.encode(&*other.to_pkcs8());
    std::fs::write(&key, format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")).unwrap();
    let refused = login("issuer");
    assert!(refused.code == 1 && refused.stderr.contains("does not accept this client"), "{refused:?}");
}
