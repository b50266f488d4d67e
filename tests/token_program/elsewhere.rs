//! What regrant does not offer itself, at a server that does.

use std::process::Command;

use serde_json::{Value, json};

use crate::desk::{Desk, ended};
use crate::stand_in::{StandIn, answer};

/// The metadata of a server at `url`.
fn metadata(url: &str) -> String {
    let metadata = json!({
        "issuer": url,
        "token_endpoint": format!("{url}/token"),
        "device_authorization_endpoint": format!("{url}/device"),
        "dpop_signing_alg_values_supported": ["ES256"],
    });
    answer("200 OK", &metadata.to_string())
}

fn tokens(token_type: &str) -> String {
    let tokens = json!({"access_token": "opaque", "token_type": token_type, "expires_in": 3600, "refresh_token": "r"});
    answer("200 OK", &tokens.to_string())
}

/// The form of a request.
fn form(request: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(request.split_once("\r\n\r\n").unwrap().1.as_bytes()).into_owned().collect()
}

fn has(form: &[(String, String)], name: &str, value: &str) -> bool {
    form.contains(&(name.to_owned(), value.to_owned()))
}

#[test]
fn a_login_on_another_device_shows_a_code_and_waits_for_the_person() {
    let desk = Desk::new();
    let server = StandIn::in_turn(|url| {
        let device = json!({"device_code": "secret-device-code", "user_code": "WDJB-MJHT", "interval": 1, "expires_in": 60,
            "verification_uri": format!("{url}/go")});
        let pending = json!({"error": "authorization_pending"});
        vec![
            metadata(url),
            answer("200 OK", &device.to_string()),
            answer("400 Bad Request", &pending.to_string()),
            tokens("Bearer"),
        ]
    });
    let login = desk.run(&["login", &server.url, "--client-id", "tv", "--device"]);
    assert_eq!(login.code, 0, "{login:?}");
    let shown = format!("open {}/go on any device, and enter the code WDJB-MJHT", server.url);
    assert!(login.stderr.contains(&shown) && !login.stderr.contains("secret-device-code"), "{login:?}");
    assert_eq!(desk.token(&[]), "opaque");
    let heard = server.all_heard();
    assert!(has(&form(&heard[3]), "device_code", "secret-device-code"), "{heard:?}");
}

#[test]
fn a_client_proves_itself_by_signature() {
    let desk = Desk::new();
    let key = desk.home().join("key.pem");
    let made = Command::new("openssl")
        .args(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out"])
        .arg(&key)
        .output();
    assert!(made.unwrap().status.success());
    let server = StandIn::in_turn(|url| vec![metadata(url), tokens("Bearer")]);
    let key = key.to_str().unwrap();
    let login = [
        "login",
        &server.url,
        "--client-id",
        "job",
        "--client-credentials",
        "--private-key-file",
        key,
        "--key-id",
        "k1",
    ];
    assert_eq!(desk.run(&login).code, 0);
    let form = form(&server.heard());
    assert!(has(&form, "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"), "{form:?}");

    // The key is read when something is to be sent.
    std::fs::write(key, "no key").unwrap();
    assert_eq!(desk.token(&[]), "opaque");
    desk.let_time_pass();
    let broken = desk.run(&["get"]);
    assert!(broken.code == 1 && broken.stderr.contains("private key"), "{broken:?}");
}

#[test]
fn a_token_that_is_bound_to_a_key_comes_with_a_proof_or_not_at_all() {
    let desk = Desk::new();
    let server = StandIn::in_turn(|url| vec![metadata(url), tokens("DPoP")]);
    let login = ["login", &server.url, "--client-id", "job", "--client-credentials", "--dpop", "--for", "git.example"];
    let secret = ("REGRANT_TOKEN_CLIENT_SECRET", "sesame");
    let login = ended(desk.command(&login).env(secret.0, secret.1), "");
    assert_eq!(login.code, 0, "{login:?}");
    assert!(server.heard().to_ascii_lowercase().contains("\r\ndpop: "));

    assert_eq!(desk.json(&["get"])["token_type"], "DPoP");
    let header = ["header", "--url", "https://api.example/reports", "--method", "POST"];
    let lines = ended(desk.command(&header).env(secret.0, secret.1), "").stdout;
    let lines: Vec<(&str, &str)> = lines.lines().map(|line| line.split_once(": ").unwrap()).collect();
    assert!(lines.contains(&("authorization", "DPoP opaque")), "{lines:?}");
    let proof = lines.iter().find(|(name, _)| *name == "dpop").unwrap().1;
    let claims: Value = regrant_tests::unverified_claims(proof);
    assert_eq!((&claims["htm"], &claims["htu"]), (&"POST".into(), &"https://api.example/reports".into()));

    let without = desk.run(&["header"]);
    assert!(without.code == 1 && without.stderr.contains("--url"), "{without:?}");
    for (arguments, input) in [(&["kubectl"][..], ""), (&["git", "get"], "protocol=https\nhost=git.example\n")] {
        let refused = desk.run_with(arguments, input);
        assert!(refused.code == 1 && refused.stdout.is_empty() && refused.stderr.contains("DPoP"), "{refused:?}");
    }
}
