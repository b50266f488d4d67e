//! The account page.

use serde_json::json;

use crate::scene::{PASSWORD, Scene, USERNAME};

const NEW_PASSWORD: &str = "correct horse battery";

impl Scene {
    fn open_account(&self) {
        self.chromium.open(&format!("{}/account", self.program.url));
    }

    /// Fills in the form for a new password and sends it.
    #[track_caller]
    fn change_password(&self, current: &str, new: &str) {
        for (name, text) in [("current_password", current), ("new_password", new), ("new_password_again", new)] {
            self.chromium.find(&format!("input[name={name}]")).type_in(text);
        }
        self.chromium.find("form[action='/account/password'] button").click_and_leave();
    }
}

#[test]
fn the_account_page_asks_for_the_password_first() {
    let scene = Scene::start();
    scene.open_account();
    scene.log_in_as(USERNAME, PASSWORD);
    scene.chromium.find("form[action='/account/password']");
}

#[test]
fn a_user_ends_the_access_of_a_client() {
    let scene = Scene::start();
    let tokens = scene.redeem(&scene.log_in());
    scene.open_account();
    scene.chromium.find("form[action='/account/end'] button").click_and_leave();
    scene.chromium.find(".empty");
    assert_eq!(scene.refresh(&tokens)["error"], "invalid_grant");

    scene.chromium.open(&scene.authorization(&[]));
    scene.chromium.find("button[name=decision]");
}

#[test]
fn a_user_ends_all_access() {
    let scene = Scene::start();
    let tokens = scene.redeem(&scene.log_in());
    scene.open_account();
    scene.chromium.find("summary").click();
    scene.chromium.find("form[action='/account/end-all'] button").click_and_leave();
    scene.chromium.find(".empty");
    assert_eq!(scene.refresh(&tokens)["error"], "invalid_grant");
}

#[test]
fn a_user_changes_the_password() {
    let scene = Scene::start();
    let tokens = scene.redeem(&scene.log_in());
    scene.open_account();
    scene.change_password("wrong", NEW_PASSWORD);
    scene.chromium.find("[role=alert]");
    scene.change_password(PASSWORD, NEW_PASSWORD);
    scene.chromium.find("[role=status]");
    let has_focus = "return document.activeElement === document.querySelector('[role=status]')";
    assert_eq!(scene.chromium.script(has_focus, json!([])), json!(true));
    scene.chromium.script("location.reload()", json!([]));
    scene.chromium.find("[role=status]");
    assert!(scene.refresh(&tokens)["access_token"].is_string(), "what was allowed goes on");

    scene.chromium.open(&scene.authorization(&[("prompt", "login")]));
    scene.log_in_as(USERNAME, PASSWORD);
    scene.chromium.find("[role=alert]");
    scene.log_in_as(USERNAME, NEW_PASSWORD);
    scene.answer().get("code");
}

#[test]
fn a_user_changes_the_password_and_ends_everything() {
    let scene = Scene::start();
    let tokens = scene.redeem(&scene.log_in());
    scene.open_account();
    scene.chromium.find("input[name=end_everything]").click();
    scene.change_password(PASSWORD, NEW_PASSWORD);
    scene.chromium.find("[role=status]");
    assert_eq!(scene.refresh(&tokens)["error"], "invalid_grant");
}

#[test]
fn a_user_logs_out() {
    let scene = Scene::start();
    scene.log_in();
    scene.open_account();
    scene.chromium.find("form[action='/account/log-out'] button").click_and_leave();
    scene.chromium.find(".after");
    scene.open_account();
    scene.chromium.find("input[name=password]");
}
