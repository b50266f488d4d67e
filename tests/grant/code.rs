//! A code counts once, whatever happens on the way.

use std::collections::HashSet;

use regrant_engine::BEGIN_SECONDS_MAX;
use regrant_grant::{CODE_RETRY_SECONDS_MAX, RotationMode};
use regrant_protocol::{Clock, Lifetime};
use regrant_store::{ClientChange, UserChange, UserStatus};
use regrant_tests::{Answer, Fault, TestServer, at_once};

const CALLBACK: &str = "https://app.example/cb";
const AT_ONCE: usize = 64;

#[tokio::test(flavor = "multi_thread")]
async fn of_64_redemptions_at_once_one_gives_tokens_and_the_next_has_ended_them() {
    let server = TestServer::start().await;
    for app in [
        server.confidential("TestClient").redirect_uris(&[CALLBACK]).register().await,
        server.public("TestApp").redirect_uris(&[CALLBACK]).register().await,
    ] {
        let code = app.obtain_code().await;
        let answers = at_once(std::iter::repeat_n(app.redeem(&code), AT_ONCE)).await;
        let successes: Vec<_> = answers.iter().filter(|answer| answer.status.is_success()).collect();
        assert_eq!(successes.len(), 1);
        for refused in answers.iter().filter(|answer| !answer.status.is_success()) {
            refused.clone().assert_error(400, "invalid_grant");
        }
        let tokens = successes[0];
        assert!(server.grant(&tokens.refresh_token()).await.revoked_at.is_some());
        app.refresh(&tokens.refresh_token()).send().await.assert_error(400, "invalid_grant");
        assert!(!server.is_good(&tokens.access_token()).await);
    }
}

#[tokio::test]
async fn the_second_valid_redemption_ends_the_grant_at_once() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let code = app.obtain_code().await;
    let tokens = app.redeem(&code).send().await.assert_ok();
    assert_eq!(server.grant(&tokens.refresh_token()).await.revoked_at, None);
    app.redeem(&code).send().await.assert_error(400, "invalid_grant");
    assert!(server.grant(&tokens.refresh_token()).await.revoked_at.is_some());
}

#[tokio::test]
async fn a_replay_that_proves_nothing_changes_nothing() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").redirect_uris(&[CALLBACK]).register().await;
    let stranger = server.confidential("stranger").redirect_uris(&[CALLBACK]).register().await;
    let code = app.obtain_code().await;
    let tokens = app.redeem(&code).send().await.assert_ok();
    let row = server.grant(&tokens.refresh_token()).await;
    for replay in [
        app.present(&code).with("code_verifier", &"A".repeat(43)),
        app.present(&code),
        app.redeem(&code).with("redirect_uri", "https://app.example/other"),
        stranger.redeem(&code),
    ] {
        replay.send().await.assert_error(400, "invalid_grant");
        assert_eq!(server.grant(&tokens.refresh_token()).await, row);
    }
    app.refresh(&tokens.refresh_token()).send().await.assert_ok();
}

#[tokio::test]
async fn with_code_retry_seconds_a_lost_answer_is_given_again() {
    let server = TestServer::start().await;
    let builder = server.public("TestApp").redirect_uris(&[CALLBACK]);
    let app = builder.set(|settings| settings.policy.code_retry_seconds = CODE_RETRY_SECONDS_MAX).register().await;
    let code = app.obtain_code().await;
    server.store.fail(Fault::ForgetsToAnswer);
    app.redeem(&code).may_be_unavailable().send().await.assert_unavailable();
    server.store.fail(None);
    let first = app.redeem(&code).send().await.assert_ok();
    let row = server.grant(&first.refresh_token()).await;
    server.clock.advance_milliseconds(CODE_RETRY_SECONDS_MAX * 1000 - 1);
    let again = app.redeem(&code).send().await.assert_refresh_token(&first.refresh_token());
    assert_eq!((again.jti(), again.claims()), (first.jti(), first.claims()), "the same access token");
    assert_eq!(server.grant(&first.refresh_token()).await, row, "a retry writes nothing");
    app.present(&code).with("code_verifier", &"A".repeat(43)).send().await.assert_error(400, "invalid_grant");

    server.clock.advance_milliseconds(1);
    app.redeem(&code).send().await.assert_error(400, "invalid_grant");
    app.refresh(&first.refresh_token()).send().await.assert_error(400, "invalid_grant");
}

#[tokio::test]
async fn without_code_retry_seconds_a_lost_answer_costs_a_login() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let code = app.obtain_code().await;
    server.store.fail(Fault::ForgetsToAnswer);
    app.redeem(&code).may_be_unavailable().send().await.assert_unavailable();
    server.store.fail(None);
    app.redeem(&code).send().await.assert_error(400, "invalid_grant");
    app.redeem(&app.obtain_code().await).send().await.assert_ok();
}

#[tokio::test]
async fn the_retry_of_a_code_ends_with_the_first_refresh() {
    let server = TestServer::start().await;
    let builder = server.public("TestApp").redirect_uris(&[CALLBACK]);
    let app = builder.set(|settings| settings.policy.code_retry_seconds = CODE_RETRY_SECONDS_MAX).register().await;
    let code = app.obtain_code().await;
    let first = app.redeem(&code).send().await.assert_ok();
    let second = app.refresh(&first.refresh_token()).send().await.assert_ok();
    app.redeem(&code).send().await.assert_error(400, "invalid_grant");
    app.refresh(&second.refresh_token()).send().await.assert_error(400, "invalid_grant");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_code_retry_seconds_64_redemptions_at_once_get_the_same_tokens() {
    let server = TestServer::start().await;
    let builder = server.public("TestApp").redirect_uris(&[CALLBACK]);
    let app = builder.set(|settings| settings.policy.code_retry_seconds = 5).register().await;
    let answers = at_once(std::iter::repeat_n(app.redeem(&app.obtain_code().await), AT_ONCE)).await;
    let successors: HashSet<_> = answers.iter().map(Answer::refresh_token).collect();
    let access_tokens: HashSet<_> = answers.iter().map(Answer::jti).collect();
    assert_eq!((successors.len(), access_tokens.len()), (1, 1));
    assert_eq!(server.grant(&answers[0].refresh_token()).await.generation.0, 1);
}

#[tokio::test]
async fn what_was_not_decided_leaves_the_code_as_it_was() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let code = app.obtain_code().await;
    for fault in [Fault::Down, Fault::Refuses] {
        server.store.fail(fault);
        app.redeem(&code).may_be_unavailable().send().await.assert_unavailable();
    }
    server.store.fail(None);
    let first_byte = server.clock.monotonic();
    server.clock.advance_milliseconds(u32::try_from(BEGIN_SECONDS_MAX).unwrap() * 1000 + 1);
    app.redeem(&code).first_byte(first_byte).may_be_unavailable().send().await.assert_unavailable();
    app.redeem(&code).send().await.assert_ok();
}

#[tokio::test]
async fn what_ends_a_grant_ends_its_code() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    for change in [UserChange::RaiseCutoff, UserChange::Status(UserStatus::Locked)] {
        let code = browser.obtain_code(&app.authorization()).await;
        server.change_user(change).await;
        app.redeem(&code).send().await.assert_error(400, "invalid_grant");
    }
    server.change_user(UserChange::Status(UserStatus::Active)).await;
    let code = browser.obtain_code(&app.authorization()).await;
    app.change(ClientChange::RaiseCutoff).await;
    app.redeem(&code).send().await.assert_error(400, "invalid_grant");
    let code = browser.obtain_code(&app.authorization()).await;
    app.change(ClientChange::Enabled(false)).await;
    app.redeem(&code).send().await.assert_error(401, "invalid_client");
    app.change(ClientChange::Enabled(true)).await;
    app.redeem(&code).send().await.assert_ok();
}

#[tokio::test]
async fn what_is_taken_from_a_client_is_not_redeemed() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").scope("a b").redirect_uris(&[CALLBACK]).register().await;
    let code = app.obtain_code().await;
    let only = |name: &str| regrant_protocol::Scope::parse(name).unwrap();
    app.change_settings(|settings| (settings.scope, settings.default_scope) = (only("c"), only("c"))).await;
    app.redeem(&code).send().await.assert_error(400, "invalid_scope");
    app.change_settings(|settings| (settings.scope, settings.default_scope) = (only("b"), only("b"))).await;
    app.redeem(&code).send().await.assert_scope("b");
}

#[tokio::test]
async fn in_every_rotation_mode_the_first_refresh_follows_the_code() {
    let server = TestServer::start().await;
    for rotation in [RotationMode::Rotate, RotationMode::Reuse, RotationMode::Consume, RotationMode::Fork] {
        let builder = server.confidential(&format!("{rotation:?}")).rotation(rotation);
        let app = builder.redirect_uris(&[CALLBACK]).register().await;
        let code = app.obtain_code().await;
        let tokens = app.redeem(&code).send().await.assert_ok();
        app.refresh(&tokens.refresh_token()).send().await.assert_ok();
        app.redeem(&code).send().await.assert_error(400, "invalid_grant");
        app.introspect(&tokens.access_token()).send().await.assert_inactive();
        if rotation != RotationMode::Consume {
            app.refresh(&tokens.refresh_token()).send().await.assert_error(400, "invalid_grant");
        }
    }
}

#[tokio::test]
async fn the_lifetimes_begin_with_the_consent_and_with_the_redemption() {
    let server = TestServer::start().await;
    let builder = server.public("TestApp").redirect_uris(&[CALLBACK]).lifetimes(600, 1000, 2000);
    let app = builder.register().await;
    let code = app.obtain_code().await;
    server.clock.advance_seconds(50);
    let tokens = app.redeem(&code).send().await.assert_ok();
    assert_eq!((tokens.number("expires_in"), tokens.number("refresh_token_expires_in")), (Some(600), Some(1000)));
    server.clock.advance_seconds(990);
    let second = app.refresh(&tokens.refresh_token()).send().await.assert_ok();
    assert_eq!(second.number("refresh_token_expires_in"), Some(960), "the grant was born with the consent");

    let short = server.public("Short").redirect_uris(&[CALLBACK]).register().await;
    short.change_settings(|settings| settings.policy.absolute_lifetime = Lifetime::from_seconds(10)).await;
    let code = short.obtain_code().await;
    server.clock.advance_seconds(10);
    short.redeem(&code).send().await.assert_error(400, "invalid_grant");
}
