use std::collections::BTreeMap;

use regrant_tests::{Answer, Form};
use serde_json::Value;
use ureq::http::{Response, header};
use ureq::{Agent, Body};

/// More pages and redirects than any login has.
const STEPS_MAX: usize = 12;

/// A browser as far as the login pages need one: it keeps cookies, follows redirects, and sends forms.
pub(crate) struct Browser {
    agent: Agent,
    cookies: BTreeMap<String, String>,
}

impl Default for Browser {
    fn default() -> Self {
        let agent = Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(None).build().into();
        Self { agent, cookies: BTreeMap::new() }
    }
}

impl Browser {
    /// Opens `url`, logs the demo user in, allows everything, and follows the way back to its end: what is shown there.
    pub(crate) fn log_in(&mut self, url: &str) -> Answer {
        let mut url = url.to_owned();
        let mut answer = self.get(&url, &[]);
        for _ in 0..STEPS_MAX {
            if let Some(location) = answer.header("location") {
                url = absolute(&url, location);
                answer = self.get(&url, &[]);
            } else if let Some(form) = answer.forms().into_iter().find_map(filled) {
                url = absolute(&url, &form.action);
                answer = self.submit(&url, form);
            } else {
                return answer;
            }
        }
        panic!("{STEPS_MAX} pages later the browser was not sent back")
    }

    pub(crate) fn get(&mut self, url: &str, headers: &[(&str, &str)]) -> Answer {
        let request = self.agent.get(url).header(header::COOKIE, self.cookies());
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let response = request.call().unwrap();
        self.taken(response)
    }

    fn submit(&mut self, url: &str, form: Form) -> Answer {
        let request = self.agent.post(url).header(header::COOKIE, self.cookies()).header(header::ORIGIN, origin(url));
        let response = request.send_form(form.fields).unwrap();
        self.taken(response)
    }

    fn cookies(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn taken(&mut self, response: Response<Body>) -> Answer {
        let (head, mut body) = response.into_parts();
        for cookie in head.headers.get_all(header::SET_COOKIE) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap_or_default();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let body = body.read_to_vec().unwrap();
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Answer { status: head.status, headers: head.headers, body, json }
    }
}

/// The form of a page as the demo user sends it, if it is one that leads on.
fn filled(form: Form) -> Option<Form> {
    let has = |name: &str, value: &str| form.buttons.contains(&(name.to_owned(), value.to_owned()));
    if has("action", "login") {
        Some(form.fill("username", "bshaffer").fill("password", "brent123").press("action", "login"))
    } else if has("decision", "allow") {
        Some(form.press("decision", "allow"))
    } else {
        None
    }
}

fn absolute(base: &str, location: &str) -> String {
    if location.starts_with('/') { format!("{}{location}", origin(base)) } else { location.to_owned() }
}

fn origin(url: &str) -> &str {
    let host = url.find("://").unwrap() + 3;
    url[host..].find('/').map_or(url, |path| &url[..host + path])
}
