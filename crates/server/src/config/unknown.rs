use regrant_import::settings::System;

use crate::config::key::Key;
use crate::config::nearest::nearest;
use crate::config::problem::Fault;
use crate::config::section::{SECTIONS, Section};

/// What to say about a key that `section` does not have: where it belongs, or what was probably meant.
pub(super) fn unknown_key(section: &Section, name: &str) -> Fault {
    let hint = if let Some(key) = other_name(section, name) {
        format!("; regrant calls it {}", key.name)
    } else if let Some(hint) = elsewhere(name) {
        hint
    } else if let Some(key) = nearest_key(section, name) {
        format!("; did you mean {}?", nearest(name, key.names()).unwrap_or(key.name))
    } else if section.keys.len() <= KEYS_LISTED_MAX {
        let names: Vec<&str> = section.keys.iter().map(|key| key.name).collect();
        format!("; {} has {}", section.header(), names.join(", "))
    } else {
        format!("; `regrant config schema --markdown` lists those of {}", section.header())
    };
    Fault::UnknownKey(hint)
}

/// The key of `section` that somebody meant who wrote `name`, if that can be told.
pub(super) fn meant_key(section: &Section, name: &str) -> Option<&'static Key> {
    other_name(section, name).or_else(|| nearest_key(section, name))
}

/// What to say about a key above all sections.
pub(super) fn key_without_section(name: &str) -> Fault {
    let near = || SECTIONS.iter().find_map(|section| Some((section, nearest_key(section, name)?)));
    let hint = elsewhere(name).or_else(|| near().map(|(section, key)| did_you_mean(section, key)));
    Fault::UnknownKey(hint.unwrap_or_else(|| "; every key is in a section, such as [server]".to_owned()))
}

/// What to say about a section that does not exist.
pub(super) fn unknown_section(name: &str) -> Fault {
    let near = nearest(name, SECTIONS.iter().map(|section| section.name));
    let meant = near.and_then(|near| SECTIONS.iter().find(|section| section.name == near));
    let hint = match meant {
        Some(section) => format!("; did you mean {}?", section.header()),
        None if name == System::Jiko.name() => {
            "; the options of Jiko's server are not published: say what differs in [defaults] and [dialect]".to_owned()
        }
        None => {
            let headers: Vec<String> = SECTIONS.iter().map(|section| section.header()).collect();
            format!("; there are {}", headers.join(", "))
        }
    };
    Fault::UnknownSection(hint)
}

fn other_name(section: &Section, name: &str) -> Option<&'static Key> {
    section.keys.iter().find(|key| key.also.contains(&name))
}

fn nearest_key(section: &Section, name: &str) -> Option<&'static Key> {
    section.key(nearest(name, section.keys.iter().flat_map(Key::names))?)
}

/// Another section that knows the name.
fn elsewhere(name: &str) -> Option<String> {
    let by_name = || SECTIONS.iter().find(|section| section.key(name).is_some());
    let by_other_name = || SECTIONS.iter().find_map(|section| Some((section, other_name(section, name)?)));
    by_name()
        .map(|section| format!("; {} has one of that name", section.header()))
        .or_else(|| by_other_name().map(|(section, key)| did_you_mean(section, key)))
}

fn did_you_mean(section: &Section, key: &Key) -> String {
    format!("; did you mean {} in {}?", key.name, section.header())
}

/// Sections with more keys than these are not listed in a message.
const KEYS_LISTED_MAX: usize = 8;
