//! What an operator changes of a client holds at the next request, whatever the server remembers of it.

use regrant_crypto::hash_password;
use regrant_protocol::{GrantType, Lifetime, Resources, Scope, TokenEndpointAuthMethod};
use regrant_store::{ClientChange, Credential};
use regrant_tests::{Answer, Request, TestClient, TestServer};

const NEW_SECRET: &str = "NewSecret";

/// A request to each endpoint and grant type, by the client that logged in.
fn every_request(app: &TestClient<'_>, login: &Answer) -> [(&'static str, Request); 5] {
    [
        ("refresh", app.refresh(&login.refresh_token())),
        ("password", app.password()),
        ("client_credentials", app.token("client_credentials")),
        ("introspect", app.introspect(&login.access_token())),
        ("revoke", app.revoke(&login.refresh_token())),
    ]
}

/// Lets clients log in, changes each of them, and sends one request as each: a different one, so that no request can
/// profit from what the server learned by another. Fails unless all have this status.
async fn assert_status_after(change: impl AsyncFn(&mut TestClient<'_>), expected: u16) {
    let server = TestServer::start().await;
    let mut unexpected = Vec::new();
    for index in 0..5 {
        let mut app = server.confidential(&format!("client {index}")).register().await;
        let login = app.log_in().await;
        change(&mut app).await;
        let (name, request) = every_request(&app, &login)[index].clone();
        let answer = request.send().await;
        if answer.status != expected {
            unexpected.push(format!("{name}: {} {}", answer.status, answer.text_of_body()));
        }
    }
    assert!(unexpected.is_empty(), "not {expected}:\n{}", unexpected.join("\n"));
}

async fn give_new_secret(app: &TestClient<'_>) {
    let hash = hash_password(NEW_SECRET.as_bytes(), [7; 16]).expect("it is a secret");
    app.change_settings(|settings| settings.credential = Some(Credential::new(hash.expose().to_owned()))).await;
}

#[tokio::test]
async fn an_old_secret_is_refused_at_once() {
    assert_status_after(async |app| give_new_secret(app).await, 401).await;
}

#[tokio::test]
async fn a_new_secret_is_accepted_at_once() {
    let change = async |app: &mut TestClient<'_>| {
        give_new_secret(app).await;
        app.secret = Some(NEW_SECRET.to_owned());
    };
    assert_status_after(change, 200).await;
}

#[tokio::test]
async fn a_disabled_client_is_refused_at_once() {
    assert_status_after(async |app| app.change(ClientChange::Enabled(false)).await, 401).await;
}

#[tokio::test]
async fn a_removed_client_is_refused_at_once() {
    assert_status_after(async |app| app.change(ClientChange::Remove).await, 401).await;
}

#[tokio::test]
async fn a_client_that_was_disabled_and_is_enabled_is_served_at_once() {
    let change = async |app: &mut TestClient<'_>| {
        app.change(ClientChange::Enabled(false)).await;
        // The server has seen that it is disabled.
        app.password().send().await.assert_error(401, "invalid_client");
        app.change(ClientChange::Enabled(true)).await;
    };
    assert_status_after(change, 200).await;
}

#[tokio::test]
async fn what_a_client_is_given_it_may_use_at_once() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").grant_types(&[GrantType::Password]).register().await;
    app.log_in().await;
    app.change_settings(|settings| settings.grant_types.push(GrantType::ClientCredentials)).await;
    app.token("client_credentials").send().await.assert_ok();
    app.change_settings(|settings| settings.scope = Scope::parse("read write more").unwrap()).await;
    app.password().with("scope", "more").send().await.assert_scope("more");
    app.change_settings(|settings| settings.resources = Resources::parse(["https://r1.example"]).unwrap()).await;
    app.password().with("resource", "https://r1.example").send().await.assert_ok();
    app.change_settings(|settings| settings.auth_methods = vec![TokenEndpointAuthMethod::ClientSecretPost]).await;
    let secret = app.secret.clone().unwrap();
    let in_body = server.post("/token").with("client_id", "TestClient").with("client_secret", &secret);
    in_body.with("grant_type", "client_credentials").send().await.assert_ok();
}

#[tokio::test]
async fn what_is_taken_from_a_client_it_may_not_use_at_once() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").scope("read write").register().await;
    let token = app.log_in().await.refresh_token();
    app.change_settings(|settings| settings.scope = Scope::parse("read").unwrap()).await;
    app.password().with("scope", "write").send().await.assert_error(400, "invalid_scope");
    app.change_settings(|settings| settings.grant_types = vec![GrantType::Password]).await;
    app.refresh(&token).send().await.assert_error(400, "unauthorized_client");
    app.token("client_credentials").send().await.assert_error(400, "unauthorized_client");
    app.change_settings(|settings| settings.auth_methods = vec![TokenEndpointAuthMethod::ClientSecretPost]).await;
    app.password().send().await.assert_error(401, "invalid_client");
}

#[tokio::test]
async fn a_new_lifetime_or_retry_window_holds_at_the_next_refresh() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let first = app.log_in().await.refresh_token();
    app.change_settings(|settings| settings.policy.access_lifetime = Lifetime::from_seconds(60)).await;
    let second = app.refresh(&first).send().await.assert_ok();
    assert_eq!(second.number("expires_in"), Some(60));
    app.change_settings(|settings| settings.policy.retry_window_seconds = Some(0)).await;
    app.refresh(&first).send().await.assert_error(400, "invalid_grant");
    app.refresh(&second.refresh_token()).send().await.assert_error(400, "invalid_grant");
}
