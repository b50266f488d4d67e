//! The rotation modes beside `rotate`.

use regrant_grant::RotationMode;
use regrant_tests::TestServer;

#[tokio::test]
async fn reuse_gives_the_same_refresh_token_again_and_again() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").rotation(RotationMode::Reuse).lifetimes(600, 1000, 0).register().await;
    let token = app.log_in().await.refresh_token();
    let mut jtis = Vec::new();
    for _ in 0..20 {
        server.clock.advance_seconds(999);
        let answer = app.refresh(&token).send().await.assert_refresh_token(&token);
        assert_eq!(answer.number("refresh_token_expires_in"), Some(1000), "use slides the expiry");
        jtis.push(answer.jti());
    }
    jtis.dedup();
    assert_eq!(jtis.len(), 20, "every refresh gives another access token");
    server.clock.advance_seconds(1000);
    app.refresh(&token).send().await.assert_error(400, "invalid_grant");
}

#[tokio::test]
async fn consume_gives_one_access_token_and_no_refresh_token() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").rotation(RotationMode::Consume).lifetimes(600, 0, 0).register().await;
    let token = app.log_in().await.refresh_token();
    let answer = app.refresh(&token).send().await.assert_ok();
    assert!(answer.json.get("refresh_token").is_none() && answer.json.get("refresh_token_expires_in").is_none());

    server.clock.advance_seconds(599);
    let retried = app.refresh(&token).send().await.assert_ok();
    assert_eq!(retried.jti(), answer.jti(), "a retry gets the access token that was lost");
    assert_eq!(retried.number("expires_in"), Some(1));

    server.clock.advance_seconds(1);
    app.refresh(&token).send().await.assert_error(400, "invalid_grant");
    assert_eq!(server.grant(&token).await.revoked_at, None, "a later use is refused and not punished");
}

#[tokio::test]
async fn fork_makes_a_sibling_and_keeps_the_presented_token() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").rotation(RotationMode::Fork).register().await;
    let root = app.log_in().await;
    let siblings = [
        app.refresh(&root.refresh_token()).send().await.assert_ok(),
        app.refresh(&root.refresh_token()).send().await.assert_ok(),
    ];
    let grandchild = app.refresh(&siblings[0].refresh_token()).send().await.assert_ok();
    let all = [&root, &siblings[0], &siblings[1], &grandchild];
    for answer in all {
        app.introspect(&answer.access_token()).send().await.assert_active();
        app.refresh(&answer.refresh_token()).send().await.assert_ok();
    }
    app.revoke(&grandchild.refresh_token()).send().await.assert_ok();
    for answer in all {
        app.introspect(&answer.access_token()).send().await.assert_inactive();
        app.refresh(&answer.refresh_token()).send().await.assert_error(400, "invalid_grant");
    }
}
