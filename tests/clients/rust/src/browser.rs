//! A browser as far as the login pages need one: it keeps cookies, follows redirects, and sends forms.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use ureq::http::{HeaderMap, Response, StatusCode, header};
use ureq::{Agent, Body};
use url::Url;

/// More pages and redirects than any login has.
const STEPS_MAX: usize = 12;

/// One user's browser. It talks to one server, so its cookies are a list of names and values.
pub struct Browser {
    agent: Agent,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// A browser that was never used.
    pub fn new() -> Self {
        Self { agent: agent(), cookies: BTreeMap::new() }
    }

    /// Opens `url`, and on each page on the way sends the form that has one of the buttons in `answers`, with its
    /// fields filled in as they say. Returns the URL of `redirect_uri` that the server sends the browser to in the end.
    pub fn visit(&mut self, url: Url, redirect_uri: &str, answers: &[(&str, &str)]) -> Result<Url> {
        let mut url = url;
        let mut form = None;
        for _ in 0..STEPS_MAX {
            let mut response = self.send(&url, form.take())?;
            if let Some(location) = response.headers().get(header::LOCATION) {
                url = url.join(location.to_str()?)?;
                if url.as_str().split('?').next() == Some(redirect_uri) {
                    return Ok(url);
                }
                continue;
            }
            let page = response.body_mut().read_to_string()?;
            ensure!(response.status() == StatusCode::OK, "{} at {url}:\n{page}", response.status());
            let forms = Form::read_all(&page).into_iter();
            let (action, fields) = forms
                .filter_map(|form| Some((form.action.clone(), form.filled(answers)?)))
                .next()
                .with_context(|| format!("no form with such a button at {url}:\n{page}"))?;
            url = url.join(&action)?;
            form = Some(fields);
        }
        bail!("{STEPS_MAX} pages later the browser was not sent back")
    }

    fn send(&mut self, url: &Url, form: Option<Vec<(String, String)>>) -> Result<Response<Body>> {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let response = match form {
            None => self.agent.get(url.as_str()).header(header::COOKIE, cookies).call(),
            Some(form) => self
                .agent
                .post(url.as_str())
                .header(header::COOKIE, cookies)
                .header(header::ORIGIN, url.origin().ascii_serialization())
                .send_form(form),
        }?;
        self.keep_cookies(response.headers())?;
        Ok(response)
    }

    fn keep_cookies(&mut self, headers: &HeaderMap) -> Result<()> {
        for cookie in headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str()?;
            let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').context("a cookie has no name")?;
            if attributes.split(';').any(|attribute| attribute.trim().eq_ignore_ascii_case("max-age=0")) {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(())
    }
}

/// What speaks HTTP: it follows no redirect, and an error status is an answer.
pub fn agent() -> Agent {
    Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(None).build().into()
}

/// A form: where it is sent to, its fields, and its buttons.
struct Form {
    action: String,
    fields: Vec<(String, String)>,
    buttons: Vec<(String, String)>,
}

impl Form {
    /// Every form of `page`.
    fn read_all(page: &str) -> Vec<Self> {
        page.split("<form").skip(1).filter_map(|rest| rest.split("</form>").next()).filter_map(Self::read).collect()
    }

    fn read(form: &str) -> Option<Self> {
        let (head, content) = form.split_once('>')?;
        let mut form = Self { action: attribute(head, "action")?, fields: Vec::new(), buttons: Vec::new() };
        for tag in content.split('<').filter_map(|rest| rest.split('>').next()) {
            let (element, attributes) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
            let Some(name) = attribute(attributes, "name") else { continue };
            let value = attribute(attributes, "value").unwrap_or_default();
            let is_checkbox = attribute(attributes, "type").is_some_and(|kind| kind == "checkbox");
            match element {
                "button" => form.buttons.push((name, value)),
                "input" if !is_checkbox || attributes.ends_with(" checked") => form.fields.push((name, value)),
                _ => {}
            }
        }
        Some(form)
    }

    /// What a browser sends when the fields of `answers` are filled in and one of its buttons is pressed; none if the
    /// form has no such button.
    fn filled(self, answers: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
        let answer = |name: &str| answers.iter().find(|(field, _)| *field == name).map(|(_, value)| *value);
        let pressed = self.buttons.into_iter().find(|(name, value)| answer(name) == Some(value))?;
        let fill = |(name, value): (String, String)| match answer(&name) {
            Some(answer) => (name, answer.to_owned()),
            None => (name, value),
        };
        Some(self.fields.into_iter().map(fill).chain([pressed]).collect())
    }
}

/// The value of an attribute that is written `name="value"`.
fn attribute(attributes: &str, name: &str) -> Option<String> {
    let written = format!("{name}=\"");
    let (start, _) = attributes
        .match_indices(&written)
        .find(|(start, _)| *start == 0 || attributes[..*start].ends_with(char::is_whitespace))?;
    let (value, _) = attributes[start + written.len()..].split_once('"')?;
    let unescape = |text: String, (reference, character): &(&str, &str)| text.replace(reference, character);
    Some(REFERENCES.iter().fold(value.to_owned(), unescape))
}

/// The character references that templates write; the ampersand is last, since it begins the others.
const REFERENCES: &[(&str, &str)] = &[("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")];
