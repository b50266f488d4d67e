//! What operators do to clients and users takes effect at the next request.

use regrant_crypto::hash_password;
use regrant_store::{ClientChange, Credential, UserChange, UserStatus};
use regrant_tests::TestServer;

#[tokio::test]
async fn a_locked_or_disabled_user_refreshes_nothing_and_lives_on_when_it_is_lifted() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let first = app.log_in().await.refresh_token();
    let second = app.refresh(&first).send().await.refresh_token();
    for status in [UserStatus::Locked, UserStatus::Disabled] {
        server.change_user(UserChange::Status(status)).await;
        for token in [&first, &second] {
            app.refresh(token).send().await.assert_error(400, "invalid_grant");
        }
        app.password().send().await.assert_error(400, "invalid_grant");
        server.change_user(UserChange::Status(UserStatus::Active)).await;
    }
    app.refresh(&first).send().await.assert_refresh_token(&second);
    app.refresh(&second).send().await.assert_ok();
    app.log_in().await;
}

#[tokio::test]
async fn a_removed_user_is_gone_for_good() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let login = app.log_in().await;
    server.change_user(UserChange::Remove).await;
    app.refresh(&login.refresh_token()).send().await.assert_error(400, "invalid_grant");
    app.introspect(&login.access_token()).send().await.assert_inactive();
    app.password().send().await.assert_error(400, "invalid_grant");
}

#[tokio::test]
async fn a_disabled_client_refreshes_nothing_and_lives_on_when_it_is_enabled() {
    let server = TestServer::start().await;
    for app in [server.confidential("TestClient").register().await, server.public("TestApp").register().await] {
        let token = app.log_in().await.refresh_token();
        app.change(ClientChange::Enabled(false)).await;
        for refused in [app.refresh(&token), app.password()] {
            refused.send().await.assert_error(401, "invalid_client");
        }
        app.change(ClientChange::Enabled(true)).await;
        app.refresh(&token).send().await.assert_ok();
        app.log_in().await;
    }
}

#[tokio::test]
async fn a_disabled_client_acts_for_itself_no_more() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let token = app.token("client_credentials").send().await.access_token();
    app.change(ClientChange::Enabled(false)).await;
    assert!(!server.is_good(&token).await);
    app.token("client_credentials").send().await.assert_error(401, "invalid_client");
    app.change(ClientChange::Enabled(true)).await;
    assert!(server.is_good(&token).await);
    app.token("client_credentials").send().await.assert_ok();
}

#[tokio::test]
async fn a_removed_client_is_gone_for_good() {
    let server = TestServer::start().await;
    for app in [server.confidential("TestClient").register().await, server.public("TestApp").register().await] {
        let login = app.log_in().await;
        app.change(ClientChange::Remove).await;
        assert!(!server.is_good(&login.access_token()).await);
        for refused in [app.refresh(&login.refresh_token()), app.password(), app.refresh(&login.refresh_token())] {
            refused.send().await.assert_error(401, "invalid_client");
        }
    }
}

#[tokio::test]
async fn a_cutoff_of_the_client_ends_its_older_tokens_and_no_others() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let other = server.confidential("other").register().await;
    let (older, others) = (app.log_in().await, other.log_in().await);
    let itself = app.token("client_credentials").send().await.access_token();
    app.change(ClientChange::RaiseCutoff).await;
    app.refresh(&older.refresh_token()).send().await.assert_error(400, "invalid_grant");
    app.introspect(&older.access_token()).send().await.assert_inactive();
    app.introspect(&itself).send().await.assert_inactive();

    let newer = app.log_in().await;
    app.introspect(&newer.access_token()).send().await.assert_active();
    app.refresh(&newer.refresh_token()).send().await.assert_ok();
    app.introspect(&app.token("client_credentials").send().await.access_token()).send().await.assert_active();
    other.refresh(&others.refresh_token()).send().await.assert_ok();
}

#[tokio::test]
async fn a_cutoff_of_the_user_ends_their_older_grants_and_no_others() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    server.register_user("somebody else").await;
    let others = app.token("password").with("username", "somebody else").with("password", regrant_tests::PASSWORD);
    let others = others.send().await.refresh_token();
    let older = app.log_in().await;
    let itself = app.token("client_credentials").send().await.access_token();
    server.change_user(UserChange::RaiseCutoff).await;
    app.refresh(&older.refresh_token()).send().await.assert_error(400, "invalid_grant");
    app.introspect(&older.access_token()).send().await.assert_inactive();

    app.refresh(&app.log_in().await.refresh_token()).send().await.assert_ok();
    app.refresh(&others).send().await.assert_ok();
    app.introspect(&itself).send().await.assert_active();
}

#[tokio::test]
async fn a_new_password_is_the_only_one_at_once() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    app.log_in().await;
    let hash = hash_password(b"new", [7; 16]).unwrap();
    let credential = Credential::new(hash.expose().to_owned());
    server.change_user(UserChange::Password { seen_version: None, credential }).await;
    app.password().send().await.assert_error(400, "invalid_grant");
    app.token("password").with("username", "bshaffer").with("password", "new").send().await.assert_ok();
}
