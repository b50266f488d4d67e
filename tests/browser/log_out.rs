//! Logging out at a client's request.

use crate::scene::Scene;

/// Fails unless TestClient's next login asks for the password.
#[track_caller]
fn assert_logged_out(scene: &Scene) {
    scene.chromium.open(&scene.authorization(&[]));
    scene.chromium.find("input[name=password]");
}

#[test]
fn a_client_logs_its_user_out() {
    let scene = Scene::start();
    let tokens = scene.redeem(&scene.log_in());
    let hint = tokens["id_token"].as_str().expect("openid was asked for");
    let callback = scene.site.callback();
    let request = [("id_token_hint", hint), ("post_logout_redirect_uri", &callback), ("state", "done")];
    scene.chromium.open(&scene.program_url("/logout", &request));
    assert_eq!(scene.answer().get("state"), "done");
    assert_logged_out(&scene);
}

#[test]
fn without_a_hint_the_user_is_asked() {
    let scene = Scene::start();
    scene.log_in();
    let log_out = scene.program_url("/logout", &[]);
    scene.chromium.open(&log_out);
    scene.press("decision", "stay");
    scene.chromium.open(&scene.authorization(&[]));
    scene.answer().get("code");

    scene.chromium.open(&log_out);
    scene.press("decision", "log-out");
    scene.chromium.find(".after");
    assert_logged_out(&scene);
}

#[test]
fn going_back_after_logging_out_shows_nothing_of_the_account() {
    let scene = Scene::start();
    scene.log_in();
    scene.chromium.open(&format!("{}/account", scene.program.url));
    scene.chromium.find("form[action='/account/log-out'] button").click_and_leave();
    scene.chromium.find("a[href='/account']");
    scene.chromium.back();
    scene.chromium.find("input[name=password]");
}
