//! What the OAuth 2.1 draft asks of the code grant beyond RFC 6749.

use regrant_tests::{Form, TestServer, VERIFIER};

const CALLBACK: &str = "https://app.example/cb";

/// C-150.
#[tokio::test]
async fn oauth_2_1_client_secret_a_code_is_redeemed_with_the_secret_in_the_header_or_in_the_body() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").redirect_uris(&[CALLBACK]).register().await;
    let secret = app.secret.clone().unwrap();
    app.redeem(&app.obtain_code().await).send().await.assert_ok();
    let in_body = server.post("/token").with("client_id", "TestClient").with("client_secret", &secret);
    let in_body = in_body.with("grant_type", "authorization_code").with("code", &app.obtain_code().await);
    in_body.with("code_verifier", VERIFIER).send().await.assert_ok();
}

/// C-151: only a replay that is otherwise valid ends the grant, so that whoever sees a code go by cannot end it.
#[tokio::test]
async fn oauth_2_1_reuse_of_authorization_codes_revokes_only_for_who_proves_to_be_the_client() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").redirect_uris(&[CALLBACK]).register().await;
    let stranger = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let code = app.obtain_code().await;
    let mut tokens = app.redeem(&code).send().await.assert_ok();
    let anybody = server.post("/token").with("grant_type", "authorization_code").with("code", &code);
    let anybody = anybody.with("code_verifier", VERIFIER).with("client_id", "TestClient");
    for (why, replay, status) in [
        ("wrong verifier", app.present(&code).with("code_verifier", &"A".repeat(43)), 400),
        ("no verifier", app.present(&code), 400),
        ("wrong redirect URI", app.redeem(&code).with("redirect_uri", "https://app.example/x"), 400),
        ("another client", stranger.redeem(&code), 400),
        ("no authentication", anybody, 401),
    ] {
        assert_eq!(replay.send().await.status.as_u16(), status, "{why}");
        tokens = app.refresh(&tokens.refresh_token()).send().await.assert_ok();
        app.introspect(&tokens.access_token()).send().await.assert_active();
    }
    app.redeem(&code).send().await.assert_error(400, "invalid_grant");
    app.refresh(&tokens.refresh_token()).send().await.assert_error(400, "invalid_grant");
    app.introspect(&tokens.access_token()).send().await.assert_inactive();
}

/// C-152: a verifier comes if and only if a challenge came.
#[tokio::test]
async fn oauth_2_1_token_request_the_verifier_is_there_exactly_when_the_challenge_was() {
    let server = TestServer::start().await;
    let builder = server.confidential("TestClient").pkce_optional();
    let app = builder.redirect_uris(&[CALLBACK]).register().await;
    for (has_challenge, has_verifier) in [(false, false), (false, true), (true, false), (true, true)] {
        let request = if has_challenge { app.authorization() } else { app.authorization().without_pkce() };
        let code = server.user_agent().obtain_code(&request).await;
        let form = if has_verifier { app.redeem(&code) } else { app.present(&code) };
        let answer = form.with("redirect_uri", CALLBACK).send().await;
        assert_eq!(answer.status.is_success(), has_challenge == has_verifier, "{has_challenge} {has_verifier}");
    }
}

/// C-153: with PKCE the redirect URI need not be repeated; if it is, it counts.
#[tokio::test]
async fn oauth_2_1_redirect_uri_in_the_token_request_is_enforced_where_it_comes() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    for (sent, repeated, is_accepted) in [
        (true, None, true),
        (true, Some(CALLBACK), true),
        (true, Some("https://app.example/cb2"), false),
        (false, None, true),
        (false, Some(CALLBACK), true),
        (false, Some("https://app.example/cb2"), false),
    ] {
        let request = app.authorization();
        let request = if sent { request } else { request.without("redirect_uri") };
        let code = server.user_agent().obtain_code(&request).await;
        let form = repeated.iter().fold(app.redeem(&code), |form, uri| form.with("redirect_uri", uri));
        assert_eq!(form.send().await.status.is_success(), is_accepted, "{sent} {repeated:?}");
    }
}

/// C-157: users see who asks, for what, and where they go; what an operator did not allow is never asked; and what was
/// allowed can be looked at and taken back.
#[tokio::test]
async fn oauth_2_1_consent_phishing_users_see_who_asks_and_can_take_it_back() {
    let server = TestServer::start().await;
    let builder = server.public("TestApp").scope("read write").redirect_uris(&["https://login.app.example/cb"]);
    let app = builder.set(|settings| {
        settings.name = Some("Calendar <b>".to_owned());
        settings.client_uri = Some("https://about.app.example/".to_owned());
        settings.tos_uri = Some("https://app.example/terms".to_owned());
    });
    let app = app.register().await;
    let mut browser = server.user_agent();
    let refused = browser.authorize(&app.authorization().with("scope", "read admin")).await;
    refused.assert_redirect_error("invalid_scope");

    let consent = browser.reach_consent(&app.authorization()).await.assert_consent_page();
    let html = consent.text_of_body();
    for shown in
        ["Calendar &#60;b&#62;", "about.app.example", "login.app.example", "https://app.example/terms", "bshaffer"]
    {
        assert!(html.contains(shown), "{shown} is not shown: {html}");
    }
    assert_eq!(scopes(&consent.consent_form()), ["read", "write"]);
    let tokens = app.redeem(&browser.allow(&consent).await.redirect().code()).send().await.assert_ok();

    let account = browser.account().await;
    assert!(account.text_of_body().contains("Calendar &#60;b&#62;"));
    browser.submit(account.required_form("/account/end")).await.redirect();
    app.refresh(&tokens.refresh_token()).send().await.assert_error(400, "invalid_grant");
    assert!(!browser.account().await.text_of_body().contains("Calendar"));
    browser.authorize(&app.authorization()).await.assert_consent_page();
}

fn scopes(form: &Form) -> Vec<&str> {
    form.boxes.iter().map(|(_, scope)| scope.as_str()).collect()
}
