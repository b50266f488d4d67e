//! A person who logs in and decides, on the pages of the program.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use form_urlencoded::Serializer;
use regrant_tests::{Form, PASSWORD, USERNAME};
use serde_json::Value;

use crate::message::{Answer, Request};
use crate::wire::HOST;

/// More pages than a login has.
const PAGES_MAX: usize = 8;

/// What the person says.
#[derive(Clone, Copy)]
pub(crate) enum Decision {
    Allow,
    Deny,
}

/// Follows a link to the authorization endpoint to where the client is told: the last answer.
pub(crate) fn visit(target: &str, decision: Decision, send: impl Fn(&Request) -> Answer) -> Answer {
    let mut cookies = BTreeMap::new();
    let mut answer = go(&get(target), &mut cookies, &send);
    for _ in 0..PAGES_MAX {
        let next = match (path_here(&answer), form(&answer, decision)) {
            (Some(path), _) => get(&path),
            (None, Some(form)) => post(&form),
            (None, None) => return answer,
        };
        answer = go(&next, &mut cookies, &send);
    }
    panic!("the login does not end: {answer:?}")
}

/// Where a redirect within the program leads.
fn path_here(answer: &Answer) -> Option<String> {
    let location = answer.header("location")?;
    let path = location.strip_prefix("https://").and_then(|rest| rest.strip_prefix(HOST)).unwrap_or(location);
    path.starts_with('/').then(|| path.to_owned())
}

/// The form that leads on.
fn form(answer: &Answer, decision: Decision) -> Option<Form> {
    let page = page(answer);
    if let Some(login) = page.form("/login") {
        return Some(login.fill("username", USERNAME).fill("password", PASSWORD).press("action", "login"));
    }
    page.form("/consent")?;
    let decision = match decision {
        Decision::Allow => "allow",
        Decision::Deny => "deny",
    };
    Some(page.consent_form().press("decision", decision))
}

fn page(answer: &Answer) -> regrant_tests::Answer {
    let headers: HeaderMap = answer
        .headers
        .iter()
        .map(|(name, value)| {
            let name: HeaderName = name.parse().expect("it came over HTTP");
            (name, HeaderValue::from_str(value).expect("it came over HTTP"))
        })
        .collect();
    let status = StatusCode::from_u16(answer.status).expect("it came over HTTP");
    regrant_tests::Answer { status, headers, body: answer.body.clone().into_bytes(), json: Value::Null }
}

fn get(target: &str) -> Request {
    Request {
        method: "GET".to_owned(),
        target: target.to_owned(),
        headers: vec![("Sec-Fetch-Site".to_owned(), "same-origin".to_owned())],
        body: String::new(),
        statuses: Vec::new(),
    }
}

fn post(form: &Form) -> Request {
    let body = Serializer::new(String::new()).extend_pairs(&form.fields).finish();
    let mut request = Request { method: "POST".to_owned(), body, ..get(&form.action) };
    request.headers.push(("Origin".to_owned(), format!("https://{HOST}")));
    request.headers.push(("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
    request
}

fn go(request: &Request, cookies: &mut BTreeMap<String, String>, send: impl Fn(&Request) -> Answer) -> Answer {
    let mut request = request.clone();
    if !cookies.is_empty() {
        let pairs: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        request.headers.push(("Cookie".to_owned(), pairs.join("; ")));
    }
    let answer = send(&request);
    for (name, value) in &answer.headers {
        if name.eq_ignore_ascii_case("set-cookie") {
            let pair = value.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a cookie has a name");
            cookies.insert(name.to_owned(), value.to_owned());
        }
    }
    answer
}
