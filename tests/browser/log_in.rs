//! The login page.

use crate::chromium::Scripts;
use crate::scene::{Answer, PASSWORD, Scene, USERNAME};

#[test]
fn a_user_logs_in_and_the_client_gets_its_answer() {
    let scene = Scene::start();
    let answer = scene.log_in();
    assert_eq!(answer.get("state"), "of-the-test");
    assert_eq!(answer.get("iss"), scene.program.url);
    let tokens = scene.redeem(&answer);
    assert_eq!(tokens["scope"], "openid profile");
    assert!(scene.refresh(&tokens)["access_token"].is_string());
}

#[test]
fn a_user_logs_in_where_pages_run_no_scripts() {
    let scene = Scene::with(Scripts::Off);
    let answer = scene.log_in();
    assert!(scene.redeem(&answer)["access_token"].is_string());

    scene.chromium.open(&scene.authorization(&[("response_mode", "form_post"), ("prompt", "consent")]));
    scene.press("decision", "allow");
    scene.chromium.find("form button").click_and_leave();
    posted(&scene).get("code");
}

#[test]
fn the_answer_is_posted_where_the_client_asks_for_it() {
    let scene = Scene::start();
    scene.chromium.open(&scene.authorization(&[("response_mode", "form_post")]));
    scene.log_in_as(USERNAME, PASSWORD);
    scene.press("decision", "allow");
    let answer = posted(&scene);
    assert_eq!(answer.get("state"), "of-the-test");
    assert!(scene.redeem(&answer)["access_token"].is_string());
}

/// What was posted to the client, once the browser is there.
fn posted(scene: &Scene) -> Answer {
    let form = scene.chromium.find("#form").text();
    assert_eq!(scene.chromium.url(), scene.site.callback());
    Answer::read(&form)
}

#[test]
fn the_enter_key_logs_in() {
    const ENTER: &str = "\u{E007}";
    let scene = Scene::start();
    scene.chromium.open(&scene.authorization(&[]));
    scene.chromium.find("input[name=username]").type_in(USERNAME);
    scene.chromium.find("input[name=password]").type_in(&format!("{PASSWORD}{ENTER}"));
    scene.chromium.find("button[name=decision]");
}

#[test]
fn a_wrong_password_and_an_unknown_user_hear_the_same_and_may_try_again() {
    let scene = Scene::start();
    scene.chromium.open(&scene.authorization(&[]));
    scene.log_in_as(USERNAME, "wrong");
    let told = scene.chromium.find("[role=alert]").text();
    assert_eq!(scene.chromium.find("input[name=username]").property("value"), USERNAME);
    assert_eq!(scene.chromium.find("input[name=password]").property("value"), "");

    scene.chromium.open(&scene.authorization(&[]));
    scene.log_in_as("nobody", PASSWORD);
    assert_eq!(scene.chromium.find("[role=alert]").text(), told);

    scene.log_in_as(USERNAME, PASSWORD);
    scene.press("decision", "allow");
    scene.answer().get("code");
}

#[test]
fn a_page_of_another_browser_is_shown_again_and_then_works() {
    let scene = Scene::start();
    scene.chromium.open(&scene.authorization(&[]));
    scene.chromium.forget_cookies();
    scene.log_in_as(USERNAME, PASSWORD);
    assert!(scene.chromium.find("[role=alert]").text().contains("allow cookies"));
    scene.log_in_as(USERNAME, PASSWORD);
    scene.press("decision", "allow");
    scene.answer().get("code");
}

#[test]
fn a_user_who_cancels_is_sent_back_without_a_code() {
    let scene = Scene::start();
    scene.chromium.open(&scene.authorization(&[]));
    scene.press("action", "cancel");
    assert_eq!(scene.answer().get("error"), "access_denied");
}

#[test]
fn prompt_login_asks_a_user_who_is_logged_in_for_the_password_again() {
    let scene = Scene::start();
    scene.log_in();
    scene.chromium.open(&scene.authorization(&[("prompt", "login")]));
    scene.log_in_as(USERNAME, PASSWORD);
    scene.answer().get("code");
}

#[test]
fn prompt_none_asks_nobody() {
    let scene = Scene::start();
    scene.chromium.open(&scene.authorization(&[("prompt", "none")]));
    assert_eq!(scene.answer().get("error"), "login_required");
    scene.log_in();
    scene.chromium.open(&scene.authorization(&[("prompt", "none")]));
    scene.answer().get("code");
}
