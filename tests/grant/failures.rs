//! What was not decided is answered 503, and whoever asks again loses nothing.

use regrant_engine::{BEGIN_SECONDS_MAX, CALLS_MAX};
use regrant_protocol::Clock;
use regrant_tests::{Fault, PASSWORD, TestServer, USERNAME};

#[tokio::test]
async fn a_request_that_is_not_begun_10_seconds_after_its_first_byte_gets_no_verdict() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let first = app.log_in().await;
    let second = app.refresh(&first.refresh_token()).send().await;
    let third = app.refresh(&second.refresh_token()).send().await;
    let row = server.grant(&third.refresh_token()).await;
    let first_byte = server.clock.monotonic();
    server.clock.advance_milliseconds(u32::try_from(BEGIN_SECONDS_MAX).unwrap() * 1000 + 1);
    // Rotation, retry, reuse, revocation, introspection, issue: none is decided.
    for late in [
        app.refresh(&third.refresh_token()),
        app.refresh(&second.refresh_token()),
        app.refresh(&first.refresh_token()),
        app.revoke(&first.refresh_token()),
        app.revoke(&third.access_token()),
        app.introspect(&third.access_token()),
        app.token("client_credentials"),
        app.password(),
    ] {
        late.first_byte(first_byte).may_be_unavailable().send().await.assert_unavailable();
    }
    assert_eq!(server.grant(&third.refresh_token()).await, row);
    app.introspect(&third.access_token()).send().await.assert_active();
    app.refresh(&third.refresh_token()).send().await.assert_ok();
}

#[tokio::test]
async fn a_request_that_is_begun_in_time_is_decided() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let first_byte = server.clock.monotonic();
    server.clock.advance_milliseconds(u32::try_from(BEGIN_SECONDS_MAX).unwrap() * 1000 - 1);
    let login = app.password().first_byte(first_byte).send().await.assert_ok();
    app.refresh(&login.refresh_token()).first_byte(first_byte).send().await.assert_ok();
}

#[tokio::test]
async fn a_store_that_fails_before_the_step_leaves_the_token_as_it_was() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let login = app.log_in().await;
    for fault in [Fault::Down, Fault::Refuses] {
        server.store.fail(fault);
        for request in [
            app.refresh(&login.refresh_token()),
            app.introspect(&login.access_token()),
            app.token("client_credentials"),
            app.password(),
        ] {
            request.may_be_unavailable().send().await.assert_unavailable();
        }
        server.store.fail(None);
        assert_eq!(server.grant(&login.refresh_token()).await.generation.0, 1, "{fault:?}");
    }
    app.refresh(&login.refresh_token()).send().await.assert_ok();
}

#[tokio::test]
async fn an_answer_that_is_lost_between_store_and_engine_is_found_by_a_retry() {
    let server = TestServer::start().await;
    for app in [server.confidential("TestClient").register().await, server.public("TestApp").register().await] {
        let first = app.log_in().await.refresh_token();
        server.store.fail(Fault::ForgetsToAnswer);
        app.refresh(&first).may_be_unavailable().send().await.assert_unavailable();
        server.store.fail(None);
        assert_eq!(server.grant(&first).await.generation.0, 2, "the rotation was done");
        let second = app.refresh(&first).send().await.refresh_token();
        app.refresh(&first).send().await.assert_refresh_token(&second);
        app.refresh(&second).send().await.assert_ok();
    }
}

#[tokio::test]
async fn metadata_that_cannot_be_read_is_503_and_keys_need_no_store() {
    let server = TestServer::start().await;
    server.store.fail(Fault::Down);
    let metadata = || server.get("/.well-known/oauth-authorization-server").may_be_unavailable();
    metadata().send().await.assert_unavailable();
    server.get("/jwks").send().await.assert_ok();
    server.store.fail(None);
    metadata().send().await.assert_ok();
}

#[tokio::test]
async fn who_meets_an_outage_in_a_browser_loads_the_page_again_and_loses_nothing() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&["https://app.example/cb"]).register().await;
    let mut browser = server.user_agent();
    let login = browser.authorize(&app.authorization()).await.assert_login_page();
    let login = login.required_form("/login").fill("username", USERNAME).fill("password", PASSWORD);
    server.store.fail(Fault::Down);
    browser.prepare(&login).may_be_unavailable().send().await.assert_page(503);
    server.store.fail(None);
    let resume = browser.submit(login).await;
    let consent = browser.follow(&resume).await.assert_consent_page();

    let allow = consent.consent_form().press("decision", "allow");
    let late = server.clock.monotonic();
    server.clock.advance_milliseconds(u32::try_from(BEGIN_SECONDS_MAX).unwrap() * 1000 + 1);
    browser.prepare(&allow).first_byte(late).may_be_unavailable().send().await.assert_page(503);
    for fault in [Fault::Down, Fault::Refuses, Fault::ForgetsToAnswer] {
        server.store.fail(fault);
        browser.prepare(&allow).may_be_unavailable().send().await.assert_page(503);
    }
    server.store.fail(None);
    let code = browser.submit(allow.clone()).await.redirect().code();
    assert_eq!(
        browser.submit(allow).await.redirect().code(),
        code,
        "the page that was posted five times made one grant"
    );
    app.redeem(&code).send().await.assert_ok();
}

#[tokio::test]
async fn a_call_above_what_is_done_at_once_is_told_to_come_again_and_loses_nothing() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let login = app.log_in().await;
    let admitted: Vec<_> = (0..CALLS_MAX).map(|_| server.engine.admit().unwrap()).collect();
    for request in [
        app.refresh(&login.refresh_token()),
        app.revoke(&login.refresh_token()),
        app.introspect(&login.access_token()),
        app.token("client_credentials"),
        app.password(),
    ] {
        request.may_be_unavailable().send().await.assert_unavailable();
    }
    drop(admitted);
    app.introspect(&login.access_token()).send().await.assert_active();
    app.refresh(&login.refresh_token()).send().await.assert_ok();
}
