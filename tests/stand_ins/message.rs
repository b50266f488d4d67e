//! Requests as the cases write them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::memory::Memory;
use crate::system::System;

/// A request, as it crosses the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// The statuses with which a case may go on.
    pub(crate) statuses: Vec<u16>,
}

/// An answer, as it crossed the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    /// Reads `METHOD TARGET [as CREDENTIALS] [-> STATUS …]`, headers, an empty line and a body, whose line breaks are the
    /// reader's and are not sent.
    pub(crate) fn parse(text: &str, system: &System, memory: &Memory) -> Self {
        let text = memory.fill(text.trim_end_matches('\n'));
        let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
        let mut lines = head.lines();
        let first = lines.next().expect("a request has a first line");
        let (first, statuses) = first.split_once(" -> ").unwrap_or((first, "200 302 303"));
        let (first, credentials) = match first.split_once(" as ") {
            Some((first, name)) => (first, Some(credentials(system, name))),
            None => (first, None),
        };
        let (method, target) = first.split_once(' ').unwrap_or_else(|| panic!("no method and address: {first:?}"));
        let written = lines.map(header);
        let mut headers: Vec<_> = credentials.into_iter().chain(written).collect();
        let body = body.replace('\n', "").replace("{crlf}", "\r\n");
        if !body.is_empty() && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            headers.push(("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
        }
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers,
            body,
            statuses: statuses.split(' ').map(|status| status.parse().expect("a status is a number")).collect(),
        }
    }
}

fn credentials(system: &System, name: &str) -> (String, String) {
    let credentials = system.credentials.get(name).unwrap_or_else(|| panic!("no credentials {name:?}"));
    ("Authorization".to_owned(), format!("Basic {}", STANDARD.encode(credentials)))
}

/// `Name: value`.
pub(crate) fn header(line: &str) -> (String, String) {
    let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("no header: {line:?}"));
    (name.to_owned(), value.to_owned())
}

impl Answer {
    /// The only value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} comes twice: {self:?}");
        value
    }

    /// The answer as a case would write it.
    pub(crate) fn shown(&self) -> String {
        let headers: String = self.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        format!("{}\n{headers}\n{}", self.status, self.body)
    }
}

/// A header of an answer, whose value may be empty.
pub(crate) fn header_of_answer(line: &str) -> (String, String) {
    let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("no header: {line:?}"));
    (name.to_owned(), value.trim().to_owned())
}
