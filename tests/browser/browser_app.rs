//! The example app: a public client in the browser, whose tabs share one refresh token.

use serde_json::{Value, json};

use crate::chromium::{Chromium, Scripts};
use crate::program::{Program, listening};
use crate::scene::{PASSWORD, Scene, USERNAME};

/// What the app's page loads before anything else, so that a test decides what becomes of its refreshes: `network` is
/// `fetch`, and `meddle` takes its place for refreshes only.
const MEDDLER: &str = r#"
    const network = window.fetch;
    window.fetch = (url, options) => {
        const isRefresh = options?.body?.get?.("grant_type") === "refresh_token";
        return isRefresh ? meddle(url, options) : network(url, options);
    };
    const until = async (condition) => {
        while (!await condition()) await new Promise((resolve) => setTimeout(resolve, 5));
    };
"#;

/// A refresh is decided, and its answer never read.
const DECIDED_AND_NEVER_READ: &str = "
    const meddle = async (url, options) => {
        await network(url, options);
        document.body.append('decided');
        return new Promise(() => {});
    };
";

/// Reads what `record.js` has written.
const READ_RECORD: &str = "
    const done = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
    const database = await done(indexedDB.open('browser-app'));
    const record = await done(database.transaction('record').objectStore('record').get('session'));
    database.close();
    return record ?? null;
";

impl Scene {
    /// Opens the app in the tab that commands go to, with `meddler` before its scripts.
    pub(crate) fn open_app(&self, meddler: &str) {
        if !meddler.is_empty() {
            let source = format!("{{{MEDDLER}{meddler}}}");
            self.chromium.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": source }));
        }
        self.chromium.open(&self.site.url);
    }

    /// Logs the demo user in at the app, which is open.
    #[track_caller]
    pub(crate) fn log_in_at_app(&self) {
        self.chromium.find("#log-in").click();
        self.log_in_as(USERNAME, PASSWORD);
        self.press("decision", "allow");
        self.assert_logged_in();
    }

    /// Opens the app in two tabs of a user who has logged in, and returns the first tab; commands go to the second.
    #[track_caller]
    fn open_two_tabs(&self, meddler: &str) -> String {
        self.open_app(meddler);
        self.log_in_at_app();
        let first = self.chromium.tab();
        self.chromium.open_tab();
        self.open_app(meddler);
        self.assert_logged_in();
        first
    }

    /// Presses the button for a refresh in both tabs; what the test has put into them makes the first wait for the
    /// second.
    fn refresh_in_both(&self, first: &str) {
        let second = self.chromium.tab();
        for tab in [first, &second] {
            self.chromium.switch_to(tab);
            self.chromium.find("#refresh").click();
        }
    }

    #[track_caller]
    fn assert_logged_in(&self) {
        self.chromium.find("#logged-in:not([hidden])");
    }

    /// What the app has shown in this tab, newest first.
    fn events(&self) -> String {
        self.chromium.find("#events").text()
    }

    /// What the app has stored.
    fn record(&self) -> Value {
        self.chromium.script(READ_RECORD, json!([]))
    }
}

#[test]
fn a_user_logs_in_at_the_app_and_out_again() {
    let scene = Scene::start();
    scene.open_app("");
    scene.log_in_at_app();
    assert_ne!(scene.chromium.find("#name").text(), "");
    assert!(scene.chromium.find("#email").text().contains('@'));

    scene.chromium.find("#log-out").click();
    scene.chromium.find("#logged-out:not([hidden])");
    assert_eq!(scene.record(), Value::Null);
    scene.chromium.find("#log-in").click();
    scene.chromium.find("input[name=password]");
}

#[test]
fn of_two_tabs_that_refresh_at_once_one_does_and_both_have_its_answer() {
    let scene = Scene::start();
    // The first refresh is sent when the other tab waits for the lock.
    let first = scene.open_two_tabs(
        "const meddle = async (url, options) => {
            await until(async () => (await navigator.locks.query()).pending.length > 0);
            return network(url, options);
        };",
    );
    let before = scene.record();
    scene.refresh_in_both(&first);

    let mut events = Vec::new();
    for tab in [&scene.chromium.tab(), &first] {
        scene.chromium.switch_to(tab);
        scene.chromium.find_text("refreshed");
        scene.assert_logged_in();
        events.push(scene.events());
    }
    events.sort();
    assert_eq!(events, ["another tab has refreshed", "refreshed"]);
    assert_ne!(scene.record()["refreshToken"], before["refreshToken"]);
}

#[test]
fn two_tabs_without_locks_refresh_at_once_and_nobody_is_logged_out() {
    let scene = Scene::start();
    // Each tab's first refresh is sent when both tabs are about to send.
    let first = scene.open_two_tabs(
        "Object.defineProperty(navigator, 'locks', { value: undefined });
        const arrivals = () => Object.keys(localStorage).filter((key) => key.startsWith('arrival'));
        const meddle = async (url, options) => {
            localStorage.setItem('arrival' + performance.timeOrigin, '');
            await until(() => arrivals().length === 2);
            return network(url, options);
        };",
    );
    let before = scene.record();
    scene.refresh_in_both(&first);

    let second = scene.chromium.tab();
    for tab in [&second, &first] {
        scene.chromium.switch_to(tab);
        scene.chromium.find_text("refreshed");
        scene.assert_logged_in();
        assert!(!scene.events().contains("ended"), "{}", scene.events());
    }
    assert_ne!(scene.record()["refreshToken"], before["refreshToken"]);
}

#[test]
fn a_lost_answer_is_asked_for_again() {
    let scene = Scene::start();
    // The first answer is lost on its way back.
    scene.open_app(
        "let isLost = false;
        const meddle = async (url, options) => {
            const response = await network(url, options);
            if (isLost) return response;
            isLost = true;
            throw new TypeError('Failed to fetch');
        };",
    );
    scene.log_in_at_app();
    let before = scene.record();
    scene.chromium.find("#refresh").click();
    scene.chromium.find_text("no answer; sending the same refresh token again");
    scene.chromium.find_text("refreshed");
    scene.assert_logged_in();
    assert_ne!(scene.record()["refreshToken"], before["refreshToken"]);
}

#[test]
fn a_tab_that_is_closed_before_its_answer_leaves_the_refresh_to_the_other() {
    let scene = Scene::start();
    scene.open_app(DECIDED_AND_NEVER_READ);
    scene.log_in_at_app();
    let before = scene.record();
    let first = scene.chromium.tab();
    scene.chromium.open_tab();
    scene.open_app("");
    scene.assert_logged_in();
    let second = scene.chromium.tab();

    scene.chromium.switch_to(&first);
    scene.chromium.find("#refresh").click();
    scene.chromium.find_text("decided");
    let record = scene.record();
    assert_eq!(record["refreshToken"], before["refreshToken"]);
    assert!(record["triedAt"].is_number(), "the other tab can see that there was a try");
    scene.chromium.close_tab();

    scene.chromium.switch_to(&second);
    scene.chromium.find("#refresh").click();
    scene.chromium.find_text("refreshed");
    scene.assert_logged_in();
    assert_ne!(scene.record()["refreshToken"], before["refreshToken"]);
}

#[test]
fn a_server_that_is_killed_and_comes_back_logs_nobody_out() {
    let scene = Scene::start();
    scene.open_app("");
    scene.log_in_at_app();
    let before = scene.record();
    let address = scene.program.url.trim_start_matches("http://").to_owned();
    let Scene { chromium, site, program, data, parent } = scene;
    program.kill();
    chromium.find("#refresh").click();
    chromium.find_text("no answer; sending the same refresh token again");

    let program = Program::run(listening(&data, &address).arg("--no-tour"));
    chromium.find_text("refreshed");
    let scene = Scene { chromium, site, program, data, parent };
    scene.assert_logged_in();
    assert_ne!(scene.record()["refreshToken"], before["refreshToken"]);
}

#[test]
fn a_browser_that_is_killed_before_its_answer_goes_on_when_it_is_started_again() {
    let scene = Scene::start();
    scene.open_app(DECIDED_AND_NEVER_READ);
    scene.log_in_at_app();
    scene.chromium.find("#refresh").click();
    scene.chromium.find_text("decided");
    let before = scene.record();
    let Scene { chromium, site, program, data, parent } = scene;

    let chromium = Chromium::start_in(chromium.kill(), Scripts::On);
    let scene = Scene { chromium, site, program, data, parent };
    scene.open_app("");
    scene.assert_logged_in();
    assert_eq!(scene.record(), before);
    scene.chromium.find("#refresh").click();
    scene.chromium.find_text("refreshed");
    scene.assert_logged_in();
    assert_ne!(scene.record()["refreshToken"], before["refreshToken"]);
}

#[test]
fn the_app_notices_that_its_access_was_ended() {
    let scene = Scene::start();
    scene.open_app("");
    scene.log_in_at_app();
    let app = scene.chromium.tab();
    scene.chromium.open_tab();
    scene.chromium.open(&format!("{}/account", scene.program.url));
    scene.chromium.find("form[action='/account/end'] button").click_and_leave();
    scene.chromium.find(".empty");

    scene.chromium.switch_to(&app);
    scene.chromium.find("#refresh").click();
    scene.chromium.find("#logged-out:not([hidden])");
    scene.chromium.find_text("the session has ended");
    assert_eq!(scene.record(), Value::Null);
}
