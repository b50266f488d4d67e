//! The sequences by which the server shows what it is for.

use regrant_tests::TestServer;

#[tokio::test]
async fn a_lost_answer_is_repeated_and_a_long_superseded_token_ends_the_grant() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").secret("TestSecret").register().await;
    let first = app.log_in().await.refresh_token();
    let rotated = app.refresh(&first).send().await.assert_ok();
    let second = rotated.refresh_token();
    assert_ne!(first, second);

    let row = server.grant(&second).await;
    let retried = app.refresh(&first).send().await.assert_refresh_token(&second);
    assert_eq!(retried.jti(), rotated.jti(), "the same access token");
    assert_eq!(retried.claims(), rotated.claims());
    assert_eq!(server.grant(&second).await, row, "a retry writes nothing");

    let newest = app.refresh(&second).send().await.assert_ok();
    let third = newest.refresh_token();
    app.refresh(&first).send().await.assert_error(400, "invalid_grant");
    assert!(server.grant(&third).await.revoked_at.is_some());
    app.refresh(&third).send().await.assert_error(400, "invalid_grant");
    for dead in [&rotated, &newest] {
        app.introspect(&dead.access_token()).send().await.assert_inactive();
    }
}

#[tokio::test]
async fn with_retry_window_0_the_second_use_ends_the_grant() {
    let server = TestServer::start().await;
    for app in [
        server.confidential("TestClient").retry_window(0).register().await,
        server.public("TestApp").retry_window(0).register().await,
    ] {
        let first = app.log_in().await.refresh_token();
        let second = app.refresh(&first).send().await.refresh_token();
        app.refresh(&first).send().await.assert_error(400, "invalid_grant");
        app.refresh(&second).send().await.assert_error(400, "invalid_grant");
    }
}

#[tokio::test]
async fn a_grant_stays_one_row_and_its_generation_moves_by_one() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let mut token = app.log_in().await.refresh_token();
    let born = server.grant(&token).await;
    for generation in 2..=20 {
        let successor = app.refresh(&token).send().await.refresh_token();
        app.refresh(&token).send().await.assert_refresh_token(&successor);
        let row = server.grant(&successor).await;
        assert_eq!((row.id, row.generation.0, row.version), (born.id, generation, u64::from(generation)));
        token = successor;
    }
}
