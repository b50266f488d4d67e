//! The rules of our own about what arrives, at every endpoint. Those of the connection are tested with the accept loop.

use regrant_crypto::hash_password;
use regrant_protocol::{FORM_BYTES_MAX, PARAMETER_COUNT_MAX, PARAMETER_NAME_BYTES_MAX, PARAMETER_VALUE_BYTES_MAX};
use regrant_store::{ClientChange, Credential, UserChange, UserStatus};
use regrant_tests::{Request, TestServer, USERNAME};

const FORM: &str = "application/x-www-form-urlencoded";
/// SHA-256 of a password or secret that is none of those below, as another system kept it.
const TAKEN_OVER: &str = "sha256:c4bbcb1fbec99d65bf59d85c8cb62ee2db963f0fe106f483d9afa73bd4e39a8a";

/// C-190.
#[tokio::test]
async fn only_a_urlencoded_form_is_read() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let token = app.log_in().await.refresh_token();
    let cases: [(&[&str], u16); 11] = [
        (&["application/json"], 415),
        (&["multipart/form-data; boundary=x"], 415),
        (&["text/plain"], 415),
        (&["application/x-www-form-urlencoded-not"], 415),
        (&["application/x-www-form-urlencoded; charset=latin1"], 415),
        (&[""], 415),
        (&[], 415),
        (&[FORM, FORM], 400),
        (&[FORM, "application/json"], 400),
        (&["application/x-www-form-urlencoded;charset=UTF-8"], 200),
        (&["APPLICATION/x-www-form-urlencoded; Charset=\"utf-8\""], 200),
    ];
    for (content_types, expected) in cases {
        for request in [app.token("client_credentials"), app.introspect(&token), app.revoke("x")] {
            let answer = request.content_types(content_types).send().await;
            assert_eq!(answer.status, expected, "{content_types:?}");
        }
    }
    assert_eq!(server.grant(&token).await.version, 1);
}

/// C-190: as with the content type, two are none.
#[tokio::test]
async fn two_authorization_headers_are_refused() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let secret = app.secret.clone().unwrap();
    let twice = app.token("client_credentials").basic("TestClient", &secret);
    twice.send().await.assert_error(400, "invalid_request");
}

/// C-192: the limits of the form; those of target and headers are the accept loop's.
#[tokio::test]
async fn a_form_has_limits() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let form = |rest: &str| format!("grant_type=client_credentials&{rest}");
    let numbered = |count: usize| (1..count).map(|n| format!("p{n}=1")).collect::<Vec<_>>().join("&");
    let of_length = |bytes: usize| format!("{}&", form("")).chars().chain("&".chars().cycle()).take(bytes).collect();
    for (body, status, why) in [
        (form(&numbered(PARAMETER_COUNT_MAX)), 200, "as many parameters as may be"),
        (form(&numbered(PARAMETER_COUNT_MAX + 1)), 400, "one parameter more"),
        (form(&format!("{}=1", "n".repeat(PARAMETER_NAME_BYTES_MAX))), 200, "the longest name"),
        (form(&format!("{}=1", "n".repeat(PARAMETER_NAME_BYTES_MAX + 1))), 400, "a longer name"),
        (form(&format!("v={}", "x".repeat(PARAMETER_VALUE_BYTES_MAX))), 200, "the longest value"),
        (form(&format!("v={}", "x".repeat(PARAMETER_VALUE_BYTES_MAX + 1))), 400, "a longer value"),
        (of_length(FORM_BYTES_MAX), 200, "the longest body"),
        (of_length(FORM_BYTES_MAX + 1), 413, "a longer body"),
        (of_length(FORM_BYTES_MAX * 64), 413, "a much longer body"),
    ] {
        assert_eq!(app.post("/token").form(body).send().await.status, status, "{why}");
    }
}

/// C-195: a wrong secret costs one Argon2id call, whether there is such a client or not, and whatever it has.
#[tokio::test]
async fn an_unknown_client_costs_as_much_as_a_wrong_secret() {
    let server = TestServer::start().await;
    server.confidential("generated").register().await;
    server.confidential("chosen").secret("TestSecret").register().await;
    server.public("public").register().await;
    let disabled = server.confidential("disabled").register().await;
    disabled.change(ClientChange::Enabled(false)).await;
    let removed = server.confidential("removed").secret("TestSecret").register().await;
    removed.change(ClientChange::Remove).await;
    let taken_over = server.confidential("imported").register().await;
    let credential = Some(Credential::new(TAKEN_OVER.to_owned()));
    taken_over.change_settings(|settings| settings.credential = credential).await;
    let long = "x".repeat(2000);
    for id in ["nobody", "generated", "chosen", "public", "disabled", "removed", "imported"] {
        for secret in ["wrong", "rgs_wrong", &long] {
            let in_body = server.post("/token").with("client_id", id).with("client_secret", secret);
            for request in [server.post("/token").basic(id, secret), in_body] {
                let request = request.with("grant_type", "client_credentials");
                assert_eq!(hash_calls(&server, request, "invalid_client").await, 1, "{id} with {secret:.9}");
            }
        }
    }
    for id in ["nobody", "generated", "chosen", "disabled", "removed"] {
        let request = server.post("/token").with("client_id", id).with("grant_type", "client_credentials");
        assert_eq!(hash_calls(&server, request, "invalid_client").await, 0, "{id} without a secret");
    }
}

/// C-195: the same for users.
#[tokio::test]
async fn an_unknown_user_costs_as_much_as_a_wrong_password() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").register().await;
    let long = "x".repeat(2000);
    server.register_user("Jörg").await;
    for status in [UserStatus::Active, UserStatus::Locked, UserStatus::Disabled] {
        server.change_user(UserChange::Status(status)).await;
        for username in ["nobody", USERNAME, "\u{7}", "Jörg"] {
            for password in ["wrong", &long] {
                let request = app.token("password").with("username", username).with("password", password);
                assert_eq!(hash_calls(&server, request, "invalid_grant").await, 1, "{username:?}, {status:?}");
            }
        }
    }
    let ours = hash_password(b"x", [7; 16]).unwrap();
    for stored in [ours.expose(), TAKEN_OVER] {
        let credential = Credential::new(stored.to_owned());
        server.change_user(UserChange::Password { seen_version: None, credential }).await;
        let request = app.token("password").with("username", USERNAME).with("password", "y");
        assert_eq!(hash_calls(&server, request, "invalid_grant").await, 1, "{stored}");
    }
}

/// How many Argon2id calls a request costs that is refused with `error`.
async fn hash_calls(server: &TestServer, request: Request, error: &str) -> u64 {
    // Failures are counted by address and name; this test is not about them.
    server.clock.advance_seconds(60);
    let before = server.engine.hash_calls();
    let answer = request.send().await;
    assert_eq!(answer.member("error"), Some(error), "{}", answer.text_of_body());
    server.engine.hash_calls() - before
}
