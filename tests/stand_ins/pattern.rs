//! Texts in which some parts cannot be known beforehand.

use regrant_grant::REFRESH_PREFIX;

use crate::memory::{Memory, next_braces};

/// The characters of a refresh token.
const REFRESH_CHARACTERS: usize = 72;
/// The fewest characters of an access token or an ID token.
const TOKEN_CHARACTERS_MIN: usize = 40;

/// A part of an expected text.
enum Part<'a> {
    /// These characters.
    Literal(&'a str),
    /// Any text that is good.
    Open(Box<dyn Fn(&str) -> bool + 'a>),
}

/// Whether `text` is what `pattern` says: `{access_token}`, `{refresh_token}` and `{id_token}` stand for tokens that were not
/// there before, `{=name}` for a value that was, and the rest for what [`open`] says.
pub(crate) fn fits(pattern: &str, text: &str, memory: &Memory) -> bool {
    let mut parts = Vec::new();
    let mut rest = pattern;
    while let Some((before, inside, after)) = next_braces(rest) {
        parts.push(Part::Literal(before));
        parts.push(part(inside, memory));
        rest = after;
    }
    parts.push(Part::Literal(rest));
    all_fit(&parts, text)
}

fn part<'a>(name: &'a str, memory: &'a Memory) -> Part<'a> {
    match name.strip_prefix('=') {
        Some(name) => Part::Literal(memory.value(name).unwrap_or_else(|| panic!("nothing is known of {{={name}}}"))),
        None => Part::Open(Box::new(move |text| open(name, text) && !memory.all(name).contains(&text))),
    }
}

/// What may stand in the place of `{name}`.
fn open(name: &str, text: &str) -> bool {
    let of = |is_one: fn(char) -> bool| text.chars().all(is_one);
    let of_token = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    match name {
        "access_token" | "id_token" | "token" => text.len() >= TOKEN_CHARACTERS_MIN && of(of_token),
        "refresh_token" => text.len() == REFRESH_CHARACTERS && text.starts_with(REFRESH_PREFIX) && of(of_token),
        "seconds" => !text.is_empty() && text.len() <= 9 && of(|digit| digit.is_ascii_digit()),
        "unix_time" => text.len() == 10 && of(|digit| digit.is_ascii_digit()),
        "time" => is_time(text),
        "charset" => ["", "; charset=utf-8"].contains(&text),
        "text" => !text.is_empty() && !text.contains(['"', '&']),
        "any" => true,
        _ => panic!("nobody knows {{{name}}}"),
    }
}

/// `YYYY-MM-DD HH:MM:SS`.
fn is_time(text: &str) -> bool {
    let shape = |character: char| if character.is_ascii_digit() { '0' } else { character };
    text.chars().map(shape).eq("0000-00-00 00:00:00".chars())
}

fn all_fit(parts: &[Part<'_>], text: &str) -> bool {
    let Some((first, rest)) = parts.split_first() else { return text.is_empty() };
    match first {
        Part::Literal(literal) => text.strip_prefix(literal).is_some_and(|text| all_fit(rest, text)),
        Part::Open(is_good) => {
            let mut ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.any(|end| is_good(&text[..end]) && all_fit(rest, &text[end..]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_open_has_to_be_equal() {
        let mut memory = Memory::default();
        let token = format!("rgr_{}", "a".repeat(68));
        memory.keep("refresh_token", &token);
        let other = format!("rgr_{}", "b".repeat(68));
        for (pattern, text, expected) in [
            (r#"{"a":null}"#, r#"{"a":null}"#, true),
            (r#"{"a":null}"#, r#"{"a":null} "#, false),
            ("{refresh_token}", &*other, true),
            ("{refresh_token}", &*token, false),
            ("{=refresh_token}", &*token, true),
            ("{=refresh_token}", &*other, false),
            ("{refresh_token}", "rgr_short", false),
            (r#"{"a":{seconds}}"#, r#"{"a":12}"#, true),
            (r#"{"a":{seconds}}"#, r#"{"a":-1}"#, false),
            ("a{charset}", "a", true),
            ("{time}", "2026-01-31 12:00:00", true),
            ("{time}", "2026-01-31T12:00:00", false),
            ("x={text}&y", "x=1&y", true),
            ("x={text}&y", "x=&y", false),
        ] {
            assert_eq!(fits(pattern, text, &memory), expected, "{pattern} {text}");
        }
    }
}
