//! From the consent page to the code: what is kept of it, and what a page that is posted twice, late or by others does.

use std::collections::HashSet;

use regrant_grant::CODE_LIFETIME_SECONDS;
use regrant_store::{GrantFilter, Store};
use regrant_tests::{Answer, PASSWORD, TestServer, USERNAME, at_once};

const CALLBACK: &str = "https://app.example/cb";

/// No row of a grant is written without a step of the store.
#[tokio::test]
async fn who_says_no_or_nothing_leaves_no_grant() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let login = browser.authorize(&app.authorization()).await.assert_login_page();
    browser.submit(login.required_form("/login").press("action", "cancel")).await.redirect();
    browser.log_in_as(&login, USERNAME, "wrong").await.assert_page(403);
    let abandoned = browser.reach_consent(&app.authorization()).await.assert_consent_page();
    let denied = browser.reach_consent(&app.authorization()).await.assert_consent_page();
    browser.deny(&denied).await.assert_redirect_error("access_denied");
    let switched = browser.submit(abandoned.forms()[0].clone().press("decision", "switch")).await;
    switched.assert_login_page();
    assert_eq!(server.store.steps(), 1, "the no asks whether there was a yes before");
    assert_eq!(
        server
            .store
            .grants(&GrantFilter { with_revoked: true, ..GrantFilter::default() }, None, 9)
            .await
            .unwrap()
            .items,
        []
    );
    assert_eq!(server.store.consent(&server.subject, &app.id).await, Ok(None));

    browser.allow(&abandoned).await.redirect().code();
    assert_eq!(server.store.steps(), 2, "the step that writes the grant");
    assert!(server.store.consent(&server.subject, &app.id).await.unwrap().is_some());
    assert_eq!(server.store.grants_of(&server.subject).await.unwrap(), [], "no grant is seen before its code is used");
}

#[tokio::test]
async fn the_same_consent_posted_twice_gives_the_same_code_until_it_is_used() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let consent = browser.reach_consent(&app.authorization()).await.assert_consent_page();
    let code = browser.allow(&consent).await.redirect().code();
    server.clock.advance_seconds(10);
    assert_eq!(browser.allow(&consent).await.redirect().code(), code);
    let tokens = app.redeem(&code).send().await.assert_ok();
    browser.allow(&consent).await.assert_page(409);
    app.refresh(&tokens.refresh_token()).send().await.assert_ok();
}

/// Back, and another answer: the code that the first one gave is for more.
#[tokio::test]
async fn another_answer_on_the_same_page_does_not_give_the_code_of_the_first() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).scope("read write").register().await;
    let mut browser = server.user_agent();
    let consent = browser.reach_consent(&app.authorization()).await.assert_consent_page();
    browser.allow(&consent).await.redirect().code();
    let narrower = consent.consent_form().untick("write").press("decision", "allow");
    browser.submit(narrower).await.assert_page(409);
    browser.authorize(&app.authorization()).await.redirect().code();
}

/// Back, and no after all.
#[tokio::test]
async fn a_no_after_a_yes_takes_the_code_back_unless_it_was_used() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&["com.example.app:/cb"]).register().await;
    for is_used in [false, true] {
        let mut browser = server.user_agent();
        let consent = browser.reach_consent(&app.authorization()).await.assert_consent_page();
        let code = browser.allow(&consent).await.redirect().code();
        if is_used {
            let tokens = app.redeem(&code).send().await.assert_ok();
            browser.deny(&consent).await.assert_page(409);
            app.refresh(&tokens.refresh_token()).send().await.assert_ok();
        } else {
            browser.deny(&consent).await.assert_redirect_error("access_denied");
            app.redeem(&code).send().await.assert_error(400, "invalid_grant");
            assert_eq!(server.store.consent(&server.subject, &app.id).await, Ok(None));
        }
    }
}

#[tokio::test]
async fn a_consent_whose_code_has_expired_or_was_ended_is_answered() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let consent = browser.reach_consent(&app.authorization()).await.assert_consent_page();
    browser.allow(&consent).await.redirect().code();
    server.clock.advance_seconds(CODE_LIFETIME_SECONDS);
    browser.allow(&consent).await.assert_page(409);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_consents_posted_at_once_comes_one_code() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let consent = browser.reach_consent(&app.authorization()).await.assert_consent_page();
    let post = browser.prepare(&consent.consent_form().press("decision", "allow"));
    let answers = at_once(std::iter::repeat_n(post, 64)).await;
    let codes: HashSet<_> = answers.iter().map(|answer| answer.redirect().code()).collect();
    assert_eq!(codes.len(), 1);
    app.redeem(codes.iter().next().unwrap()).send().await.assert_ok();
}

/// The page that a reload of the address shows is the same page.
#[tokio::test]
async fn a_consent_page_that_is_loaded_again_leads_to_the_same_grant() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&["com.example.app:/cb"]).register().await;
    let mut browser = server.user_agent();
    let login = browser.authorize(&app.authorization()).await;
    let resume = browser.log_in(&login).await;
    let (first, again) = (browser.follow(&resume).await, browser.follow(&resume).await);
    let code = browser.allow(&first).await.redirect().code();
    assert_eq!(browser.allow(&again).await.redirect().code(), code);
    app.redeem(&code).send().await.assert_ok();
    browser.allow(&again).await.assert_page(409);
}

#[tokio::test]
async fn two_tabs_are_two_grants() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&["http://127.0.0.1/cb"]).register().await;
    let mut browser = server.user_agent();
    browser.approve(&app.authorization()).await.code();
    let tabs = [browser.authorize(&app.authorization()).await, browser.authorize(&app.authorization()).await];
    let mut tokens = Vec::new();
    for tab in &tabs {
        let code = browser.allow(tab).await.redirect().code();
        tokens.push(app.redeem(&code).send().await.refresh_token());
    }
    assert_ne!(server.grant(&tokens[0]).await.id, server.grant(&tokens[1]).await.id);
    app.revoke(&tokens[0]).send().await.assert_ok();
    app.refresh(&tokens[1]).send().await.assert_ok();
}

#[tokio::test]
async fn every_byte_of_a_sealed_request_counts() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let login = browser.authorize(&app.authorization()).await;
    let consent = browser.reach_consent(&app.authorization()).await.assert_consent_page();
    let (login, consent) = (login.required_form("/login"), consent.consent_form());
    let steps = server.store.steps();
    for form in
        [login.fill("username", USERNAME).fill("password", PASSWORD), consent.clone().press("decision", "allow")]
    {
        let request = form.field("request").unwrap().to_owned();
        assert!(!request.contains("TestApp") && request.len() > 100, "{request}");
        for at in (0..request.len()).step_by(7).chain([request.len() - 1]) {
            let other = if request.as_bytes()[at] == b'A' { "B" } else { "A" };
            let changed = format!("{}{other}{}", &request[..at], &request[at + 1..]);
            browser.submit(form.clone().fill("request", &changed)).await.assert_page(403);
        }
        for changed in [&request[1..], &request[..request.len() - 1], &format!("{request}A"), &"A".repeat(10_000)] {
            let refused = browser.submit(form.clone().fill("request", changed)).await;
            assert!(matches!(refused.status.as_u16(), 400 | 403), "{}", refused.status);
        }
    }
    assert_eq!(server.store.steps(), steps);
    browser.submit(consent.press("decision", "allow")).await.redirect().code();
}

/// The request of one stage is nothing at the other: what was sealed before the login does not stand for one after it.
#[tokio::test]
async fn a_request_sealed_for_the_login_page_is_no_consent() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let login = browser.authorize(&app.authorization()).await.required_form("/login");
    let consent = browser.reach_consent(&app.authorization()).await.consent_form();
    let mixed = consent.fill("request", login.field("request").unwrap()).press("decision", "allow");
    let asked = browser.submit(mixed).await.assert_page(403);
    browser.allow(&asked).await.redirect().code();
}

#[tokio::test]
async fn a_page_of_another_browser_is_asked_again_and_does_nothing() {
    let server = TestServer::start().await;
    let others = server.register_user("somebody else").await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let (mut mine, mut theirs, mut nobody) = (server.user_agent(), server.user_agent(), server.user_agent());
    let consent = mine.reach_consent(&app.authorization()).await.assert_consent_page();
    let login = theirs.authorize(&app.authorization()).await;
    let resume = theirs.log_in_as(&login, "somebody else", PASSWORD).await;
    theirs.follow(&resume).await.assert_consent_page();
    let steps = server.store.steps();
    let asked = theirs.allow(&consent).await.assert_page(403);
    assert!(asked.text_of_body().contains("somebody else"), "they are asked as who they are");
    let asked_to_log_in = nobody.allow(&consent).await.assert_page(403);
    assert!(asked_to_log_in.form("/login").is_some());
    assert_eq!(server.store.steps(), steps);

    let code = theirs.allow(&asked).await.redirect().code();
    assert_eq!(subject(&app.redeem(&code).send().await), others.as_str());
    let code = mine.allow(&consent).await.redirect().code();
    assert_eq!(subject(&app.redeem(&code).send().await), server.subject.as_str());
}

#[tokio::test]
async fn who_was_logged_out_meanwhile_hears_so() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let consent = browser.reach_consent(&app.authorization()).await.assert_consent_page();
    let log_out = browser.account().await.required_form("/account/log-out");
    browser.submit(log_out).await.assert_page(200);
    let login = browser.allow(&consent).await.assert_page(403);
    assert!(login.text_of_body().contains("You have been logged out meanwhile"), "{}", login.text_of_body());
    let resume = browser.log_in(&login).await;
    let consent = browser.follow(&resume).await.assert_consent_page();
    browser.allow(&consent).await.redirect().code();
}

#[tokio::test]
async fn a_page_that_was_open_for_ten_minutes_is_asked_again() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let login = browser.authorize(&app.authorization()).await;
    server.clock.advance_seconds(599);
    let resume = browser.log_in(&login).await;
    server.clock.advance_seconds(1);
    browser.log_in(&login).await.assert_page(403).required_form("/login");
    let consent = browser.follow(&resume).await.assert_consent_page();
    server.clock.advance_seconds(599);
    let steps = server.store.steps();
    let again = browser.allow(&consent).await.assert_page(403);
    assert_eq!(server.store.steps(), steps, "the old page gave no code");
    let code = browser.allow(&again).await.redirect().code();
    app.redeem(&code).send().await.assert_ok();
}

#[tokio::test]
async fn another_account_can_be_chosen_at_the_consent_page() {
    let server = TestServer::start().await;
    let others = server.register_user("somebody else").await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let consent = browser.reach_consent(&app.authorization()).await.assert_consent_page();
    let switch = consent.forms()[0].clone().press("decision", "switch");
    let login = browser.submit(switch).await.assert_login_page();
    let resume = browser.log_in_as(&login, "somebody else", PASSWORD).await;
    let consent = browser.follow(&resume).await.assert_consent_page();
    let code = browser.allow(&consent).await.redirect().code();
    let tokens = app.redeem(&code).send().await.assert_ok();
    assert_eq!(subject(&tokens), others.as_str());
}

fn subject(tokens: &Answer) -> String {
    tokens.claims()["sub"].as_str().expect("every access token has a subject").to_owned()
}
