use std::collections::BTreeMap;

use regrant_protocol::Scope;
use toml::de::DeTable;

use crate::config::conversion::from_toml;
use crate::config::document::Document;
use crate::config::key::{Form, Kind};
use crate::config::one_line::one_line;
use crate::config::problem::{Fault, Problem};
use crate::config::section::{Section, Shape};
use crate::config::toml_text;
use crate::config::value::{Setting, Value};

pub(super) const SECTION: Section = Section {
    name: "scopes",
    shape: Shape::Map,
    doc: "What scope names mean to users, in the words of the consent page: NAME = \"TEXT\". A name without a text is shown as it is.",
    keys: &[],
};

/// The longest text for a scope, in characters.
pub const SCOPE_TEXT_CHARACTERS_MAX: usize = 200;

/// The words of the consent page, by scope name.
pub type ScopeTexts = BTreeMap<String, String>;

/// Reads what is there, and tells all that cannot be used.
pub(super) fn read(document: &Document<'_>, rows: &DeTable<'_>) -> (ScopeTexts, Vec<Setting>, Vec<Problem>) {
    let (mut texts, mut settings, mut problems) = (ScopeTexts::new(), Vec::new(), Vec::new());
    for (key, value) in rows {
        let name = key.get_ref().as_ref();
        let origin = document.file.at(key.span().start);
        let mut refuse = |fault| {
            problems.push(Problem { origin: origin.clone(), key: format!("scopes.{}", toml_text::key(name)), fault });
        };
        if let Err(fault) = scope_name(name) {
            refuse(fault);
            continue;
        }
        match from_toml(Kind::Text(Form::Plain), name, value) {
            Err(misfits) => misfits.into_iter().for_each(|misfit| refuse(misfit.fault)),
            Ok(found) => match one_line(found.value.as_text().unwrap_or_default(), SCOPE_TEXT_CHARACTERS_MAX) {
                Ok(text) => {
                    settings.push(Setting { name: name.to_owned(), value: Value::Text(text.clone()), origin });
                    texts.insert(name.to_owned(), text);
                }
                Err(fault) => refuse(fault),
            },
        }
    }
    (texts, settings, problems)
}

fn scope_name(name: &str) -> Result<(), Fault> {
    match Scope::parse(name) {
        Ok(scope) if scope.tokens().count() == 1 => Ok(()),
        Ok(_) => Err(Fault::Value(format!("{name:?} is not one scope name"))),
        Err(error) => Err(Fault::Value(format!("{name:?}: {error}"))),
    }
}
