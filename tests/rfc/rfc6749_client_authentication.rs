//! RFC 6749 §2.3: who the client is.

use regrant_engine::FAILURE_BURST;
use regrant_protocol::TokenEndpointAuthMethod;
use regrant_tests::{PASSWORD, TestServer, USERNAME};

const PASSWORD_FORM: &str = "grant_type=password&username=bshaffer&password=brent123";

/// C-001.
#[tokio::test]
async fn rfc6749_section_2_3_one_method_per_request() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let secret = app.secret.clone().unwrap();
    let both = app.password().with("client_secret", &secret);
    both.clone().send().await.assert_error(400, "invalid_request");
    both.with("client_id", "TestClient").send().await.assert_error(400, "invalid_request");
    app.password().with("client_id", "Other").send().await.assert_error(400, "invalid_request");
    app.password().with("client_id", "TestClient").send().await.assert_ok();
}

/// C-002.
#[tokio::test]
async fn rfc6749_section_2_3_1_basic_is_form_decoded_after_base64() {
    let server = TestServer::start().await;
    let app = server.confidential("a:b+c%").secret("p w&=é").register().await;
    app.log_in().await;
    for (id, secret) in [
        ("a%3Ab%2Bc%25", "p w&=é"),
        ("a%3Ab%2Bc%25", "p w%26%3D%C3%A9"),
        ("a:b+c%", "p+w%26%3D%C3%A9"),
        ("a%3Ab%2Bc%25", "p+w%26%3D%C3%A9%"),
    ] {
        let request = server.post("/token").basic_unencoded(id, secret).form(PASSWORD_FORM);
        request.send().await.assert_error(401, "invalid_client");
    }
}

/// C-003.
#[tokio::test]
async fn rfc6749_section_2_3_1_credentials_are_never_taken_from_the_uri() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let path = format!("/token?client_id=TestClient&client_secret={}", app.secret.clone().unwrap());
    server.post(&path).form(PASSWORD_FORM).send().await.assert_error(401, "invalid_client");
    server.public("TestApp").register().await;
    server.post("/token?client_id=TestApp").form(PASSWORD_FORM).send().await.assert_error(401, "invalid_client");
}

/// C-004.
#[tokio::test]
async fn rfc6749_section_2_3_1_guessing_a_secret_is_slowed_and_locks_nobody_out() {
    const GUESSER: &str = "192.0.2.1";
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let token = app.log_in().await.refresh_token();

    let hashes = server.engine.hash_calls();
    for guess in 0..200 {
        let request = server.post("/token").basic("TestClient", "guess").form(PASSWORD_FORM).from_address(GUESSER);
        let answer = request.send().await;
        if guess < FAILURE_BURST {
            answer.assert_error(401, "invalid_client");
        } else {
            answer.assert_error(429, "temporarily_unavailable");
        }
    }
    assert_eq!(server.engine.hash_calls() - hashes, u64::from(FAILURE_BURST), "a refused guess costs nothing");
    app.refresh(&token).from_address("192.0.2.2").send().await.assert_ok();

    server.clock.advance_seconds(regrant_engine::FAILURE_INTERVAL_SECONDS);
    app.refresh(&token).from_address(GUESSER).send().await.assert_ok();
}

/// C-004.
#[tokio::test]
async fn rfc6749_section_4_3_2_guessing_a_password_is_slowed_and_locks_nobody_out() {
    const GUESSER: &str = "2001:db8::1";
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let guess = app.token("password").with("username", USERNAME).with("password", "guess");
    for _ in 0..FAILURE_BURST {
        guess.clone().from_address(GUESSER).send().await.assert_error(400, "invalid_grant");
    }
    guess.from_address("2001:db8::ffff").send().await.assert_error(429, "temporarily_unavailable");
    let right = app.token("password").with("username", USERNAME).with("password", PASSWORD);
    right.from_address("2001:db8:0:1::1").send().await.assert_ok();
}

/// C-005.
#[tokio::test]
async fn rfc6749_section_3_2_1_a_confidential_client_must_authenticate() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let token = app.log_in().await.refresh_token();
    for form in ["client_id=TestClient", "client_id=TestClient&client_secret=", ""] {
        let request = server.post("/token").form(format!("grant_type=refresh_token&refresh_token={token}&{form}"));
        request.send().await.assert_error(401, "invalid_client");
    }
    let nameless = server.post("/token").basic("TestClient", "").with("grant_type", "refresh_token");
    nameless.with("refresh_token", &token).send().await.assert_error(401, "invalid_client");
    app.refresh(&token).send().await.assert_ok();
}

/// RFC 6749 §2.3: a client uses the methods that are registered for it; both are offered (OAuth 2.1, C-150).
#[tokio::test]
async fn rfc6749_section_2_3_only_registered_methods_are_accepted() {
    use TokenEndpointAuthMethod::{ClientSecretBasic, ClientSecretPost};
    let server = TestServer::start().await;
    for (methods, basic, post) in [
        (vec![ClientSecretBasic], 200, 401),
        (vec![ClientSecretPost], 401, 200),
        (vec![ClientSecretBasic, ClientSecretPost], 200, 200),
    ] {
        let id = format!("{methods:?}");
        let app = server.confidential(&id).set(|settings| settings.auth_methods = methods).register().await;
        let secret = app.secret.clone().unwrap();
        assert_eq!(app.password().send().await.status, basic, "Basic: {id}");
        let in_body = server.post("/token").form(PASSWORD_FORM).with("client_id", &id).with("client_secret", &secret);
        assert_eq!(in_body.send().await.status, post, "body: {id}");
    }
}

/// C-025.
#[tokio::test]
async fn rfc6749_section_5_2_a_failed_authentication_is_401_and_names_the_scheme() {
    let server = TestServer::start().await;
    server.confidential("TestClient").register().await;
    let token = || server.post("/token").form(PASSWORD_FORM);
    for request in [
        token().basic("TestClient", "wrong"),
        token().basic("nobody", "wrong"),
        token().with("client_id", "TestClient").with("client_secret", "wrong"),
        token().header("authorization", "Bearer abc"),
        token().header("authorization", "Basic !!!"),
        token().header("authorization", "Basic"),
        token(),
    ] {
        let answer = request.send().await.assert_error(401, "invalid_client");
        assert!(answer.header("www-authenticate").unwrap().starts_with("Basic realm="));
    }
}

/// C-195: the answer to a stranger tells no client from another.
#[tokio::test]
async fn rfc6749_section_5_2_a_stranger_hears_one_sentence_whoever_the_client_is() {
    let server = TestServer::start().await;
    server.confidential("generated").register().await;
    server.confidential("chosen").secret("TestSecret").register().await;
    server.public("public").register().await;
    let mut told = Vec::new();
    for id in ["generated", "chosen", "public", "nobody"] {
        told.push(server.post("/token").basic(id, "wrong").form(PASSWORD_FORM).send().await.body);
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
}
