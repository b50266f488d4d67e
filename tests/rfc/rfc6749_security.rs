//! RFC 6749 §10: what others try with a browser, and what they get.

use regrant_protocol::RedirectUri;
use regrant_store::{ConsentMode, Store};
use regrant_tests::{Answer, Form, TestServer};

const CALLBACK: &str = "https://app.example/cb";

/// C-031.
#[tokio::test]
async fn rfc6749_section_10_12_only_our_own_page_in_the_same_session_gives_a_code() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let (mut victim, mut attacker) = (server.user_agent(), server.user_agent());
    let own = victim.reach_consent(&app.authorization()).await.consent_form().press("decision", "allow");
    let foreign = attacker.reach_consent(&app.authorization()).await.consent_form().press("decision", "allow");

    let steps = server.store.steps();
    let without =
        Form { fields: own.fields.iter().filter(|(name, _)| name != "request").cloned().collect(), ..own.clone() };
    for refused in [
        victim.submit_from_elsewhere(own.clone()).await,
        victim.submit_with(own.clone(), &[("sec-fetch-site", "cross-site")]).await,
        victim.submit_with(own.clone(), &[("sec-fetch-site", "same-site")]).await,
        victim.submit_with(own.clone(), &[("origin", "https://evil.example")]).await,
        victim.submit_with(own.clone(), &[("origin", "null")]).await,
        victim.submit(without).await,
        victim.submit(own.clone().fill("request", "")).await,
        victim.submit(own.clone().fill("request", "AAAA")).await,
        victim.submit(foreign.clone()).await,
        attacker.submit(own.clone()).await,
        server.user_agent().submit(own.clone()).await,
    ] {
        refused.assert_page(403);
    }
    assert_eq!(server.store.steps(), steps, "nothing was granted");
    victim.submit(own).await.redirect().code();
    attacker.submit(foreign).await.redirect().code();
}

/// C-031: nobody is logged in to an account that is not their own.
#[tokio::test]
async fn rfc6749_section_10_12_a_login_form_of_another_browser_logs_nobody_in() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let (mut victim, mut attacker) = (server.user_agent(), server.user_agent());
    victim.authorize(&app.authorization()).await.assert_login_page();
    let page = attacker.authorize(&app.authorization()).await;
    for headers in [&[("sec-fetch-site", "same-origin")][..], &[("sec-fetch-site", "cross-site")]] {
        let form = page.required_form("/login").fill("username", "bshaffer").fill("password", "brent123");
        victim.submit_with(form.press("action", "login"), headers).await.assert_page(403);
        assert_eq!(victim.cookie("regrant-session"), None);
    }
    assert_eq!(attacker.log_in(&page).await.redirect().address, "/consent");
}

/// C-032, C-126, C-127. The headers of every page are checked by the harness; here each page is shown once.
#[tokio::test]
async fn rfc6749_section_10_13_no_page_is_framed() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let login = browser.authorize(&app.authorization()).await.assert_login_page();
    let wrong = browser.log_in_as(&login, "bshaffer", "wrong").await.assert_page(403);
    let consent = browser.reach_consent(&app.authorization()).await.assert_consent_page();
    let posted = browser.reach_consent(&app.authorization().with("response_mode", "form_post")).await;
    let posted = browser.allow(&posted).await.assert_page(200);
    let account = browser.account().await.assert_page(200);
    let confirm = browser.open("/logout").await.assert_page(200);
    let out = browser.submit(account.required_form("/account/log-out")).await.assert_page(200);
    let error = browser.open("/authorize").await.assert_page(400);
    for page in [login, wrong, consent, posted, account, confirm, out, error] {
        let policy = page.header("content-security-policy").unwrap();
        assert!(
            page.header("x-frame-options") == Some("DENY") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert_loads_nothing_foreign(&page);
    }
}

#[track_caller]
fn assert_loads_nothing_foreign(page: &Answer) {
    let html = page.text_of_body();
    for attribute in ["src=\"", "<link rel=\"stylesheet\" href=\"", "<link rel=\"icon\" href=\""] {
        for loaded in html.split(attribute).skip(1) {
            assert!(loaded.starts_with("/assets/"), "{attribute}{}", loaded.chars().take(80).collect::<String>());
        }
    }
}

/// What a user must not be asked again is remembered, and what is new is asked.
#[tokio::test]
async fn rfc6749_section_10_2_consent_is_asked_once_for_what_it_was_given_for() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let ask = |scope: &str| app.authorization().with("scope", scope);
    let silent = |scope: &str| ask(scope).with("prompt", "none");
    let unasked = browser.authorize(&silent("read")).await;
    unasked.assert_redirect_error("login_required");
    browser.reach_consent(&ask("read")).await.assert_consent_page();
    browser.authorize(&silent("read")).await.assert_redirect_error("consent_required");
    browser.approve(&ask("read")).await.code();
    browser.authorize(&silent("read")).await.redirect().code();
    browser.authorize(&silent("read write")).await.assert_redirect_error("consent_required");
    browser.authorize(&ask("read write")).await.assert_consent_page();
    browser.approve(&ask("read write")).await.code();
    browser.authorize(&silent("write")).await.redirect().code();

    app.change_settings(|settings| settings.consent = ConsentMode::Always).await;
    browser.authorize(&ask("read")).await.assert_consent_page();
    app.change_settings(|settings| settings.consent = ConsentMode::Skip).await;
    server.store.forget_consents(&server.subject, None).await.unwrap();
    browser.authorize(&silent("read write")).await.redirect().code();
}

/// §3.1.2.2, §10.15: nothing that can be registered makes a redirector, and a client's settings count as they are now.
#[tokio::test]
async fn rfc6749_section_10_15_a_redirect_uri_that_is_taken_away_is_gone_for_requests_on_their_way() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let consent = browser.reach_consent(&app.authorization()).await.assert_consent_page();
    let elsewhere = RedirectUri::parse("https://app.example/new").unwrap();
    app.change_settings(|settings| settings.redirect_uris = vec![elsewhere]).await;
    browser.allow(&consent).await.assert_page(400);
    browser.deny(&consent).await.assert_page(400);
}
