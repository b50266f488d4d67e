use std::borrow::Cow;

use regrant_http::{AllowedValue, Dialect};
use regrant_import::settings::TimeSpelling;
use serde::{Serialize, Serializer};

use crate::config::dialect;
use crate::config::environment::variable;
use crate::config::key::{Form, Key, Kind, Reload};
use crate::config::scopes::SCOPE_TEXT_CHARACTERS_MAX;
use crate::config::section::{SECTIONS, Section, Shape};
use crate::config::value::Preset;

/// The JSON Schema of the configuration file, for editors. What more than one key says together it does not know.
#[must_use]
pub fn schema() -> String {
    let above = SECTIONS.iter().filter(|section| !section.name.contains('.'));
    let sections = above.map(|section| (section.name, of_section(section))).collect();
    let schema = Schema {
        dialect: Some("https://json-schema.org/draft/2020-12/schema"),
        title: Some("regrant.toml"),
        description: Some("The configuration of the OAuth authorization server regrant."),
        ..object(sections)
    };
    let mut text = serde_json::to_string_pretty(&schema).expect("the schema has text keys only");
    text.push('\n');
    text
}

/// The part of JSON Schema that is needed here, in the order in which it is written.
#[derive(Default, Serialize)]
struct Schema {
    #[serde(rename = "$schema", skip_serializing_if = "Option::is_none")]
    dialect: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'static str>,
    #[serde(rename = "type", skip_serializing_if = "str::is_empty")]
    kind: &'static str,
    #[serde(rename = "anyOf", skip_serializing_if = "Vec::is_empty")]
    any_of: Vec<Schema>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern: Option<&'static str>,
    #[serde(rename = "maxLength", skip_serializing_if = "Option::is_none")]
    max_length: Option<usize>,
    #[serde(rename = "enum", skip_serializing_if = "Option::is_none")]
    choices: Option<Cow<'static, [&'static str]>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minimum: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    maximum: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<Fallback>,
    #[serde(rename = "x-unit", skip_serializing_if = "Option::is_none")]
    unit: Option<&'static str>,
    #[serde(rename = "x-environment", skip_serializing_if = "Option::is_none")]
    environment: Option<String>,
    #[serde(rename = "x-flag", skip_serializing_if = "Option::is_none")]
    flag: Option<String>,
    /// Whether a running server takes a new value.
    #[serde(rename = "x-reload", skip_serializing_if = "Option::is_none")]
    reload: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Box<Schema>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    required: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Properties>,
    #[serde(rename = "propertyNames", skip_serializing_if = "Option::is_none")]
    property_names: Option<Box<Schema>>,
    #[serde(rename = "additionalProperties", skip_serializing_if = "Option::is_none")]
    additional_properties: Option<Additional>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Additional {
    Allowed(bool),
    Like(Box<Schema>),
}

#[derive(Serialize)]
#[serde(untagged)]
enum Fallback {
    Text(&'static str),
    Texts(&'static [&'static str]),
    Number(u32),
    Switch(bool),
}

/// Properties in the order of our tables, and not of the alphabet.
struct Properties(Vec<(&'static str, Schema)>);

impl Serialize for Properties {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, schema)| (name, schema)))
    }
}

fn object(properties: Vec<(&'static str, Schema)>) -> Schema {
    Schema {
        kind: "object",
        properties: Some(Properties(properties)),
        additional_properties: Some(Additional::Allowed(false)),
        ..Schema::default()
    }
}

fn of_section(section: &Section) -> Schema {
    let description = Some(section.doc);
    let keys = || {
        let own = section.keys.iter().flat_map(|key| key.names().map(move |name| (name, of_key(section, key))));
        let below = SECTIONS.iter().filter_map(|below| {
            let (above, name) = below.name.split_once('.')?;
            (above == section.name).then(|| (name, of_section(below)))
        });
        own.chain(below).collect()
    };
    match section.shape {
        Shape::Table => Schema { description, ..object(keys()) },
        Shape::List => {
            let is_required = |key: &&Key| matches!(key.preset, Preset::Required(_));
            let required = section.keys.iter().filter(is_required).map(|key| key.name).collect();
            let items = Some(Box::new(Schema { required, ..object(keys()) }));
            Schema { kind: "array", description, items, ..Schema::default() }
        }
        Shape::Map if section.name == dialect::PATHS.name => {
            let name = Schema { pattern: Some("^/"), kind: "string", ..Schema::default() };
            Schema {
                kind: "object",
                description,
                property_names: Some(Box::new(name)),
                additional_properties: Some(Additional::Like(Box::new(of_choices(&Dialect::NAMES)))),
                ..Schema::default()
            }
        }
        Shape::Map => {
            let name = Schema { pattern: Some(SCOPE_NAME), kind: "string", ..Schema::default() };
            let text = Schema { kind: "string", max_length: Some(SCOPE_TEXT_CHARACTERS_MAX), ..Schema::default() };
            Schema {
                kind: "object",
                description,
                property_names: Some(Box::new(name)),
                additional_properties: Some(Additional::Like(Box::new(text))),
                ..Schema::default()
            }
        }
    }
}

fn of_key(section: &Section, key: &Key) -> Schema {
    let default = match key.preset {
        Preset::Required(_) | Preset::Absent | Preset::Inherited | Preset::StandIn => None,
        Preset::Text(text) => Some(Fallback::Text(text)),
        Preset::Texts(texts) => Some(Fallback::Texts(texts)),
        Preset::Number(number) => Some(Fallback::Number(number)),
        Preset::Switch(is_on) => Some(Fallback::Switch(is_on)),
    };
    // Those of a client have its identifier in their name.
    let has_one_variable = section.shape == Shape::Table;
    Schema {
        description: Some(key.doc),
        default,
        environment: has_one_variable.then(|| variable(section.name, None, key.name)),
        flag: key.flag.map(|flag| format!("--{flag}")),
        reload: Some(key.reload == Reload::OnSignal),
        ..of_kind(key.name, key.kind)
    }
}

fn of_kind(name: &str, kind: Kind) -> Schema {
    let list = |entry| Schema { kind: "array", items: Some(Box::new(entry)), ..Schema::default() };
    match kind {
        Kind::Text(form) => of_form(form),
        Kind::Texts(form) => list(of_form(form)),
        Kind::Secret => of_form(Form::Plain),
        Kind::Number { min, max, unit } => {
            Schema { kind: "integer", minimum: Some(min), maximum: Some(max), unit: Some(unit), ..Schema::default() }
        }
        Kind::Switch => Schema { kind: "boolean", ..Schema::default() },
        Kind::Choice(choices) => of_choices(choices),
        Kind::Time(spelling) => of_time(spelling),
        Kind::Allowed(values) => of_allowed(name, values),
        Kind::Choices(choices) => list(of_choices(choices)),
    }
}

fn of_time(spelling: TimeSpelling) -> Schema {
    let number = Schema { kind: "integer", unit: Some("seconds"), ..Schema::default() };
    match spelling {
        TimeSpelling::Seconds => number,
        TimeSpelling::Suffixed | TimeSpelling::TimeSpan => {
            Schema { any_of: vec![number, of_form(Form::Plain)], ..Schema::default() }
        }
    }
}

/// A choice of a dialect, which may take other texts than those that it names.
fn of_allowed(name: &str, values: &[AllowedValue]) -> Schema {
    let words: Vec<&'static str> = values.iter().map(|allowed| allowed.value).collect();
    if words.iter().all(|word| word.parse::<bool>().is_ok()) {
        return Schema { kind: "boolean", ..Schema::default() };
    }
    // A word in capitals stands for others, and of a list one alone may not be enough.
    let is_word = |word: &&str| {
        let stands_for_others = word.chars().any(char::is_uppercase) && *word == word.to_uppercase();
        !stands_for_others && Dialect::standard().set(name, word).is_ok()
    };
    let choices = words.iter().all(is_word).then(|| words.into());
    Schema { kind: "string", choices, ..Schema::default() }
}

fn of_choices(choices: &'static [&'static str]) -> Schema {
    Schema { kind: "string", choices: Some(choices.into()), ..Schema::default() }
}

fn of_form(form: Form) -> Schema {
    let format = (form == Form::Url).then_some("uri");
    Schema { kind: "string", format, pattern: pattern(form), ..Schema::default() }
}

const SCOPE_NAME: &str = r"^[!#-\[\]-~]+$";

fn pattern(form: Form) -> Option<&'static str> {
    match form {
        Form::Address => Some(r"^(\[[0-9A-Fa-f:.]+\]|[0-9.]+):[0-9]{1,5}$"),
        Form::Network => Some(r"^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$"),
        Form::Colour => Some("^#[0-9A-Fa-f]{6}$"),
        Form::Scope => Some(r"^([!#-\[\]-~]+( [!#-\[\]-~]+)*)?$"),
        Form::Date => Some("^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
        Form::Plain | Form::Url | Form::Path | Form::LogLevel => None,
    }
}
