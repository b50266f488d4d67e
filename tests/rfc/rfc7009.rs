//! RFC 7009: revocation.

use regrant_store::AccessTokenFormat;
use regrant_tests::{Fault, TestServer, flipped};

/// C-039, C-045.
#[tokio::test]
async fn rfc7009_section_2_a_revoked_grant_is_dead_when_the_answer_comes() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    for _ in 0..10 {
        let token = app.log_in().await.refresh_token();
        app.revoke(&token).send().await.assert_ok();
        app.refresh(&token).send().await.assert_error(400, "invalid_grant");
        app.revoke(&token).send().await.assert_ok();
    }
}

/// C-040.
#[tokio::test]
async fn rfc7009_section_2_1_only_its_client_revokes_a_token() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let strangers = [server.confidential("stranger").register().await, server.public("TestApp").register().await];
    let first = app.log_in().await;
    let second = app.refresh(&first.refresh_token()).send().await;
    let row = server.grant(&second.refresh_token()).await;
    for stranger in &strangers {
        for token in [first.refresh_token(), second.refresh_token(), first.access_token(), second.access_token()] {
            stranger.revoke(&token).send().await.assert_ok();
        }
    }
    let unauthenticated = server.post("/revoke").with("token", &second.refresh_token());
    unauthenticated.clone().send().await.assert_error(401, "invalid_client");
    unauthenticated.clone().with("client_id", "TestClient").send().await.assert_error(401, "invalid_client");
    unauthenticated.basic("TestClient", "wrong").send().await.assert_error(401, "invalid_client");
    assert_eq!(server.grant(&second.refresh_token()).await, row);
    app.introspect(&first.access_token()).send().await.assert_active();
    app.introspect(&second.access_token()).send().await.assert_active();
    app.refresh(&second.refresh_token()).send().await.assert_ok();
}

/// C-041.
#[tokio::test]
async fn rfc7009_section_2_1_a_public_client_revokes_by_its_name() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").register().await;
    let token = app.log_in().await.refresh_token();
    server.post("/revoke").form(format!("client_id=TestApp&token={token}")).send().await.assert_ok();
    app.refresh(&token).send().await.assert_error(400, "invalid_grant");
}

/// C-042.
#[tokio::test]
async fn rfc7009_section_2_1_a_wrong_hint_does_not_stop_the_search() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    for hint in ["access_token", "refresh_token", "foo", ""] {
        let login = app.log_in().await;
        app.revoke(&login.access_token()).with("token_type_hint", hint).send().await.assert_ok();
        app.introspect(&login.access_token()).send().await.assert_inactive();
        app.revoke(&login.refresh_token()).with("token_type_hint", hint).send().await.assert_ok();
        app.refresh(&login.refresh_token()).send().await.assert_error(400, "invalid_grant");
    }
}

/// C-043.
#[tokio::test]
async fn rfc7009_section_2_1_the_access_tokens_of_a_revoked_grant_end_at_once() {
    let server = TestServer::start().await;
    for format in [AccessTokenFormat::JwtEs256, AccessTokenFormat::Opaque] {
        let app = server.confidential(&format!("{format:?}")).format(format).register().await;
        let other = app.log_in().await;
        let first = app.log_in().await;
        let second = app.refresh(&first.refresh_token()).send().await;
        app.revoke(&second.refresh_token()).send().await.assert_ok();
        for ended in [&first, &second] {
            app.introspect(&ended.access_token()).send().await.assert_inactive();
        }
        app.introspect(&other.access_token()).send().await.assert_active();
        app.refresh(&other.refresh_token()).send().await.assert_ok();
    }
}

/// RFC 7009 §2.1: an access token may be revoked alone.
#[tokio::test]
async fn rfc7009_section_2_1_a_revoked_access_token_ends_alone() {
    let server = TestServer::start().await;
    for format in [AccessTokenFormat::JwtEs256, AccessTokenFormat::JwtEdDsa, AccessTokenFormat::Opaque] {
        let app = server.confidential(&format!("{format:?}")).format(format).register().await;
        let first = app.log_in().await;
        let second = app.refresh(&first.refresh_token()).send().await;
        let (itself, again) =
            (app.token("client_credentials").send().await, app.token("client_credentials").send().await);
        for (revoked, kept) in [(&second, &first), (&itself, &again)] {
            app.revoke(&revoked.access_token()).send().await.assert_ok();
            app.introspect(&revoked.access_token()).send().await.assert_inactive();
            app.introspect(&kept.access_token()).send().await.assert_active();
            app.revoke(&revoked.access_token()).send().await.assert_ok();
        }
        app.refresh(&second.refresh_token()).send().await.assert_ok();
    }
}

/// C-044.
#[tokio::test]
async fn rfc7009_section_2_2_a_token_that_is_none_is_answered_200() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let login = app.log_in().await;
    let (refresh, access) = (login.refresh_token(), login.access_token());
    let cut = &access[..access.len() - 1];
    for token in
        ["garbage", "rgr_", "rga_", "rgr_AAAA", "a.b.c", "é", &flipped(&refresh, 0), &flipped(&refresh, 400), cut]
    {
        let answer = app.revoke(token).send().await.assert_ok();
        assert!(answer.body.is_empty(), "{}", answer.text_of_body());
    }
    app.refresh(&refresh).send().await.assert_ok();
}

/// C-046.
#[tokio::test]
async fn rfc7009_section_2_2_1_a_failed_store_is_never_a_success() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    for (fault, is_done) in [(Fault::Down, false), (Fault::Refuses, false), (Fault::ForgetsToAnswer, true)] {
        let login = app.log_in().await;
        server.store.fail(fault);
        for token in [login.refresh_token(), login.access_token()] {
            app.revoke(&token).may_be_unavailable().send().await.assert_unavailable();
        }
        server.store.fail(None);
        assert_eq!(server.grant(&login.refresh_token()).await.revoked_at.is_some(), is_done, "{fault:?}");
        app.revoke(&login.refresh_token()).send().await.assert_ok();
        app.refresh(&login.refresh_token()).send().await.assert_error(400, "invalid_grant");
    }
}

/// C-047.
#[tokio::test]
async fn rfc7009_section_2_1_an_old_generation_revokes_its_grant() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let first = app.log_in().await.refresh_token();
    let second = app.refresh(&first).send().await.refresh_token();
    let third = app.refresh(&second).send().await;
    app.revoke(&first).send().await.assert_ok();
    app.refresh(&third.refresh_token()).send().await.assert_error(400, "invalid_grant");
    app.introspect(&third.access_token()).send().await.assert_inactive();
}
