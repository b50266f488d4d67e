use regrant_import::settings::TimeSpelling;
use toml::Spanned;
use toml::de::DeValue;

use crate::config::key::{Form, Kind};
use crate::config::nearest::nearest;
use crate::config::problem::Fault;
use crate::config::value::Value;

/// What the text of a flag or an environment variable means to a key of `kind`. Lists have commas between their entries; of
/// a secret nothing is copied.
pub(super) fn from_text(kind: Kind, text: &str) -> Result<Value, Fault> {
    let entries = || text.split(',').map(|entry| entry.trim().to_owned()).filter(|entry| !entry.is_empty());
    match kind {
        Kind::Text(_) => Ok(Value::Text(text.to_owned())),
        Kind::Secret => Ok(Value::Hidden),
        Kind::Texts(_) => Ok(Value::Texts(entries().collect())),
        Kind::Number { min, max, unit } => match text.parse::<u128>() {
            Ok(number) => bounded(Some(number), text.to_owned(), min, max, unit),
            Err(_) => Err(wrong(format!("{text:?}"), format!("a whole number of {unit}"))),
        },
        Kind::Switch => match text {
            "true" => Ok(Value::Switch(true)),
            "false" => Ok(Value::Switch(false)),
            _ => Err(wrong(format!("{text:?}"), "true or false".to_owned())),
        },
        Kind::Choice(choices) => choice(text, choices).map(Value::Text),
        Kind::Time(spelling) => time(spelling, text),
        Kind::Allowed(_) => Ok(allowed(text)),
        Kind::Choices(choices) => {
            entries().map(|entry| choice(&entry, choices)).collect::<Result<_, _>>().map(Value::Texts)
        }
    }
}

/// A value of the file, and where its entries stand if it is a list.
pub(super) struct Found {
    pub(super) value: Value,
    pub(super) places: Vec<usize>,
}

/// What is wrong at a byte of the file.
pub(super) struct Misfit {
    pub(super) at: usize,
    pub(super) fault: Fault,
}

/// What a value of the file means to a key of `kind`, or all that is wrong with it.
pub(super) fn from_toml(kind: Kind, name: &str, given: &Spanned<DeValue<'_>>) -> Result<Found, Vec<Misfit>> {
    let at = given.span().start;
    let one = |value: Result<Value, Fault>| match value {
        Ok(value) => Ok(Found { value, places: Vec::new() }),
        Err(fault) => Err(vec![Misfit { at, fault }]),
    };
    match (kind, given.get_ref()) {
        (Kind::Text(_), DeValue::String(text)) => one(Ok(Value::Text(text.to_string()))),
        // TOML has days of its own.
        (Kind::Text(Form::Date), DeValue::Datetime(day)) => one(Ok(Value::Text(day.to_string()))),
        (Kind::Secret, DeValue::String(_)) => one(Ok(Value::Hidden)),
        // Not even its type is told.
        (Kind::Secret, _) => one(Err(wrong("not a text".to_owned(), "it in quotes".to_owned()))),
        (Kind::Text(_), other) => one(Err(wrong(describe(other), format!("a text: {name} = \"…\"")))),
        (Kind::Number { min, max, unit }, DeValue::Integer(number)) => {
            let parsed = u128::from_str_radix(number.as_str(), number.radix()).ok();
            one(bounded(parsed, number.to_string(), min, max, unit))
        }
        (Kind::Number { unit, .. }, other) => {
            one(Err(wrong(describe(other), format!("a whole number of {unit}, without quotes"))))
        }
        (Kind::Switch, DeValue::Boolean(is_on)) => one(Ok(Value::Switch(*is_on))),
        (Kind::Switch, other) => one(Err(wrong(describe(other), "true or false, without quotes".to_owned()))),
        (Kind::Choice(choices), DeValue::String(text)) => one(choice(text, choices).map(Value::Text)),
        (Kind::Choice(choices), other) => one(Err(wrong(describe(other), format!("one of {}", quoted(choices))))),
        (Kind::Time(_), DeValue::Integer(number)) => {
            let parsed = i64::from_str_radix(number.as_str(), number.radix()).ok();
            one(parsed.map(Value::Seconds).ok_or_else(|| wrong(number.to_string(), "fewer seconds".to_owned())))
        }
        (Kind::Time(spelling), DeValue::String(text)) => one(time(spelling, text)),
        (Kind::Time(spelling), other) => one(Err(wrong(describe(other), spelling.wanted().to_owned()))),
        (Kind::Allowed(_), DeValue::Boolean(is_on)) => one(Ok(Value::Switch(*is_on))),
        (Kind::Allowed(_), DeValue::String(text)) => one(Ok(allowed(text))),
        (Kind::Allowed(_), DeValue::Integer(number)) => one(Ok(Value::Text(number.to_string()))),
        (Kind::Allowed(values), other) => {
            let values: Vec<&str> = values.iter().map(|allowed| allowed.value).collect();
            one(Err(wrong(describe(other), format!("one of {}", quoted(&values)))))
        }
        (Kind::Texts(_), DeValue::Array(entries)) => list(entries.iter(), |text| Ok(text.to_owned())),
        (Kind::Choices(choices), DeValue::Array(entries)) => list(entries.iter(), |text| choice(text, choices)),
        (Kind::Texts(_) | Kind::Choices(_), DeValue::String(text)) => {
            let wanted = format!("a list: {name} = [{text:?}]");
            one(Err(wrong(format!("{text:?}, a text"), wanted)))
        }
        (Kind::Texts(_) | Kind::Choices(_), other) => {
            one(Err(wrong(describe(other), format!("a list of texts: {name} = [\"…\"]"))))
        }
    }
}

fn list<'a, 'i: 'a>(
    entries: impl Iterator<Item = &'a Spanned<DeValue<'i>>>,
    read: impl Fn(&str) -> Result<String, Fault>,
) -> Result<Found, Vec<Misfit>> {
    let (mut texts, mut places, mut misfits) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries {
        let start = entry.span().start;
        let text = match entry.get_ref().as_str() {
            Some(text) => read(text),
            None => Err(wrong(describe(entry.get_ref()), "each entry of the list in quotes".to_owned())),
        };
        match text {
            Ok(text) => {
                texts.push(text);
                places.push(start);
            }
            Err(fault) => misfits.push(Misfit { at: start, fault }),
        }
    }
    if misfits.is_empty() { Ok(Found { value: Value::Texts(texts), places }) } else { Err(misfits) }
}

fn choice(text: &str, choices: &[&'static str]) -> Result<String, Fault> {
    if choices.contains(&text) {
        return Ok(text.to_owned());
    }
    let near = nearest(text, choices.iter().copied());
    let hint = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
    Err(Fault::Choice { found: text.to_owned(), choices: quoted(choices), hint })
}

fn time(spelling: TimeSpelling, text: &str) -> Result<Value, Fault> {
    spelling.read(text).map(Value::Seconds).map_err(|error| wrong(format!("{text:?}"), error.to_string()))
}

/// A word for a dialect, which knows what it may be; yes and no as they are printed.
fn allowed(text: &str) -> Value {
    text.parse().map_or_else(|_| Value::Text(text.to_owned()), Value::Switch)
}

fn bounded(number: Option<u128>, shown: String, min: u32, max: u32, unit: &'static str) -> Result<Value, Fault> {
    let number = number.and_then(|number| u32::try_from(number).ok()).filter(|number| (min..=max).contains(number));
    number.map(Value::Number).ok_or(Fault::Range { found: shown, min, max, unit })
}

fn wrong(found: String, wanted: String) -> Fault {
    Fault::Type { found, wanted }
}

/// The value, for a person who wrote it.
fn describe(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("{text:?}, a text"),
        DeValue::Integer(number) => format!("{number}, a number"),
        DeValue::Float(number) => format!("{}, a number with a point", number.as_str()),
        DeValue::Boolean(is_on) => format!("{is_on}"),
        DeValue::Datetime(time) => format!("{time}, a time"),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

fn quoted(choices: &[&str]) -> String {
    choices.iter().map(|choice| format!("{choice:?}")).collect::<Vec<_>>().join(", ")
}
