//! What pages of other origins cannot do. Their ports differ, so they are of the same site: cookies go along.

use serde_json::json;

use crate::scene::Scene;

#[test]
fn another_origin_cannot_show_the_pages_in_a_frame() {
    const FRAME: &str = "
        const frame = document.createElement('iframe');
        frame.src = arguments[0];
        return new Promise((resolve) => {
            frame.onload = () => resolve();
            document.body.append(frame);
        });
    ";
    let scene = Scene::start();
    scene.chromium.open(&scene.site.callback());
    scene.chromium.script(FRAME, json!([scene.authorization(&[])]));
    let console = scene.chromium.console().join("\n");
    assert!(console.contains("frame-ancestors") || console.contains("X-Frame-Options"), "{console}");
}

#[test]
fn another_origin_cannot_send_the_forms() {
    const SEND: &str = "
        const form = document.createElement('form');
        form.method = 'post';
        form.action = arguments[0];
        document.body.append(form);
        form.submit();
    ";
    let scene = Scene::start();
    scene.log_in();
    for path in ["/login", "/consent", "/account/log-out", "/account/end-all", "/account/password"] {
        scene.chromium.open(&scene.site.callback());
        scene.chromium.script(SEND, json!([format!("{}{path}", scene.program.url)]));
        scene.chromium.find_text("came from another site");
    }
    scene.chromium.open(&scene.authorization(&[("prompt", "none")]));
    scene.answer().get("code");
}

#[test]
fn a_script_of_an_origin_that_no_client_has_registered_reads_no_answer() {
    const ASK: &str = "return fetch(arguments[0]).then(() => 'read', () => 'refused')";
    let scene = Scene::start();
    let metadata = format!("{}/.well-known/openid-configuration", scene.program.url);
    for (origin, expected) in [("127.0.0.1", "read"), ("localhost", "refused")] {
        scene.chromium.open(&scene.site.callback().replace("127.0.0.1", origin));
        assert_eq!(scene.chromium.script(ASK, json!([metadata])), expected, "from {origin}");
    }
}
