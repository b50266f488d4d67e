//! The retry challenge of a public client: one hour, for whoever holds the verifier.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regrant_crypto::sha256;
use regrant_tests::{Request, TestServer};

const VERIFIER: &str = "a-verifier-of-forty-three-characters-0123456";
const OTHER: &str = "another-verifier-of-forty-three-characters-01";

fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes()))
}

/// A first try, which carries the challenge alone.
fn first_try(request: Request) -> Request {
    request.with("retry_challenge", &challenge(VERIFIER))
}

/// A later try, which proves itself.
fn later_try(request: Request) -> Request {
    first_try(request).with("retry_verifier", VERIFIER)
}

#[tokio::test]
async fn the_holder_of_the_verifier_may_retry_for_an_hour() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").register().await;
    let first = app.log_in().await.refresh_token();
    let second = first_try(app.refresh(&first)).send().await.refresh_token();
    for seconds in [0, 61, 3538] {
        server.clock.advance_seconds(seconds);
        later_try(app.refresh(&first)).send().await.assert_refresh_token(&second);
    }
    let row = server.grant(&second).await;
    server.clock.advance_seconds(1);
    later_try(app.refresh(&first)).send().await.assert_error(400, "invalid_grant");
    assert_eq!(server.grant(&second).await, row, "too late is refused and not punished");
    first_try(app.refresh(&second)).send().await.assert_ok();
}

#[tokio::test]
async fn whoever_does_not_hold_the_verifier_ends_the_grant_even_within_a_minute() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").register().await;
    let without = |request: Request| request;
    let with_other = |request: Request| request.with("retry_verifier", OTHER);
    let with_own_challenge =
        |request: Request| request.with("retry_challenge", &challenge(OTHER)).with("retry_verifier", OTHER);
    let thefts: [&dyn Fn(Request) -> Request; 3] = [&without, &with_other, &with_own_challenge];
    for theft in thefts {
        let first = app.log_in().await.refresh_token();
        let second = first_try(app.refresh(&first)).send().await.refresh_token();
        theft(app.refresh(&first)).send().await.assert_error(400, "invalid_grant");
        first_try(app.refresh(&second)).send().await.assert_error(400, "invalid_grant");
    }
}

#[tokio::test]
async fn a_first_try_that_its_retry_overtook_is_answered_503_and_ends_nothing() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").register().await;
    let first = app.log_in().await.refresh_token();
    let second = later_try(app.refresh(&first)).send().await.refresh_token();
    server.clock.advance_milliseconds(19_999);
    first_try(app.refresh(&first)).may_be_unavailable().send().await.assert_unavailable();
    later_try(app.refresh(&first)).send().await.assert_refresh_token(&second);

    // No request is under way for longer: this one comes from somebody who read the first try.
    server.clock.advance_milliseconds(1);
    first_try(app.refresh(&first)).send().await.assert_error(400, "invalid_grant");
    first_try(app.refresh(&second)).send().await.assert_error(400, "invalid_grant");
}

#[tokio::test]
async fn a_thief_who_was_first_without_a_challenge_is_found_at_the_owners_try() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").register().await;
    let first = app.log_in().await.refresh_token();
    let stolen = app.refresh(&first).send().await.refresh_token();
    first_try(app.refresh(&first)).send().await.assert_error(400, "invalid_grant");
    app.refresh(&stolen).send().await.assert_error(400, "invalid_grant");
}

#[tokio::test]
async fn a_verifier_with_the_current_token_is_ignored() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").register().await;
    let first = app.log_in().await.refresh_token();
    let unasked = first_try(app.refresh(&first)).with("retry_verifier", OTHER);
    let second = unasked.send().await.assert_ok().refresh_token();
    later_try(app.refresh(&first)).send().await.assert_refresh_token(&second);
}

#[tokio::test]
async fn a_grant_that_has_used_a_challenge_has_no_window_without_one() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").register().await;
    let first = app.log_in().await.refresh_token();
    let second = first_try(app.refresh(&first)).send().await.refresh_token();
    let third = app.refresh(&second).send().await.assert_ok().refresh_token();
    app.refresh(&second).send().await.assert_error(400, "invalid_grant");
    app.refresh(&third).send().await.assert_error(400, "invalid_grant");
}

#[tokio::test]
async fn a_malformed_challenge_or_verifier_is_an_invalid_request_and_uses_nothing_up() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").register().await;
    let first = app.log_in().await.refresh_token();
    let good = challenge(VERIFIER);
    let long = "a".repeat(129);
    for (name, value) in [
        ("retry_challenge", &good[..42]),
        ("retry_challenge", &format!("{good}=")),
        ("retry_challenge", "not base64url"),
        ("retry_verifier", &VERIFIER[..42]),
        ("retry_verifier", &long),
        ("retry_verifier", &format!("{}+", &VERIFIER[..43])),
    ] {
        app.refresh(&first).with(name, value).send().await.assert_error(400, "invalid_request");
    }
    assert_eq!(server.grant(&first).await.version, 1);
    app.refresh(&first).send().await.assert_ok();
}

#[tokio::test]
async fn a_confidential_client_needs_no_verifier() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let first = app.log_in().await.refresh_token();
    let second = first_try(app.refresh(&first)).send().await.refresh_token();
    app.refresh(&first).with("retry_verifier", OTHER).send().await.assert_refresh_token(&second);
    app.refresh(&first).send().await.assert_refresh_token(&second);
}
