//! Every page, narrow and wide, light and dark: nothing sticks out, every control has a name, the console is silent,
//! and a picture of each lies in `target/screenshots`.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::scene::{PASSWORD, Scene, USERNAME};

/// Widths and heights of windows in CSS pixels: a telephone, and a desk.
const WINDOWS: [(u32, u32); 2] = [(390, 844), (1280, 800)];
const COLOUR_SCHEMES: [&str; 2] = ["light", "dark"];

#[test]
fn every_page_fits_its_window_and_names_its_controls() {
    let scene = Scene::start();
    let account = format!("{}/account", scene.program.url);

    scene.chromium.open(&scene.authorization(&[("scope", "openid profile email offline_access read write")]));
    check(&scene, "log-in");
    scene.log_in_as(USERNAME, "wrong");
    scene.chromium.find("[role=alert]");
    check(&scene, "log-in-wrong-password");
    scene.log_in_as(USERNAME, PASSWORD);
    scene.chromium.find("button[name=decision]");
    check(&scene, "consent");
    scene.press("decision", "allow");
    scene.redeem(&scene.answer());

    scene.chromium.open(&account);
    check(&scene, "account");
    scene.chromium.find("input[name=current_password]").type_in("wrong");
    for name in ["new_password", "new_password_again"] {
        scene.chromium.find(&format!("input[name={name}]")).type_in("correct horse battery");
    }
    scene.chromium.find("form[action='/account/password'] button").click_and_leave();
    scene.chromium.find("[role=alert]");
    check(&scene, "account-wrong-password");

    scene.chromium.open(&scene.program_url("/logout", &[]));
    check(&scene, "log-out");
    scene.press("decision", "log-out");
    scene.chromium.find(".after");
    check(&scene, "logged-out");
    scene.chromium.open(&scene.program_url("/authorize", &[("client_id", "nobody")]));
    check(&scene, "error");

    scene.open_app("");
    scene.chromium.find("#logged-out:not([hidden])");
    check(&scene, "browser-app-logged-out");
    scene.log_in_at_app();
    check(&scene, "browser-app");
}

/// Looks at the page that is open in every window and colour scheme.
#[track_caller]
fn check(scene: &Scene, name: &str) {
    for (width, height) in WINDOWS {
        for scheme in COLOUR_SCHEMES {
            let window = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
            scene.chromium.devtools("Emulation.setDeviceMetricsOverride", window);
            let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
            scene.chromium.devtools("Emulation.setEmulatedMedia", json!({ "features": features }));

            let faults = scene.chromium.script(FAULTS, json!([]));
            assert_eq!(faults, json!([]), "{name}, {width} pixels wide, {scheme}");
            save_picture(scene, &format!("{name}-{width}-{scheme}.png"));
        }
    }
    scene.chromium.devtools("Emulation.clearDeviceMetricsOverride", json!({}));
    // A status that is an error shows as one; everything else would be something that the page does wrong.
    let console = scene.chromium.console();
    let unexpected: Vec<_> = console.iter().filter(|line| !line.contains("responded with a status of 4")).collect();
    assert!(unexpected.is_empty(), "{name}: {unexpected:?}");
}

/// What is wrong with a page, as sentences.
const FAULTS: &str = r#"
    const faults = [];
    const expect = (holds, fault) => holds || faults.push(fault);
    const root = document.documentElement;
    expect(root.scrollWidth <= window.innerWidth, `it is ${root.scrollWidth} pixels wide`);
    expect(root.lang !== "", "it does not say its language");
    expect(document.title !== "", "it has no title");
    expect(document.querySelectorAll("h1").length === 1, "it has not one main heading");
    for (const control of document.querySelectorAll("input:not([type=hidden]), button, a")) {
        const labels = [...(control.labels ?? [])].map((label) => label.textContent).join("");
        const name = labels + (control.ariaLabel ?? "") + control.textContent;
        expect(name.trim() !== "", `${control.outerHTML} has no name`);
    }
    return faults;
"#;

/// Writes a picture of the whole page.
fn save_picture(scene: &Scene, file: &str) {
    let size = &scene.chromium.devtools("Page.getLayoutMetrics", json!({}))["cssContentSize"];
    let clip = json!({ "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1 });
    let picture =
        scene.chromium.devtools("Page.captureScreenshot", json!({ "captureBeyondViewport": true, "clip": clip }));
    let bytes = STANDARD.decode(picture["data"].as_str().expect("a picture is text")).expect("it is base64");
    let folder = screenshots();
    fs::create_dir_all(&folder).expect("target can be written");
    fs::write(folder.join(file), bytes).expect("target can be written");
}

fn screenshots() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("this package is a folder of the workspace")
        .join("target/screenshots")
}
