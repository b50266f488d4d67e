use std::collections::BTreeMap;
use std::fmt;

use regrant_http::{Choice, Dialect, Dialects};
use regrant_import::settings::System;
use toml::de::DeTable;

use crate::config::conversion::from_toml;
use crate::config::document::Document;
use crate::config::key::{Key, Kind};
use crate::config::origin::Origin;
use crate::config::problem::{Fault, Problem};
use crate::config::section::{Section, Shape};
use crate::config::table_reader::{Reported, TableReader};
use crate::config::toml_text;
use crate::config::value::{Preset, Setting, Value};

pub(super) const SECTION: Section = Section {
    name: "dialect",
    shape: Shape::Table,
    doc: "How requests are read and answers are worded, choice by choice, where that differs from what `server.stand_in` does.",
    keys: &KEYS,
};

pub(super) const PATHS: Section = Section {
    name: "dialect.paths",
    shape: Shape::Map,
    doc: "Endpoints with a dialect of their own, below the issuer: \"PATH\" = \"NAME\", where the name is one that `server.stand_in` may \
          have. A path that is not served otherwise, or is that of a token endpoint, is a token endpoint; one of revocation or \
          introspection, of the chosen system or of the named one, stays that. Nothing else can be put at a path, and no path of the \
          pages for people, of `/authorize`, `/userinfo`, `/jwks` or `/.well-known`.",
    keys: &[],
};

const KEYS: [Key; Dialect::CHOICES.len()] = {
    let mut keys = [key(&Dialect::CHOICES[0]); Dialect::CHOICES.len()];
    let mut index = 1;
    while index < keys.len() {
        keys[index] = key(&Dialect::CHOICES[index]);
        index += 1;
    }
    keys
};

const fn key(choice: &Choice) -> Key {
    Key::new(choice.key, Kind::Allowed(choice.allowed), Preset::StandIn, choice.about)
}

/// What the dialect of `system` is, choice by choice.
pub(super) fn of_stand_in(system: Option<System>) -> Vec<Setting> {
    let dialect = named(system);
    let origin = system.map_or(Origin::Default, |system| Origin::StandIn(system.name()));
    let choice = |key: &Key| {
        let text = dialect.get(key.name).expect("every key is a choice");
        let value = text.parse().map_or_else(|_| Value::Text(text.clone()), Value::Switch);
        Setting { name: key.name.to_owned(), value, origin: origin.clone() }
    };
    KEYS.iter().map(choice).collect()
}

/// Reads `[dialect]`: the dialect of `system`, with what is chosen otherwise.
pub(super) fn read(table: &mut TableReader<'_>, system: Option<System>) -> Result<Dialect, Reported> {
    let mut dialect = named(system);
    let mut read = Ok(());
    for key in &KEYS {
        let chosen = table.allowed(key, |text| {
            let mut tried = Dialect::standard();
            tried.set(key.name, text).map(|()| text.to_owned()).map_err(|error| not_allowed(key.name, text, error))
        });
        match chosen {
            Ok(text) => dialect.set(key.name, &text).expect("it was tried"),
            Err(reported) => read = Err(reported),
        }
    }
    read.map(|()| dialect)
}

/// What to say about a value of `choice` that there is not.
fn not_allowed(choice: &str, text: &str, error: impl fmt::Display) -> Fault {
    match choice {
        "time_zone" => Fault::Value(format!(
            "{text:?} is no time zone of the IANA list; write one such as \"Europe/Copenhagen\" or \"America/New_York\""
        )),
        "tenant" => Fault::Value(format!(
            "{text:?} is no name of a tenant; write letters, digits, hyphens, underscores and dots, such as \"carbon.super\", or \"\" \
             for none"
        )),
        _ => Fault::value(error),
    }
}

/// Reads `[dialect.paths]` of a server that speaks `default` elsewhere, and tells all that cannot be used.
pub(super) fn read_paths(
    document: &Document<'_>,
    rows: &DeTable<'_>,
    default: Dialect,
) -> (BTreeMap<String, Dialect>, Vec<Setting>, Vec<Problem>) {
    let (mut dialects, mut settings, mut problems) = (BTreeMap::new(), Vec::new(), Vec::new());
    let server = Dialects { default, ..Dialects::default() };
    for (key, value) in rows {
        let path = key.get_ref().as_ref();
        let origin = document.file.at(key.span().start);
        let mut refuse = |fault| {
            let key = format!("{}.{}", PATHS.name, toml_text::key(path));
            problems.push(Problem { origin: origin.clone(), key, fault });
        };
        if !is_as_sent(path) {
            let told =
                "a part of it is empty, . or .., and no client sends it so; write a path such as \"/oauth2/token\"";
            refuse(Fault::Value(told.to_owned()));
            continue;
        }
        if let Err(error) = server.check_path(path) {
            refuse(Fault::value(error));
            continue;
        }
        match from_toml(Kind::Choice(&Dialect::NAMES), path, value) {
            Err(misfits) => misfits.into_iter().for_each(|misfit| refuse(misfit.fault)),
            Ok(found) => {
                let dialect = found.value.as_text().and_then(Dialect::named).expect("it is one of the names");
                dialects.insert(path.to_owned(), dialect);
                settings.push(Setting { name: path.to_owned(), value: found.value, origin });
            }
        }
    }
    (dialects, settings, problems)
}

fn named(system: Option<System>) -> Dialect {
    system.and_then(|system| Dialect::named(system.name())).unwrap_or_else(Dialect::standard)
}

/// Whether clients send a path as it is written: parts that are nothing, `.` or `..` they take out (RFC 3986 §5.2.4).
fn is_as_sent(path: &str) -> bool {
    let below = path.strip_prefix('/').unwrap_or(path);
    let inner = below.strip_suffix('/').unwrap_or(below);
    inner.is_empty() || inner.split('/').all(|part| !["", ".", ".."].contains(&part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_system_has_a_dialect_of_its_name() {
        for system in System::ALL {
            assert!(Dialect::named(system.name()).is_some(), "{}", system.name());
        }
        assert_eq!(Dialect::NAMES.len(), System::ALL.len() + 1);
    }

    #[test]
    fn a_path_is_as_clients_send_it() {
        for (path, expected) in [
            ("/token", true),
            ("/oauth2/token/", true),
            ("/token.php", true),
            ("/..token", true),
            ("/", true),
            ("/a/../token", false),
            ("/..", false),
            ("/./token", false),
            ("//token", false),
            ("/a//token", false),
        ] {
            assert_eq!(is_as_sent(path), expected, "{path}");
        }
    }
}
