use std::fmt::Write;

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
        let (name, kind, preset, doc) = (key.name, kind(key.kind), preset(key.preset), key.doc);
        writeln!(table, "| `{name}` | {kind} | {preset} | {doc} | {flag} | {reload} |").expect(WRITES);
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
        Form::LogLevel => "levels with commas between",
    }
}

fn words(choices: &[&str]) -> String {
    choices.iter().map(|choice| format!("`{}`", quoted(choice))).collect::<Vec<_>>().join(", ")
}

fn preset(preset: Preset) -> String {
    match (preset, preset.value()) {
        (Preset::Required(example), _) => format!("required; for example `{example}`"),
        (_, Some(Value::Texts(texts))) if texts.is_empty() => "none".to_owned(),
        (_, Some(value)) => format!("`{value}`"),
        (_, None) => "none".to_owned(),
    }
}

const WRITES: &str = "writing to a String cannot fail";
