//! The commands of WebDriver that the tests give, each one POST of JSON (W3C WebDriver §8 to §18).
//!
//! Nothing here sleeps: the driver itself waits for elements that are not there yet, and only that a page is left is asked for
//! again and again.

use std::time::Duration;

use regrant_protocol::{Clock, SystemClock};
use serde_json::{Value, json};
use ureq::http::{self, Request};
use ureq::{Agent, AsSendBody};

/// How long an element is waited for. Pages come in milliseconds; a busy machine gets half a minute.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long an answer of the driver is waited for: longer than it waits for elements, and for a browser to start.
const ANSWER_PATIENCE: Duration = Duration::from_secs(120);

/// The key by which an element is told from other JSON (§12).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser under control. It is closed when it is dropped.
pub(crate) struct Session {
    agent: Agent,
    url: String,
}

impl Session {
    /// Starts a browser with these capabilities.
    pub(crate) fn begin(driver: &str, capabilities: Value) -> Self {
        let config =
            Agent::config_builder().http_status_as_error(false).timeout_global(Some(ANSWER_PATIENCE)).proxy(None);
        let mut session = Self { agent: config.build().into(), url: format!("{driver}/session") };
        let begun = session.post("", json!({ "capabilities": { "alwaysMatch": capabilities } }));
        session.url = format!("{}/{}", session.url, begun["sessionId"].as_str().expect("a session has an id"));
        session.post("/timeouts", json!({ "implicit": PATIENCE.as_millis() }));
        session
    }

    /// Goes to a URL and waits until the page has loaded.
    pub(crate) fn open(&self, url: &str) {
        self.post("/url", json!({ "url": url }));
    }

    /// The URL of the page.
    pub(crate) fn url(&self) -> String {
        text(self.get("/url"))
    }

    /// Forgets the cookies of the page's host.
    pub(crate) fn forget_cookies(&self) {
        self.delete("/cookie");
    }

    /// As the button of the browser does.
    pub(crate) fn back(&self) {
        self.post("/back", json!({}));
    }

    /// The first element for a CSS selector, waited for.
    #[track_caller]
    pub(crate) fn find(&self, css: &str) -> Element<'_> {
        self.element("css selector", css)
    }

    /// The innermost element with this text in it, waited for.
    #[track_caller]
    pub(crate) fn find_text(&self, text: &str) -> Element<'_> {
        let own_text = format!("//*[text()[contains(normalize-space(.), \"{text}\")]]");
        self.element("xpath", &own_text)
    }

    /// What a function body returns that runs in the page, or what its promise comes to; it reads `arguments`.
    #[track_caller]
    pub(crate) fn script(&self, body: &str, arguments: Value) -> Value {
        self.post("/execute/sync", json!({ "script": body, "args": arguments }))
    }

    /// A command of the Chrome DevTools Protocol.
    #[track_caller]
    pub(crate) fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.post("/goog/cdp/execute", json!({ "cmd": command, "params": parameters }))
    }

    /// What the console has shown since this was last asked, as `LEVEL message`.
    pub(crate) fn console(&self) -> Vec<String> {
        let entries = self.post("/se/log", json!({ "type": "browser" }));
        let line = |entry: &Value| format!("{} {}", entry["level"], entry["message"]);
        entries.as_array().expect("the log is a list").iter().map(line).collect()
    }

    /// The tab that commands go to.
    pub(crate) fn tab(&self) -> String {
        text(self.get("/window"))
    }

    /// Opens another tab, and gives commands to it.
    pub(crate) fn open_tab(&self) {
        let opened = self.post("/window/new", json!({ "type": "tab" }));
        self.switch_to(opened["handle"].as_str().expect("a tab has a handle"));
    }

    /// Gives commands to a tab from now on.
    pub(crate) fn switch_to(&self, tab: &str) {
        self.post("/window", json!({ "handle": tab }));
    }

    /// Closes the tab that commands go to.
    pub(crate) fn close_tab(&self) {
        self.delete("/window");
    }

    #[track_caller]
    fn element(&self, using: &str, value: &str) -> Element<'_> {
        let searched = self.try_post("/element", json!({ "using": using, "value": value }));
        let found = searched.unwrap_or_else(|_| panic!("no {value} at {}:\n{}", self.url(), self.page_text()));
        Element { session: self, path: format!("/element/{}", found[ELEMENT].as_str().expect("an element has an id")) }
    }

    fn page_text(&self) -> String {
        text(self.script("return document.body.innerText", json!([])))
    }

    #[track_caller]
    fn get(&self, path: &str) -> Value {
        worked(self.send(Request::get(format!("{}{path}", self.url)).body(())))
    }

    #[track_caller]
    fn post(&self, path: &str, body: Value) -> Value {
        worked(self.try_post(path, body))
    }

    fn try_post(&self, path: &str, body: Value) -> Result<Value, Value> {
        self.send(Request::post(format!("{}{path}", self.url)).body(body.to_string()))
    }

    #[track_caller]
    fn delete(&self, path: &str) {
        worked(self.send(Request::delete(format!("{}{path}", self.url)).body(())));
    }

    /// The value of the answer; the error object of the driver as the error.
    fn send(&self, request: http::Result<Request<impl AsSendBody>>) -> Result<Value, Value> {
        let request = request.expect("our URLs are well-formed");
        let mut response = self.agent.run(request).expect("the driver answers");
        let answer = response.body_mut().read_to_vec().expect("the answer can be read");
        let mut answer: Value = serde_json::from_slice(&answer).expect("the driver answers in JSON");
        let value = answer["value"].take();
        if response.status().is_success() { Ok(value) } else { Err(value) }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.agent.delete(&self.url).call();
    }
}

/// An element of the page.
pub(crate) struct Element<'a> {
    session: &'a Session,
    path: String,
}

impl Element<'_> {
    /// The text that is shown.
    #[track_caller]
    pub(crate) fn text(&self) -> String {
        text(self.session.get(&format!("{}/text", self.path)))
    }

    /// Clicks, as a person would: the element must be in sight.
    #[track_caller]
    pub(crate) fn click(&self) {
        self.session.post(&format!("{}/click", self.path), json!({}));
    }

    /// Clicks, and waits until the page is left. What is searched next is never found in this page, however busy the machine
    /// is: the driver does not always wait for a page that a click has asked for.
    #[track_caller]
    pub(crate) fn click_and_leave(&self) {
        self.click();
        let clicked = SystemClock.monotonic();
        while self.session.send(Request::get(format!("{}{}/name", self.session.url, self.path)).body(())).is_ok() {
            assert!(SystemClock.monotonic() - clicked < PATIENCE, "the page stays: {}", self.session.url());
        }
    }

    /// Types after what is in the field already.
    #[track_caller]
    pub(crate) fn type_in(&self, keys: &str) {
        self.session.post(&format!("{}/value", self.path), json!({ "text": keys }));
    }

    /// Removes what is in the field.
    #[track_caller]
    pub(crate) fn clear(&self) {
        self.session.post(&format!("{}/clear", self.path), json!({}));
    }

    /// A property of the element in the page.
    #[track_caller]
    pub(crate) fn property(&self, name: &str) -> Value {
        self.session.get(&format!("{}/property/{name}", self.path))
    }
}

#[track_caller]
fn worked(answer: Result<Value, Value>) -> Value {
    answer.unwrap_or_else(|error| panic!("{}: {}", error["error"], error["message"]))
}

#[track_caller]
fn text(value: Value) -> String {
    value.as_str().expect("the driver answers with a string").to_owned()
}
