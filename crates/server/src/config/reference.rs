use std::fmt::Write;

use regrant_http::AllowedValue;
use regrant_import::settings::TimeSpelling;

use crate::config::key::{Form, Key, Kind, Reload};
use crate::config::section::{SECTIONS, Section, Shape};
use crate::config::toml_text::quoted;
use crate::config::value::{Preset, Value};

/// The reference page of the configuration, in Markdown.
#[must_use]
pub fn reference() -> String {
    let mut page = include_str!("reference.md").to_owned();
    for section in SECTIONS {
        write!(page, "\n## `{}`\n\n{}\n", section.header(), section.doc).expect(WRITES);
        match section.shape {
            Shape::Table | Shape::List => page.push_str(&keys(section)),
            Shape::Map => {}
        }
    }
    page
}

fn keys(section: &Section) -> String {
    let mut table =
        "\n| key | value | default | what it is for | flag | SIGHUP |\n|---|---|---|---|---|---|\n".to_owned();
    let (inherited, own): (Vec<&Key>, Vec<&Key>) = section.keys.iter().partition(|key| key.preset == Preset::Inherited);
    for key in own {
        let flag = key.flag.map(|flag| format!("`--{flag}`")).unwrap_or_default();
        let reload = match key.reload {
            Reload::OnSignal => "yes",
            Reload::AtStart => "no",
        };
        let names = key.names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let (kind, preset, doc) = (kind(key.kind), preset(key.preset), key.doc);
        writeln!(table, "| {names} | {kind} | {preset} | {doc} | {flag} | {reload} |").expect(WRITES);
    }
    if !inherited.is_empty() {
        let names: Vec<String> = inherited.iter().map(|key| format!("`{}`", key.name)).collect();
        write!(table, "\nAnd, where it differs from `[defaults]`: {}.\n", names.join(", ")).expect(WRITES);
    }
    table
}

fn kind(kind: Kind) -> String {
    match kind {
        Kind::Text(form) => form_name(form).to_owned(),
        Kind::Texts(form) => format!("list: {}", form_name(form)),
        Kind::Number { min: 0, max: u32::MAX, unit } => unit.to_owned(),
        Kind::Number { min, max, unit } => format!("{min} to {max} {unit}"),
        Kind::Switch => "`true`, `false`".to_owned(),
        Kind::Choice(choices) => words(choices),
        Kind::Choices(choices) => format!("list: {}", words(choices)),
        Kind::Time(TimeSpelling::Seconds) => "seconds".to_owned(),
        Kind::Time(TimeSpelling::Suffixed) => "seconds, or `\"1d\"`, `\"1h\"`, `\"1m\"`".to_owned(),
        Kind::Time(TimeSpelling::TimeSpan) => "seconds, or `\"00:30:00\"`".to_owned(),
        Kind::Allowed(values) => allowed(values),
        Kind::Secret => "text, never shown".to_owned(),
    }
}

fn form_name(form: Form) -> &'static str {
    match form {
        Form::Plain => "text",
        Form::Url => "URL",
        Form::Address => "address and port",
        Form::Network => "address or network",
        Form::Path => "path",
        Form::Colour => "`#rrggbb`",
        Form::Scope => "scope names with spaces between",
        Form::Date => "day",
        Form::LogLevel => "levels with commas between",
    }
}

fn words(choices: &[&str]) -> String {
    choices.iter().map(|choice| format!("`{}`", quoted(choice))).collect::<Vec<_>>().join(", ")
}

fn allowed(values: &[AllowedValue]) -> String {
    let value = |allowed: &AllowedValue| match allowed.value.parse::<bool>() {
        Ok(is_on) => format!("`{is_on}`"),
        Err(_) if stands_for_others(allowed.value) => allowed.does.to_owned(),
        Err(_) => format!("`{}`", quoted(allowed.value)),
    };
    values.iter().map(value).collect::<Vec<_>>().join(", ")
}

/// A value in capitals stands for a text of the operator's own.
fn stands_for_others(value: &str) -> bool {
    value.chars().any(char::is_uppercase) && value == value.to_uppercase()
}

fn preset(preset: Preset) -> String {
    match (preset, preset.value()) {
        (Preset::StandIn, _) => "as the stand-in".to_owned(),
        (Preset::Required(example), _) => format!("required; for example `{example}`"),
        (_, Some(Value::Texts(texts))) if texts.is_empty() => "none".to_owned(),
        (_, Some(value)) => format!("`{value}`"),
        (_, None) => "none".to_owned(),
    }
}

const WRITES: &str = "writing to a String cannot fail";
