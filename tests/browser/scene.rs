//! A program, a site with its clients, and a browser: what every test begins with.

use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;
use ureq::Agent;

use crate::chromium::{Chromium, Scripts};
use crate::program::{Program, fresh_data};
use crate::site::Site;

pub(crate) const USERNAME: &str = "bshaffer";
pub(crate) const PASSWORD: &str = "brent123";

/// RFC 7636, Appendix B.
const CODE_VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CODE_CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The fields are dropped in this order: first the browser, last the data.
pub(crate) struct Scene {
    pub(crate) chromium: Chromium,
    pub(crate) site: Site,
    pub(crate) program: Program,
    /// Where the program keeps its data.
    pub(crate) data: PathBuf,
    /// The folder around it.
    pub(crate) parent: TempDir,
}

impl Scene {
    /// Starts everything.
    pub(crate) fn start() -> Self {
        Self::with(Scripts::On)
    }

    /// Starts everything, with or without scripts in the browser.
    pub(crate) fn with(scripts: Scripts) -> Self {
        let (parent, data) = fresh_data();
        let program = Program::start(&data, &[]);
        let site = Site::start(&program.url);
        Self { chromium: Chromium::start(scripts), site, program, data, parent }
    }

    /// The URL at which TestClient begins a login, with parameters of the test's beside those it needs.
    pub(crate) fn authorization(&self, parameters: &[(&str, &str)]) -> String {
        let callback = self.site.callback();
        let mut all = vec![
            ("response_type", "code"),
            ("client_id", "TestClient"),
            ("redirect_uri", &callback),
            ("state", "of-the-test"),
            ("code_challenge", CODE_CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        all.extend(parameters);
        if !parameters.iter().any(|(name, _)| *name == "scope") {
            all.push(("scope", "openid profile"));
        }
        self.program_url("/authorize", &all)
    }

    /// A URL of the program.
    pub(crate) fn program_url(&self, path: &str, query: &[(&str, &str)]) -> String {
        format!("{}{path}?{}", self.program.url, form(query))
    }

    /// Fills in the login page and sends it.
    #[track_caller]
    pub(crate) fn log_in_as(&self, username: &str, password: &str) {
        for (name, text) in [("username", username), ("password", password)] {
            let field = self.chromium.find(&format!("input[name={name}]"));
            field.clear();
            field.type_in(text);
        }
        self.press("action", "login");
    }

    /// Presses a button of a form, and leaves the page.
    #[track_caller]
    pub(crate) fn press(&self, name: &str, value: &str) {
        self.chromium.find(&format!("button[name={name}][value={value}]")).click_and_leave();
    }

    /// TestClient begins a login, and the demo user allows everything. Returns what came back to the client.
    #[track_caller]
    pub(crate) fn log_in(&self) -> Answer {
        self.chromium.open(&self.authorization(&[]));
        self.log_in_as(USERNAME, PASSWORD);
        self.press("decision", "allow");
        self.answer()
    }

    /// What came back to the client, once the browser is there.
    #[track_caller]
    pub(crate) fn answer(&self) -> Answer {
        self.chromium.find("#client");
        let url = self.chromium.url();
        let (address, query) = url.split_once('?').expect("the answer is in the query");
        assert_eq!(address, self.site.callback());
        Answer::read(query)
    }

    /// TestClient redeems the code of an answer.
    #[track_caller]
    pub(crate) fn redeem(&self, answer: &Answer) -> Value {
        let callback = self.site.callback();
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", answer.get("code")),
            ("redirect_uri", &callback),
            ("code_verifier", CODE_VERIFIER),
            ("client_id", "TestClient"),
            ("client_secret", "TestSecret"),
        ];
        self.post("/token", &fields)
    }

    /// TestClient refreshes.
    #[track_caller]
    pub(crate) fn refresh(&self, tokens: &Value) -> Value {
        let token = tokens["refresh_token"].as_str().unwrap_or_else(|| panic!("no refresh token in {tokens}"));
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("client_id", "TestClient"),
            ("client_secret", "TestSecret"),
        ];
        self.post("/token", &fields)
    }

    #[track_caller]
    fn post(&self, path: &str, fields: &[(&str, &str)]) -> Value {
        let agent: Agent = Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
        let mut response =
            agent.post(format!("{}{path}", self.program.url)).send_form(fields.iter().copied()).expect("it answers");
        let body = response.body_mut().read_to_string().expect("the answer can be read");
        serde_json::from_str(&body).unwrap_or_else(|_| panic!("{}: {body}", response.status()))
    }
}

/// What the server sent to the client.
#[derive(Debug)]
pub(crate) struct Answer(Vec<(String, String)>);

impl Answer {
    /// Reads a query or a form.
    pub(crate) fn read(fields: &str) -> Self {
        Self(form_urlencoded::parse(fields.as_bytes()).into_owned().collect())
    }

    /// A parameter that the answer has.
    #[track_caller]
    pub(crate) fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}
