//! What the answers of a case have given so far.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regrant_tests::Redirect;
use serde_json::Value;

use crate::message::Answer;

/// What is kept of an answer.
const KEPT: [&str; 3] = ["access_token", "refresh_token", "id_token"];

/// Values by name, in the order in which they came.
#[derive(Default)]
pub(crate) struct Memory {
    values: Vec<(String, String)>,
}

impl Memory {
    /// Keeps a value.
    pub(crate) fn keep(&mut self, name: &str, value: &str) {
        self.values.push((name.to_owned(), value.to_owned()));
    }

    /// Keeps what an answer gives: the tokens in its body, and the code in its `Location`.
    pub(crate) fn learn(&mut self, answer: &Answer) {
        if let Ok(Value::Object(members)) = serde_json::from_str(&answer.body) {
            for name in KEPT {
                if let Some(value) = members.get(name).and_then(Value::as_str) {
                    self.keep(name, value);
                }
            }
        }
        if let Some(code) = answer.header("location").and_then(|to| Redirect::parse(to).get("code").map(str::to_owned))
        {
            self.keep("code", &code);
        }
    }

    /// Every value of a name.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.values.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The value that `{name}` stands for: the last of `name`, or the first where it is called `first_name`.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        match name.strip_prefix("first_") {
            Some(name) => self.all(name).first().copied(),
            None => self.all(name).last().copied(),
        }
    }

    /// Puts values in the place of `{name}`, and of `{base64 text}` its encoding.
    pub(crate) fn fill(&self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, inside, after)) = next_braces(rest) {
            filled.push_str(before);
            match (inside.strip_prefix("base64 "), self.value(inside)) {
                (Some(plain), _) => filled.push_str(&STANDARD.encode(plain)),
                (None, Some(value)) => filled.push_str(value),
                (None, None) if inside == "crlf" => filled.push_str("{crlf}"),
                (None, None) => panic!("nothing is known of {{{inside}}}"),
            }
            rest = after;
        }
        filled + rest
    }
}

/// Takes a text apart at its first `{name}`: what stands before, inside, and behind. The braces of JSON are none.
pub(crate) fn next_braces(text: &str) -> Option<(&str, &str, &str)> {
    text.match_indices('{').find_map(|(at, _)| {
        let (inside, after) = text[at + 1..].split_once('}')?;
        let begins = inside.starts_with(|first: char| first.is_ascii_lowercase() || first == '=');
        begins.then_some((&text[..at], inside, after))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_braces_are_filled_and_json_is_left_alone() {
        let mut memory = Memory::default();
        memory.keep("code", "one");
        memory.keep("code", "two");
        assert_eq!(memory.fill(r#"{"a":{}} {code} {first_code} {base64 a:b}"#), r#"{"a":{}} two one YTpi"#);
    }
}
