//! OpenID Connect Core §3.1.2.1: what the user is to be asked again, and when no page may be shown.

use regrant_store::{ConsentMode, UserChange, UserStatus};
use regrant_tests::{Answer, START_SECONDS, TestClient, TestServer, USERNAME, unverified_claims};

const CALLBACK: &str = "https://app.example/cb";

async fn openid_client<'a>(server: &'a TestServer) -> TestClient<'a> {
    server.confidential("TestClient").openid().redirect_uris(&[CALLBACK]).register().await
}

/// The claims of the ID token that a code gives.
async fn id_token(app: &TestClient<'_>, code: &str) -> serde_json::Value {
    let answer = app.redeem(code).with("redirect_uri", CALLBACK).send().await.assert_ok();
    unverified_claims(answer.member("id_token").expect("the scope has openid"))
}

/// C-161: whatever is the matter, no page is shown.
#[tokio::test]
async fn openid_core_section_3_1_2_1_prompt_none_never_shows_a_page() {
    let server = TestServer::start().await;
    let app = openid_client(&server).await;
    let mut browser = server.user_agent();
    let silent = app.authorization().with("scope", "openid profile").with("prompt", "none");
    let refused = |answer: Answer, code: &str| {
        assert!(answer.body.is_empty() && answer.header("set-cookie").is_none(), "{}", answer.text_of_body());
        assert_eq!(answer.assert_redirect_error(code).get("state"), Some("xyz"));
    };

    refused(browser.authorize(&silent).await, "login_required");
    let page = browser.reach_consent(&silent.clone().without("prompt")).await.assert_consent_page();
    refused(browser.authorize(&silent).await, "consent_required");
    browser.allow(&page).await.redirect().code();
    browser.authorize(&silent).await.redirect().code();

    refused(browser.authorize(&silent.clone().with("scope", "openid profile email")).await, "consent_required");
    for consent in [ConsentMode::Always, ConsentMode::Remember] {
        app.change_settings(|settings| settings.consent = consent).await;
        let answer = browser.authorize(&silent).await;
        if consent == ConsentMode::Always {
            refused(answer, "consent_required");
        } else {
            answer.redirect().code();
        }
    }
    server.clock.advance_seconds(60);
    refused(browser.authorize(&silent.clone().with("max_age", "59")).await, "login_required");
    for status in [UserStatus::Locked, UserStatus::Disabled] {
        server.change_user(UserChange::Status(status)).await;
        refused(browser.authorize(&silent).await, "login_required");
    }
    server.change_user(UserChange::Status(UserStatus::Active)).await;
    browser.authorize(&silent).await.redirect().code();
    server.clock.advance_seconds(7 * 24 * 3600);
    refused(browser.authorize(&silent).await, "login_required");
}

/// C-161.
#[tokio::test]
async fn openid_core_section_3_1_2_1_prompt_has_four_values_and_none_stands_alone() {
    let server = TestServer::start().await;
    let app = openid_client(&server).await;
    for refused in
        ["none login", "login none", "none consent", "create", "LOGIN", "login,consent", "login  consent", " login"]
    {
        let answer = server.user_agent().authorize(&app.authorization().with("prompt", refused)).await;
        answer.assert_redirect_error("invalid_request");
    }
    for accepted in ["login", "consent", "select_account", "login consent", "consent select_account login"] {
        server.user_agent().authorize(&app.authorization().with("prompt", accepted)).await.assert_login_page();
    }
}

/// C-162: who is logged in enters the password once more, or nothing comes of it.
#[tokio::test]
async fn openid_core_section_3_1_2_1_prompt_login_is_not_answered_without_the_password() {
    let server = TestServer::start().await;
    let app = openid_client(&server).await;
    let mut browser = server.user_agent();
    let request = app.authorization().with("scope", "openid");
    let first = browser.obtain_code(&request).await;
    assert_eq!(id_token(&app, &first).await["auth_time"], START_SECONDS);
    server.clock.advance_seconds(30);

    let anew = request.clone().with("prompt", "login");
    let page = browser.authorize(&anew).await.assert_login_page();
    assert_eq!(page.required_form("/login").field("username"), Some(USERNAME), "the name need not be entered again");
    browser.log_in_as(&page, USERNAME, "wrong").await.assert_page(403);
    browser.log_in_as(&page, USERNAME, "").await.assert_page(403);
    let cancelled = browser.submit(page.required_form("/login").press("action", "cancel")).await;
    cancelled.assert_redirect_error("access_denied");
    // The page of the login is no page to go on with.
    let sealed = page.required_form("/login").field("request").unwrap().to_owned();
    browser.go_to(&format!("/consent?request={sealed}")).await.assert_login_page();

    server.clock.advance_seconds(30);
    let resume = browser.log_in(&page).await;
    let code = browser.follow(&resume).await.redirect().code();
    assert_eq!(id_token(&app, &code).await["auth_time"], START_SECONDS + 60);
    browser.authorize(&request).await.redirect().code();
}

/// C-162.
#[tokio::test]
async fn openid_core_section_3_1_2_1_max_age_asks_for_the_password_when_the_last_one_is_older() {
    let server = TestServer::start().await;
    let app = openid_client(&server).await;
    let mut browser = server.user_agent();
    let request = app.authorization().with("scope", "openid");
    browser.approve(&request).await.code();
    // 0 is the same as prompt=login, in the very second of the login too.
    browser.authorize(&request.clone().with("max_age", "0")).await.assert_login_page();
    server.clock.advance_seconds(5);
    for (max_age, is_recent) in
        [("0", false), ("1", false), ("4", false), ("5", true), ("6", true), ("99999999999999999999", true)]
    {
        let request = request.clone().with("max_age", max_age);
        let shown = browser.authorize(&request).await;
        let silent = browser.authorize(&request.with("prompt", "none")).await;
        if is_recent {
            assert_eq!(id_token(&app, &shown.redirect().code()).await["auth_time"], START_SECONDS, "{max_age}");
            silent.redirect().code();
        } else {
            shown.assert_login_page();
            silent.assert_redirect_error("login_required");
        }
    }
    for malformed in ["-1", "1.5", "one", " 1", "+1", "0x10", "1e3"] {
        let answer = browser.authorize(&request.clone().with("max_age", malformed)).await;
        answer.assert_redirect_error("invalid_request");
    }
    // The time counts from the request, however long the user takes for the password.
    let page = browser.authorize(&request.with("max_age", "1")).await.assert_login_page();
    server.clock.advance_seconds(300);
    let resume = browser.log_in(&page).await;
    server.clock.advance_seconds(5);
    let code = browser.follow(&resume).await.redirect().code();
    assert_eq!(id_token(&app, &code).await["auth_time"], START_SECONDS + 305);
}

#[tokio::test]
async fn openid_core_section_3_1_2_1_prompt_consent_asks_again_what_was_allowed_before() {
    let server = TestServer::start().await;
    let app = openid_client(&server).await;
    let mut browser = server.user_agent();
    let request = app.authorization().with("scope", "openid profile");
    browser.approve(&request).await.code();
    browser.authorize(&request).await.redirect().code();
    let page = browser.authorize(&request.clone().with("prompt", "consent")).await.assert_consent_page();
    browser.deny(&page).await.assert_redirect_error("access_denied");
    let both = browser.authorize(&request.clone().with("prompt", "login consent")).await.assert_login_page();
    let resume = browser.log_in(&both).await;
    browser.follow(&resume).await.assert_consent_page();
    browser.authorize(&request).await.redirect().code();
}

#[tokio::test]
async fn openid_core_section_3_1_2_1_prompt_select_account_lets_the_user_take_another() {
    let server = TestServer::start().await;
    let app = openid_client(&server).await;
    let other = server.register_user("other").await;
    let mut browser = server.user_agent();
    let request = app.authorization().with("scope", "openid");
    browser.approve(&request).await.code();

    let page = browser.authorize(&request.with("prompt", "select_account")).await.assert_consent_page();
    assert!(page.text_of_body().contains(USERNAME), "the page says whose account it would be");
    let switch = page.forms().into_iter().find(|form| !form.buttons.iter().any(|(_, value)| value == "allow"));
    let login = browser.submit(switch.unwrap().press("decision", "switch")).await.assert_login_page();
    assert_eq!(login.required_form("/login").field("username"), Some(""));
    let resume = browser.log_in_as(&login, "other", "brent123").await;
    let consent = browser.follow(&resume).await.assert_consent_page();
    let code = browser.allow(&consent).await.redirect().code();
    assert_eq!(id_token(&app, &code).await["sub"], other.as_str());
}
