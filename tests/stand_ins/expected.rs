//! Answers as the cases write them.

use crate::memory::Memory;
use crate::message::{Answer, header};
use crate::pattern::fits;
use crate::system::System;

/// What every answer of the program may have beside what the case says.
const OF_EVERY_ANSWER: [&str; 5] = ["connection", "content-length", "date", "vary", "x-request-id"];

/// What has to come back.
pub(crate) struct Expected<'a> {
    status: u16,
    headers: Vec<Header>,
    scope: Scope,
    body: &'a str,
}

struct Header {
    name: String,
    value: String,
    is_optional: bool,
}

/// How much of an answer is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// Status, every header, body.
    All,
    /// Status, the headers that the case names, and the body where it names one.
    Named,
    /// Status, and that it is a page that sends nobody anywhere.
    Page,
}

impl<'a> Expected<'a> {
    /// Reads `STATUS [HEADERS]`, further headers, an empty line and a body. A question mark before a header says that it may be
    /// missing. The headers `any`, `page` and `redirect` leave open what the case does not name.
    pub(crate) fn parse(text: &'a str, system: &System) -> Self {
        let text = text.trim_end_matches('\n');
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let first = lines.next().expect("an answer has a first line");
        let (status, set) = first.split_once(' ').unwrap_or((first, ""));
        let (scope, named) = match set {
            "" => (Scope::All, [].as_slice()),
            "any" | "redirect" => (Scope::Named, [].as_slice()),
            "page" => (Scope::Page, [].as_slice()),
            set => {
                let named = system.headers.get(set).unwrap_or_else(|| panic!("no headers {set:?}"));
                (Scope::All, named.as_slice())
            }
        };
        let headers = named.iter().map(String::as_str).chain(lines).map(Header::parse).collect();
        Self { status: status.parse().expect("a status is a number"), headers, scope, body }
    }

    /// What is wrong with an answer to a request with this method.
    pub(crate) fn fault(&self, method: &str, answer: &Answer, memory: &Memory) -> Option<String> {
        if answer.status != self.status {
            return Some(format!("the status is not {}", self.status));
        }
        let wrong = self.headers.iter().find_map(|header| header.fault(answer, memory));
        let extra = answer.headers.iter().find(|(name, _)| self.scope == Scope::All && !self.knows(name));
        let extra = extra.map(|(name, _)| format!("the header {name} should not be there"));
        let page = answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
        let no_page = (self.scope == Scope::Page && (!page || answer.header("location").is_some()))
            .then(|| "it is no page".to_owned());
        let open = self.scope == Scope::Page || (self.scope == Scope::Named && self.body.is_empty());
        let expected = if method == "HEAD" { "" } else { self.body };
        let body = (!open && !fits(expected, &answer.body, memory)).then(|| "the body is another".to_owned());
        wrong.or(extra).or(no_page).or(body)
    }

    /// Whether nothing is left open but what nobody can know: tokens, times, and headers that may be missing.
    pub(crate) fn is_whole(&self) -> bool {
        let has_to_come = self.headers.iter().filter(|header| !header.is_optional).map(|header| header.value.as_str());
        let mut texts = has_to_come.chain([self.body]);
        self.scope == Scope::All && texts.all(|text| !["{any}", "{text}"].iter().any(|open| text.contains(open)))
    }

    fn knows(&self, name: &str) -> bool {
        let is_named = self.headers.iter().any(|header| header.name.eq_ignore_ascii_case(name));
        is_named || OF_EVERY_ANSWER.iter().any(|own| name.eq_ignore_ascii_case(own))
    }

    /// The answer as it should be.
    pub(crate) fn shown(&self) -> String {
        let headers = self.headers.iter().map(|Header { name, value, is_optional }| {
            format!("{}{name}: {value}\n", if *is_optional { "?" } else { "" })
        });
        format!("{}\n{}\n{}", self.status, headers.collect::<String>(), self.body)
    }
}

impl Header {
    fn parse(line: &str) -> Self {
        let (line, is_optional) = line.strip_prefix('?').map_or((line, false), |line| (line, true));
        let (name, value) = header(line);
        Self { name, value, is_optional }
    }

    fn fault(&self, answer: &Answer, memory: &Memory) -> Option<String> {
        match answer.header(&self.name) {
            None if self.is_optional => None,
            None => Some(format!("the header {} is missing", self.name)),
            Some(value) if fits(&self.value, value, memory) => None,
            Some(_) => Some(format!("the header {} has another value", self.name)),
        }
    }
}
