//! What others change between the look at client, user and session and the step that writes, counts.

use std::sync::Arc;

use regrant_protocol::{ClientId, Scope};
use regrant_store::{ClientChange, ClientSettings, Store, UserChange, UserStatus};
use regrant_tests::{FaultyStore, TestServer};

const CALLBACK: &str = "https://app.example/cb";

#[tokio::test]
async fn who_logs_out_while_the_code_is_made_gets_none() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let consent = browser.reach_consent(&app.authorization()).await.assert_consent_page();
    let (store, user) = (Arc::clone(&server.store), server.subject.clone());
    server.store.before_next_step(async move { store.end_sessions(&user, None).await.unwrap() });
    browser.allow(&consent).await.assert_login_page();
}

#[tokio::test]
async fn who_is_locked_while_the_code_is_made_gets_none() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let consent = browser.reach_consent(&app.authorization()).await.assert_consent_page();
    let (store, user) = (Arc::clone(&server.store), server.subject.clone());
    let lock = UserChange::Status(UserStatus::Locked);
    server.store.before_next_step(async move { store.change_user(&user, lock).await.unwrap() });
    browser.allow(&consent).await.assert_login_page();
}

#[tokio::test]
async fn a_cutoff_that_is_raised_while_the_code_is_made_ends_what_was_before_it_only() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let consent = browser.reach_consent(&app.authorization()).await.assert_consent_page();
    let (store, user) = (Arc::clone(&server.store), server.subject.clone());
    server.store.before_next_step(async move { store.change_user(&user, UserChange::RaiseCutoff).await.unwrap() });
    let code = browser.allow(&consent).await.redirect().code();
    app.redeem(&code).send().await.assert_ok();
}

#[tokio::test]
async fn a_client_that_is_changed_while_the_code_is_made_is_as_it_is_then() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let consent = browser.reach_consent(&app.authorization()).await.assert_consent_page();
    change_before_next_step(&server.store, &app.id, |settings| settings.grant_types.clear());
    browser.allow(&consent).await.assert_redirect_error("unauthorized_client");
    let (store, id) = (Arc::clone(&server.store), app.id.clone());
    app.change_settings(|settings| settings.grant_types.push(regrant_protocol::GrantType::AuthorizationCode)).await;
    let disable = ClientChange::Enabled(false);
    server.store.before_next_step(async move { store.change_client(&id, disable).await.unwrap() });
    browser.allow(&consent).await.assert_page(400);
}

#[tokio::test]
async fn a_client_that_is_changed_while_a_code_is_redeemed_is_as_it_is_then() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let code = app.obtain_code().await;
    let read = Scope::parse("read").unwrap();
    change_before_next_step(&server.store, &app.id, |settings| {
        (settings.scope, settings.default_scope) = (read.clone(), read);
    });
    app.redeem(&code).send().await.assert_scope("read");
}

/// Changes settings of a client just before the next step.
fn change_before_next_step(
    store: &Arc<FaultyStore>,
    id: &ClientId,
    change: impl FnOnce(&mut ClientSettings) + Send + 'static,
) {
    let (in_between, id) = (Arc::clone(store), id.clone());
    store.before_next_step(async move {
        let client = in_between.client(&id).await.expect("the store answers").expect("it exists");
        let (seen_version, mut settings) = (client.party.version, Box::new(client.settings));
        change(&mut settings);
        let change = ClientChange::Settings { seen_version, settings };
        in_between.change_client(&id, change).await.expect("the client exists");
    });
}
