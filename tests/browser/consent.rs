//! The consent page.

use crate::scene::{PASSWORD, Scene, USERNAME};

#[test]
fn a_user_who_denies_is_sent_back_without_a_code() {
    let scene = Scene::start();
    scene.chromium.open(&scene.authorization(&[]));
    scene.log_in_as(USERNAME, PASSWORD);
    scene.press("decision", "deny");
    assert_eq!(scene.answer().get("error"), "access_denied");
}

#[test]
fn consent_is_remembered_for_what_was_allowed() {
    let scene = Scene::start();
    scene.log_in();
    scene.chromium.open(&scene.authorization(&[]));
    scene.answer().get("code");

    scene.chromium.open(&scene.authorization(&[("scope", "openid profile write")]));
    scene.press("decision", "allow");
    scene.answer().get("code");

    scene.chromium.open(&scene.authorization(&[("prompt", "consent")]));
    scene.press("decision", "deny");
    scene.answer().get("error");
}

#[test]
fn a_user_allows_a_part() {
    let scene = Scene::start();
    scene.chromium.open(&scene.authorization(&[("scope", "openid read write")]));
    scene.log_in_as(USERNAME, PASSWORD);
    scene.chromium.find("input[type=checkbox][value=write]").click();
    scene.press("decision", "allow");
    assert_eq!(scene.redeem(&scene.answer())["scope"], "openid read");
}

#[test]
fn a_user_switches_to_another_account() {
    let scene = Scene::start();
    scene.chromium.open(&scene.authorization(&[]));
    scene.log_in_as(USERNAME, PASSWORD);
    scene.press("decision", "switch");
    scene.log_in_as(USERNAME, PASSWORD);
    scene.press("decision", "allow");
    scene.answer().get("code");
}

#[test]
fn going_back_and_allowing_again_makes_no_second_grant() {
    let scene = Scene::start();
    let first = scene.log_in();
    scene.chromium.back();
    scene.press("decision", "allow");
    assert_eq!(scene.answer().get("code"), first.get("code"));

    scene.redeem(&first)["access_token"].as_str().expect("the code is good");
    scene.chromium.back();
    scene.press("decision", "allow");
    scene.chromium.find("h1");
    assert!(scene.chromium.url().starts_with(&scene.program.url), "there is no second answer to one question");
}
