//! The retry rule for senders that need not hold anything: confidential clients and public bearers.

use regrant_grant::{RETRY_WINDOW_BEARER_SECONDS, RETRY_WINDOW_PROVEN_SECONDS};
use regrant_tests::TestServer;

#[tokio::test]
async fn a_public_bearer_may_retry_for_60_seconds_and_is_a_thief_afterwards() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").register().await;
    for (after_milliseconds, is_retry) in [(0, true), (59_999, true), (60_000, false), (86_400_000, false)] {
        let first = app.log_in().await.refresh_token();
        let second = app.refresh(&first).send().await.refresh_token();
        server.clock.advance_milliseconds(after_milliseconds);
        let again = app.refresh(&first).send().await;
        if is_retry {
            again.assert_refresh_token(&second);
            app.refresh(&second).send().await.assert_ok();
        } else {
            again.assert_error(400, "invalid_grant");
            app.refresh(&second).send().await.assert_error(400, "invalid_grant");
        }
    }
    assert_eq!(RETRY_WINDOW_BEARER_SECONDS, 60);
}

#[tokio::test]
async fn the_window_counts_from_the_rotation_and_a_retry_does_not_slide_it() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").register().await;
    let first = app.log_in().await.refresh_token();
    server.clock.advance_seconds(1000);
    let second = app.refresh(&first).send().await.refresh_token();
    for _ in 0..5 {
        server.clock.advance_seconds(11);
        app.refresh(&first).send().await.assert_refresh_token(&second);
    }
    server.clock.advance_seconds(5);
    app.refresh(&first).send().await.assert_error(400, "invalid_grant");
}

#[tokio::test]
async fn the_window_of_a_public_bearer_closes_when_the_successor_is_used() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").register().await;
    let first = app.log_in().await.refresh_token();
    let second = app.refresh(&first).send().await.refresh_token();
    let third = app.refresh(&second).send().await.refresh_token();
    app.refresh(&first).send().await.assert_error(400, "invalid_grant");
    app.refresh(&third).send().await.assert_error(400, "invalid_grant");
}

#[tokio::test]
async fn a_confidential_client_may_retry_for_24_hours_and_is_refused_unpunished_afterwards() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let first = app.log_in().await.refresh_token();
    let second = app.refresh(&first).send().await.refresh_token();
    server.clock.advance_milliseconds(RETRY_WINDOW_PROVEN_SECONDS * 1000 - 1);
    app.refresh(&first).send().await.assert_refresh_token(&second);
    server.clock.advance_milliseconds(1);
    let row = server.grant(&second).await;
    app.refresh(&first).send().await.assert_error(400, "invalid_grant");
    assert_eq!(server.grant(&second).await, row, "refused, and nothing changed");
    app.refresh(&second).send().await.assert_ok();
}

#[tokio::test]
async fn a_clients_own_window_shortens_and_never_lengthens() {
    let server = TestServer::start().await;
    for (window, after, is_retry) in [(10, 9, true), (10, 10, false), (3600, 59, true), (3600, 60, false)] {
        let app = server.public(&format!("{window} {after}")).retry_window(window).register().await;
        let first = app.log_in().await.refresh_token();
        app.refresh(&first).send().await.assert_ok();
        server.clock.advance_seconds(after);
        let again = app.refresh(&first).send().await;
        assert_eq!(again.status.is_success(), is_retry, "window {window}, after {after}");
    }
}

#[tokio::test]
async fn a_retry_in_a_later_slot_gets_an_access_token_with_half_a_life_before_it() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").lifetimes(600, 0, 0).register().await;
    let first = app.log_in().await.refresh_token();
    let rotated = app.refresh(&first).send().await;
    let mut jtis = vec![rotated.jti()];
    for (passed, expires_in) in [(299, 301), (300, 600), (599, 301), (600, 600), (7_000, 500)] {
        let begun = server.clock_seconds();
        server.clock.advance_seconds(passed - u32::try_from(begun - regrant_tests::START_SECONDS).unwrap());
        let retried = app.refresh(&first).send().await.assert_refresh_token(&rotated.refresh_token());
        assert_eq!(retried.number("expires_in"), Some(expires_in), "after {passed} s");
        jtis.push(retried.jti());
    }
    assert_eq!(jtis[0], jtis[1], "one slot, one access token");
    assert_eq!(jtis[2], jtis[3], "one slot, one access token");
    jtis.dedup();
    assert_eq!(jtis.len(), 4);
}

#[tokio::test]
async fn a_retry_may_ask_for_another_scope_than_the_lost_try() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").scope("a b").register().await;
    let first = app.log_in().await.refresh_token();
    let second = app.refresh(&first).with("scope", "a").send().await.assert_scope("a").refresh_token();
    app.refresh(&first).send().await.assert_scope("a b").assert_refresh_token(&second);
    app.refresh(&first).with("scope", "c").send().await.assert_error(400, "invalid_scope");
    app.refresh(&second).send().await.assert_ok();
}

#[tokio::test]
async fn a_clock_that_jumps_back_counts_as_the_last_rotation() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").register().await;
    let first = app.log_in().await.refresh_token();
    server.clock.advance_seconds(1_000);
    let second = app.refresh(&first).send().await.refresh_token();
    let rotated_at = server.grant(&second).await.rotated_at;
    server.clock.jump_to(regrant_protocol::Timestamp::from_seconds(regrant_tests::START_SECONDS));
    app.refresh(&first).send().await.assert_refresh_token(&second);
    let third = app.refresh(&second).send().await.refresh_token();
    let row = server.grant(&third).await;
    assert_eq!((row.generation.0, row.rotated_at), (3, rotated_at));
    app.refresh(&first).send().await.assert_error(400, "invalid_grant");
}
