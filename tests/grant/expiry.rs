//! Idle and absolute expiry.

use regrant_tests::{START_SECONDS, TestServer};

const DAY: u32 = 86_400;

#[tokio::test]
async fn rfc9700_section_4_14_2_an_unused_refresh_token_expires_and_use_slides_it() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").lifetimes(600, DAY, 0).register().await;
    let mut token = app.log_in().await.refresh_token();
    for _ in 0..10 {
        server.clock.advance_milliseconds(DAY * 1000 - 1);
        let answer = app.refresh(&token).send().await.assert_ok();
        assert_eq!(answer.number("refresh_token_expires_in"), Some(i64::from(DAY)));
        token = answer.refresh_token();
    }
    server.clock.advance_seconds(DAY);
    let row = server.grant(&token).await;
    app.refresh(&token).send().await.assert_error(400, "invalid_grant");
    assert_eq!(server.grant(&token).await, row, "an expired token changes nothing");
}

#[tokio::test]
async fn a_grant_ends_at_its_absolute_end_however_often_it_is_used() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").lifetimes(3600, DAY, 3 * DAY).register().await;
    let end = START_SECONDS + i64::from(3 * DAY);
    let mut answer = app.log_in().await;
    assert_eq!(answer.number("refresh_token_expires_in"), Some(i64::from(DAY)));
    for _ in 0..5 {
        server.clock.advance_seconds(DAY / 2);
        answer = app.refresh(&answer.refresh_token()).send().await.assert_ok();
        let left = end - server.clock_seconds();
        assert_eq!(answer.number("refresh_token_expires_in"), Some(left.min(i64::from(DAY))));
    }
    server.clock.advance_seconds(DAY / 2 - 60);
    answer = app.refresh(&answer.refresh_token()).send().await.assert_ok();
    assert_eq!(answer.number("expires_in"), Some(60), "no access token outlives its grant");
    assert_eq!(answer.claims()["exp"], end);
    server.clock.advance_seconds(59);
    app.refresh(&answer.refresh_token()).send().await.assert_ok();
    server.clock.advance_seconds(1);
    app.refresh(&answer.refresh_token()).send().await.assert_error(400, "invalid_grant");
    app.introspect(&answer.access_token()).send().await.assert_inactive();
}

#[tokio::test]
async fn a_retry_slides_no_expiry() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").lifetimes(60, 1000, 0).register().await;
    let first = app.log_in().await.refresh_token();
    let second = app.refresh(&first).send().await.refresh_token();
    server.clock.advance_seconds(900);
    let retried = app.refresh(&first).send().await.assert_refresh_token(&second);
    assert_eq!(retried.number("refresh_token_expires_in"), Some(100));
    server.clock.advance_seconds(100);
    app.refresh(&first).send().await.assert_error(400, "invalid_grant");
    app.refresh(&second).send().await.assert_error(400, "invalid_grant");
}

#[tokio::test]
async fn a_superseded_token_that_is_expired_ends_nothing() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").lifetimes(60, 1000, 0).register().await;
    let tokens = {
        let first = app.log_in().await.refresh_token();
        let second = app.refresh(&first).send().await.refresh_token();
        let third = app.refresh(&second).send().await.refresh_token();
        [first, second, third]
    };
    server.clock.advance_seconds(1000);
    for token in &tokens {
        app.refresh(token).send().await.assert_error(400, "invalid_grant");
    }
    assert_eq!(server.grant(&tokens[2]).await.revoked_at, None);
}

#[tokio::test]
async fn new_lifetimes_hold_from_the_next_rotation_on_and_the_absolute_end_stays() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").lifetimes(600, DAY, 10 * DAY).register().await;
    let first = app.log_in().await;
    app.change_settings(|settings| {
        settings.policy.access_lifetime = regrant_protocol::Lifetime::from_seconds(60);
        settings.policy.idle_lifetime = regrant_protocol::Lifetime::from_seconds(100);
        settings.policy.absolute_lifetime = regrant_protocol::Lifetime::from_seconds(50);
    })
    .await;
    server.clock.advance_seconds(200);
    let second = app.refresh(&first.refresh_token()).send().await.assert_ok();
    assert_eq!(second.number("expires_in"), Some(60));
    assert_eq!(second.number("refresh_token_expires_in"), Some(100));
    server.clock.advance_seconds(100);
    app.refresh(&second.refresh_token()).send().await.assert_error(400, "invalid_grant");
}
