//! The login page: who guesses is slowed and learns nothing, and who is known is not locked out by it.

use regrant_engine::{ACCOUNT_FAILURE_BURST, FAILURE_BURST, FAILURE_INTERVAL_SECONDS};
use regrant_store::{UserChange, UserStatus};
use regrant_tests::{Answer, PASSWORD, TestServer, USERNAME};

const CALLBACK: &str = "https://app.example/cb";

#[tokio::test]
async fn guesses_from_everywhere_do_not_lock_a_known_browser_out() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let mut known = server.user_agent().at_address("192.0.2.1");
    known.approve(&app.authorization()).await.code();
    let form = known.account().await.required_form("/account/log-out");
    known.submit(form).await.assert_page(200);

    let calls = server.engine.hash_calls();
    for guess in 0..ACCOUNT_FAILURE_BURST {
        let mut guesser = server.user_agent().at_address(&format!("198.51.100.{}", guess / (FAILURE_BURST - 1)));
        let login = guesser.authorize(&app.authorization()).await;
        guesser.log_in_as(&login, USERNAME, "guess").await.assert_page(403);
    }
    assert_eq!(server.engine.hash_calls() - calls, u64::from(ACCOUNT_FAILURE_BURST));
    let mut stranger = server.user_agent().at_address("203.0.113.1");
    let login = stranger.authorize(&app.authorization()).await;
    let slowed = stranger.log_in(&login).await.assert_page(429);
    assert_eq!((slowed.header("retry-after").is_some(), slowed.form("/login").is_some()), (true, true));
    assert_eq!(server.engine.hash_calls() - calls, u64::from(ACCOUNT_FAILURE_BURST), "a slowed guess costs nothing");

    let login = known.authorize(&app.authorization()).await.assert_login_page();
    known.log_in(&login).await.redirect();
}

/// The exemption is of one browser and one name, and is no licence to guess.
#[tokio::test]
async fn a_known_browser_is_slowed_by_its_own_guesses_alone() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let mut known = server.user_agent().at_address("192.0.2.1");
    known.approve(&app.authorization()).await.code();
    let mut login = known.authorize(&app.authorization().with("prompt", "login")).await.assert_login_page();
    for _ in 0..FAILURE_BURST {
        login = known.log_in_as(&login, USERNAME, "guess").await.assert_page(403);
    }
    let slowed = known.log_in(&login).await.assert_page(429);
    server.clock.advance_seconds(FAILURE_INTERVAL_SECONDS);
    known.log_in(&slowed).await.redirect();

    let mut other = server.user_agent().at_address("192.0.2.1");
    let login = other.authorize(&app.authorization()).await;
    other.log_in(&login).await.redirect();
}

#[tokio::test]
async fn a_copied_mark_of_a_known_browser_is_worth_nothing_without_the_rest() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let mut known = server.user_agent().at_address("192.0.2.1");
    known.approve(&app.authorization()).await.code();
    // The mark belongs to the browser cookie that it was given with.
    known.forget_cookie("browser");
    let mut login = known.authorize(&app.authorization().with("prompt", "login")).await.assert_login_page();
    for _ in 0..FAILURE_BURST {
        login = known.log_in_as(&login, USERNAME, "guess").await.assert_page(403);
    }
    // It was counted as a stranger from this address.
    let mut other = server.user_agent().at_address("192.0.2.1");
    let login = other.authorize(&app.authorization()).await;
    other.log_in(&login).await.assert_page(429);
}

#[tokio::test]
async fn who_guesses_names_is_told_the_same_and_waits_the_same() {
    let server = TestServer::start().await;
    server.register_user("locked").await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    server.change_user(UserChange::Status(UserStatus::Locked)).await;
    let long = "n".repeat(5000);
    let mut told = Vec::new();
    for username in ["locked", USERNAME, "nobody", "", "no\0body", long.as_str()] {
        let mut browser = server.user_agent();
        let login = browser.authorize(&app.authorization()).await;
        let calls = server.engine.hash_calls();
        let refused = browser.log_in_as(&login, username, "wrong").await.assert_page(403);
        assert_eq!(server.engine.hash_calls() - calls, 1, "{username:.20}");
        assert_eq!(browser.cookie("session"), None);
        told.push((without_form(&refused), headers(&refused)));
    }
    told.dedup();
    assert_eq!(told.len(), 1, "one answer for whoever it may be: {told:#?}");
}

/// That an account is locked is told only to who knows its password.
#[tokio::test]
async fn a_locked_user_is_told_so_with_the_right_password() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    server.change_user(UserChange::Status(UserStatus::Locked)).await;
    let mut browser = server.user_agent();
    let login = browser.authorize(&app.authorization()).await;
    let wrong = browser.log_in_as(&login, USERNAME, "wrong").await.assert_page(403);
    let right = browser.log_in_as(&login, USERNAME, PASSWORD).await.assert_page(403);
    assert!(right.text_of_body().contains("locked") && !wrong.text_of_body().contains("locked"));
    assert_eq!(browser.cookie("session"), None);
}

/// A browser that takes no cookies would be asked for ever.
#[tokio::test]
async fn who_has_no_cookie_hears_that_it_is_needed() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let mut login = browser.authorize(&app.authorization()).await;
    for _ in 0..2 {
        browser.forget_cookie("browser");
        login = browser.log_in(&login).await.assert_page(403);
        assert!(login.text_of_body().contains("allow cookies"), "{}", login.text_of_body());
    }
    browser.log_in(&login).await.redirect();
}

/// Session fixation: a login gives a new secret, and what somebody planted before is not used.
#[tokio::test]
async fn a_session_that_was_planted_is_not_used() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let mut attacker = server.user_agent();
    attacker.approve(&app.authorization()).await.code();
    let planted = attacker.cookie("session").unwrap().to_owned();
    let mut victim = attacker.copy();
    let login = victim.authorize(&app.authorization().with("prompt", "login")).await.assert_login_page();
    victim.log_in(&login).await.redirect();
    assert_ne!(victim.cookie("session"), Some(planted.as_str()));
    assert!(attacker.account().await.form("/login").is_some());
}

/// The text of a page without its forms, which hold sealed requests and the name that was entered.
fn without_form(page: &Answer) -> String {
    let html = page.text_of_body();
    let (before, form) = html.split_once("<form").expect("the page has a form");
    let (_, after) = form.split_once("</form>").expect("a form ends");
    format!("{before}{after}")
}

/// All headers but the length, which counts the name that was entered too.
fn headers(page: &Answer) -> Vec<String> {
    let told = page.headers.iter().filter(|(name, _)| *name != "content-length");
    told.map(|(name, value)| format!("{name}: {value:?}")).collect()
}
