//! What a user ends on the account page is ended when the answer comes.

use regrant_engine::{FAILURE_BURST, NEW_PASSWORD_CHARACTERS_MIN};
use regrant_store::Store;
use regrant_tests::{Answer, Form, PASSWORD, TestServer, USERNAME};

const CALLBACK: &str = "https://app.example/cb";
const NEW_PASSWORD: &str = "brent456";

#[tokio::test]
async fn ending_a_grant_ends_its_tokens_at_once_and_no_others() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let mut grants = Vec::new();
    for _ in 0..2 {
        let tokens = app.redeem(&browser.obtain_code(&app.authorization()).await).send().await.assert_ok();
        grants.push((server.grant(&tokens.refresh_token()).await.id.to_string(), tokens));
    }
    let account = browser.account().await;
    let form = grant_form(&account, &grants[0].0);
    let done = browser.submit(form.clone()).await;
    for _ in 0..2 {
        let said = browser.follow(&done).await.assert_page(200).text_of_body();
        assert!(said.contains("TestClient is disconnected."), "{said}");
    }
    let mut other = server.user_agent();
    other.approve(&app.authorization()).await.code();
    let said = other.follow(&done).await.assert_page(200).text_of_body();
    assert!(!said.contains("is disconnected."), "the link says nothing to others: {said}");
    let (ended, kept) = (&grants[0].1, &grants[1].1);
    app.refresh(&ended.refresh_token()).send().await.assert_error(400, "invalid_grant");
    app.introspect(&ended.access_token()).send().await.assert_inactive();
    let kept = app.refresh(&kept.refresh_token()).send().await.assert_ok();

    // Once more, as a page that is loaded again does.
    browser.submit(form).await.redirect();
    app.refresh(&kept.refresh_token()).send().await.assert_ok();
    browser.authorize(&app.authorization()).await.assert_consent_page();
}

#[tokio::test]
async fn ending_all_grants_ends_them_whatever_they_came_from() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").redirect_uris(&[CALLBACK]).register().await;
    let other = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let first = app.redeem(&browser.obtain_code(&app.authorization()).await).send().await.assert_ok();
    let second = other.redeem(&browser.obtain_code(&other.authorization()).await).send().await.assert_ok();
    let third = app.log_in().await;
    let waiting = browser.obtain_code(&app.authorization()).await;
    let form = browser.account().await.required_form("/account/end-all");
    browser.submit(form).await.redirect();
    app.refresh(&first.refresh_token()).send().await.assert_error(400, "invalid_grant");
    other.refresh(&second.refresh_token()).send().await.assert_error(400, "invalid_grant");
    app.refresh(&third.refresh_token()).send().await.assert_error(400, "invalid_grant");
    app.redeem(&waiting).send().await.assert_error(400, "invalid_grant");
    assert_eq!(server.store.grants_of(&server.subject).await.unwrap(), []);
    // Who ended them is still logged in, and asked again for everything.
    browser.authorize(&app.authorization()).await.assert_consent_page();
}

#[tokio::test]
async fn nobody_ends_the_grant_of_somebody_else() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").redirect_uris(&[CALLBACK]).register().await;
    server.register_user("somebody else").await;
    let mut theirs = server.user_agent();
    let login = theirs.authorize(&app.authorization()).await;
    let resume = theirs.log_in_as(&login, "somebody else", PASSWORD).await;
    let consent = theirs.follow(&resume).await;
    let own = app.redeem(&theirs.allow(&consent).await.redirect().code()).send().await.assert_ok();
    let mine = app.log_in().await;
    let id = server.grant(&mine.refresh_token()).await.id.to_string();
    let form = theirs.account().await.required_form("/account/end");
    assert_ne!(form.field("grant"), Some(id.as_str()));
    for other in [id.as_str(), "x", "AAAAAAAAAAAAAAAAAAAAAA"] {
        theirs.submit(form.clone().fill("grant", other)).await.assert_page(404);
    }
    app.refresh(&mine.refresh_token()).send().await.assert_ok();
    app.refresh(&own.refresh_token()).send().await.assert_ok();
}

#[tokio::test]
async fn nothing_is_seen_or_done_without_a_login() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let tokens = app.redeem(&browser.obtain_code(&app.authorization()).await).send().await.assert_ok();
    let account = browser.account().await;
    let mut nobody = server.user_agent();
    assert!(nobody.account().await.form("/login").is_some());
    for action in ["/account/end", "/account/end-all", "/account/password"] {
        let form = with_passwords(account.required_form(action), PASSWORD, NEW_PASSWORD);
        assert_eq!(nobody.submit(form).await.redirect().address, "/account");
    }
    app.refresh(&tokens.refresh_token()).send().await.assert_ok();
    app.log_in().await;
}

/// C-120: the user decides whether everything ends with the old password.
#[tokio::test]
async fn rfc9700_section_4_14_2_a_new_password_ends_everything_where_the_user_wants_it() {
    for end_everything in [false, true] {
        let server = TestServer::start().await;
        let app = server.confidential("TestClient").redirect_uris(&[CALLBACK]).register().await;
        let (mut here, mut elsewhere) = (server.user_agent(), server.user_agent());
        let mine = app.redeem(&here.obtain_code(&app.authorization()).await).send().await.assert_ok();
        let others = app.redeem(&elsewhere.obtain_code(&app.authorization()).await).send().await.assert_ok();
        let form = with_passwords(here.account().await.required_form("/account/password"), PASSWORD, NEW_PASSWORD);
        let form = if end_everything { form.fill("end_everything", "on") } else { form };
        let done = here.submit(form).await;
        let said = here.follow(&done).await.assert_page(200).text_of_body();
        assert!(said.contains("role=\"status\"") && said.contains("Your password is changed"), "{said}");
        assert_eq!(said.contains("All apps are disconnected"), end_everything, "{said}");

        app.password().send().await.assert_error(400, "invalid_grant");
        app.token("password").with("username", USERNAME).with("password", NEW_PASSWORD).send().await.assert_ok();
        for tokens in [&mine, &others] {
            let refreshed = app.refresh(&tokens.refresh_token()).send().await;
            let told = app.introspect(&tokens.access_token()).send().await;
            if end_everything {
                refreshed.assert_error(400, "invalid_grant");
                told.assert_inactive();
            } else {
                refreshed.assert_ok();
                told.assert_active();
            }
        }
        here.account().await.required_form("/account/password");
        let is_out = elsewhere.account().await.form("/login").is_some();
        assert_eq!(is_out, end_everything, "other browsers");
        let again = here.authorize(&app.authorization()).await;
        assert_eq!(again.form("/consent").is_some(), end_everything, "what was allowed before");
    }
}

#[tokio::test]
async fn a_password_is_changed_only_by_who_knows_it_and_guessing_it_is_slowed() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let tokens = app.redeem(&browser.obtain_code(&app.authorization()).await).send().await.assert_ok();
    let form = browser.account().await.required_form("/account/password").fill("end_everything", "on");
    let short = "x".repeat(NEW_PASSWORD_CHARACTERS_MIN - 1);
    browser.submit(with_passwords(form.clone(), PASSWORD, &short)).await.assert_page(400);
    browser.submit(with_passwords(form.clone(), PASSWORD, "")).await.assert_page(400);
    for weak in [PASSWORD, USERNAME, "        ", "qwertyui", "Password1"] {
        browser.submit(with_passwords(form.clone(), PASSWORD, weak)).await.assert_page(400);
    }
    for _ in 0..FAILURE_BURST {
        browser.submit(with_passwords(form.clone(), "guess", NEW_PASSWORD)).await.assert_page(403);
    }
    browser.submit(with_passwords(form, PASSWORD, NEW_PASSWORD)).await.assert_page(429);
    app.log_in().await;
    app.refresh(&tokens.refresh_token()).send().await.assert_ok();
}

fn with_passwords(form: Form, current: &str, new: &str) -> Form {
    form.fill("current_password", current).fill("new_password", new).fill("new_password_again", new)
}

/// The form that ends one grant.
fn grant_form(account: &Answer, grant: &str) -> Form {
    let mut forms = account.forms().into_iter().filter(|form| form.action.ends_with("/account/end"));
    forms.find(|form| form.field("grant") == Some(grant)).expect("the page shows the grant")
}
