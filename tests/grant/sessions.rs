//! The login session of a browser, and the grants that end with it.

use regrant_engine::SESSION_SECONDS;
use regrant_store::{ClientChange, OutlivesSession, UserChange, UserStatus};
use regrant_tests::{PASSWORD, TestServer, UserAgent};

const CALLBACK: &str = "https://app.example/cb";

async fn log_out(browser: &mut UserAgent<'_>) {
    let form = browser.account().await.required_form("/account/log-out");
    browser.submit(form).await.assert_page(200);
}

#[tokio::test]
async fn a_grant_without_offline_access_ends_with_the_session_where_its_client_has_it_so() {
    let server = TestServer::start().await;
    for (index, (outlives, scope, ends)) in [
        (OutlivesSession::WithOfflineAccess, "read", true),
        (OutlivesSession::WithOfflineAccess, "read offline_access", false),
        (OutlivesSession::Always, "read", false),
        (OutlivesSession::Always, "read offline_access", false),
    ]
    .into_iter()
    .enumerate()
    {
        let builder = server.confidential(&index.to_string()).openid().redirect_uris(&[CALLBACK]);
        let app = builder.set(|settings| settings.outlives_session = outlives).register().await;
        let mut browser = server.user_agent();
        let code = browser.obtain_code(&app.authorization().with("scope", scope)).await;
        let tokens = app.redeem(&code).send().await.assert_ok();
        let second = app.refresh(&tokens.refresh_token()).send().await.assert_ok();
        let waiting = browser.obtain_code(&app.authorization().with("scope", scope)).await;
        log_out(&mut browser).await;

        let refreshed = app.refresh(&second.refresh_token()).send().await;
        let told = app.introspect(&second.access_token()).send().await;
        let redeemed = app.redeem(&waiting).send().await;
        if ends {
            refreshed.assert_error(400, "invalid_grant");
            told.assert_inactive();
            redeemed.assert_error(400, "invalid_grant");
        } else {
            refreshed.assert_ok();
            told.assert_active();
            redeemed.assert_ok();
        }
    }
}

/// OpenID Connect Core §11: what the consent page says of the end of the access is what happens.
#[tokio::test]
async fn the_consent_page_has_a_box_where_it_is_a_choice_and_says_when_the_access_ends() {
    let server = TestServer::start().await;
    for (index, (outlives, is_ticked, said, ends)) in [
        (OutlivesSession::Always, None, "until you disconnect it", false),
        (OutlivesSession::WithOfflineAccess, Some(true), "ends when you log out", false),
        (OutlivesSession::WithOfflineAccess, Some(false), "ends when you log out", true),
    ]
    .into_iter()
    .enumerate()
    {
        let builder = server.confidential(&index.to_string()).openid().redirect_uris(&[CALLBACK]);
        let app = builder.set(|settings| settings.outlives_session = outlives).register().await;
        let mut browser = server.user_agent();
        let request = app.authorization().with("scope", "read offline_access");
        let page = browser.reach_consent(&request).await.assert_consent_page();
        assert!(page.text_of_body().contains(said), "{}", page.text_of_body());
        let form = page.consent_form();
        let has_box = form.boxes.iter().any(|(_, value)| value == "offline_access");
        assert_eq!(has_box, is_ticked.is_some(), "{outlives:?}");
        let form = if is_ticked == Some(false) { form.untick("offline_access") } else { form };
        let code = browser.submit(form.press("decision", "allow")).await.redirect().code();
        let given = if is_ticked == Some(false) { "read" } else { "read offline_access" };
        let tokens = app.redeem(&code).send().await.assert_scope(given);
        log_out(&mut browser).await;
        let refreshed = app.refresh(&tokens.refresh_token()).send().await;
        if ends {
            refreshed.assert_error(400, "invalid_grant");
        } else {
            refreshed.assert_ok();
        }
    }
}

#[tokio::test]
async fn a_grant_that_ends_with_the_session_ends_with_its_time_too() {
    let server = TestServer::start().await;
    let builder = server.confidential("TestClient").redirect_uris(&[CALLBACK]).lifetimes(3600, 0, 0);
    let outlives = OutlivesSession::WithOfflineAccess;
    let app = builder.set(|settings| settings.outlives_session = outlives).register().await;
    let tokens = app.redeem(&app.obtain_code().await).send().await.assert_ok();
    assert_eq!(tokens.number("refresh_token_expires_in"), Some(i64::from(SESSION_SECONDS)));
    server.clock.advance_milliseconds(SESSION_SECONDS * 1000 - 1);
    let second = app.refresh(&tokens.refresh_token()).send().await.assert_ok();
    server.clock.advance_milliseconds(1);
    app.refresh(&second.refresh_token()).send().await.assert_error(400, "invalid_grant");
    app.introspect(&second.access_token()).send().await.assert_inactive();
}

#[tokio::test]
async fn who_enters_the_password_again_goes_on_with_the_same_session() {
    let server = TestServer::start().await;
    let builder = server.confidential("TestClient").redirect_uris(&[CALLBACK]);
    let outlives = OutlivesSession::WithOfflineAccess;
    let app = builder.set(|settings| settings.outlives_session = outlives).register().await;
    let mut browser = server.user_agent();
    let tokens = app.redeem(&browser.obtain_code(&app.authorization()).await).send().await.assert_ok();
    let mut copied = browser.copy();
    let login = browser.authorize(&app.authorization().with("prompt", "login")).await.assert_login_page();
    browser.log_in(&login).await.redirect();
    assert_ne!(browser.cookie("session"), copied.cookie("session"), "the secret is another");
    assert!(copied.account().await.form("/login").is_some(), "the copy of the old cookie is worth nothing");
    browser.account().await.required_form("/account/log-out");
    app.refresh(&tokens.refresh_token()).send().await.assert_ok();
}

#[tokio::test]
async fn another_user_in_the_same_browser_ends_the_session_before() {
    let server = TestServer::start().await;
    server.register_user("somebody else").await;
    let builder = server.confidential("TestClient").redirect_uris(&[CALLBACK]);
    let outlives = OutlivesSession::WithOfflineAccess;
    let app = builder.set(|settings| settings.outlives_session = outlives).register().await;
    let mut browser = server.user_agent();
    let tokens = app.redeem(&browser.obtain_code(&app.authorization()).await).send().await.assert_ok();
    let login = browser.authorize(&app.authorization().with("prompt", "login")).await.assert_login_page();
    let resume = browser.log_in_as(&login, "somebody else", PASSWORD).await;
    browser.follow(&resume).await.assert_consent_page();
    app.refresh(&tokens.refresh_token()).send().await.assert_error(400, "invalid_grant");
}

#[tokio::test]
async fn logging_out_ends_this_browser_and_no_other() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let (mut here, mut elsewhere) = (server.user_agent(), server.user_agent());
    here.approve(&app.authorization()).await.code();
    elsewhere.approve(&app.authorization()).await.code();
    let mut copied = here.copy();
    log_out(&mut here).await;
    assert_eq!(here.cookie("session"), None);
    for mut out in [here, copied.copy()] {
        out.authorize(&app.authorization()).await.assert_login_page();
        let silent = out.authorize(&app.authorization().with("prompt", "none")).await;
        silent.assert_redirect_error("login_required");
    }
    assert!(copied.account().await.form("/login").is_some(), "who kept a copy of the cookie is out too");
    elsewhere.authorize(&app.authorization()).await.redirect().code();
}

/// A page that was open when its user logged out gives no code.
#[tokio::test]
async fn a_consent_page_that_outlives_its_session_asks_for_a_login() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let consent = browser.reach_consent(&app.authorization()).await.assert_consent_page();
    log_out(&mut browser).await;
    let steps = server.store.steps();
    let asked = browser.allow(&consent).await.assert_page(403);
    assert!(asked.form("/login").is_some());
    assert_eq!(server.store.steps(), steps);
}

#[tokio::test]
async fn who_is_locked_while_a_page_is_open_gets_no_code() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let consent = browser.reach_consent(&app.authorization()).await.assert_consent_page();
    for status in [UserStatus::Locked, UserStatus::Disabled] {
        server.change_user(UserChange::Status(status)).await;
        let steps = server.store.steps();
        assert!(browser.allow(&consent).await.assert_page(403).form("/login").is_some());
        assert!(browser.account().await.form("/login").is_some());
        assert_eq!(server.store.steps(), steps);
    }
    server.change_user(UserChange::Status(UserStatus::Active)).await;
    browser.allow(&consent).await.redirect().code();
}

#[tokio::test]
async fn a_client_that_is_disabled_while_a_page_is_open_gets_no_code() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let consent = browser.reach_consent(&app.authorization()).await.assert_consent_page();
    app.change(ClientChange::Enabled(false)).await;
    browser.allow(&consent).await.assert_page(400);
    browser.deny(&consent).await.assert_page(400);
    app.change(ClientChange::Remove).await;
    browser.allow(&consent).await.assert_page(400);
    assert_eq!(server.store.steps(), 0);
}
