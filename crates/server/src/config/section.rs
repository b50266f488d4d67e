use crate::config::key::Key;
use crate::config::{
    admin, branding, client, client_defaults, dialect, limits, log, old_server, scopes, server, sessions, stand_in,
    store, tls,
};

/// One table of the file, such as `[server]`.
#[derive(Debug)]
pub struct Section {
    /// Its name.
    pub name: &'static str,
    /// How often it comes, and what it holds.
    pub shape: Shape,
    /// What it is for, in sentences.
    pub doc: &'static str,
    /// Its keys; none where the names are the operator's.
    pub keys: &'static [Key],
}

/// How often a section comes, and what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Once, with its keys.
    Table,
    /// As often as one likes, each with its keys.
    List,
    /// Once, with a text for each name that the operator chooses.
    Map,
}

/// Every section, in the order of the reference page.
pub const SECTIONS: &[&Section] = &[
    &server::SECTION,
    &tls::SECTION,
    &admin::SECTION,
    &store::SECTION,
    &client_defaults::SECTION,
    &sessions::SECTION,
    &branding::SECTION,
    &scopes::SECTION,
    &limits::SECTION,
    &log::SECTION,
    &client::SECTION,
    &old_server::SECTION,
    &dialect::SECTION,
    &dialect::PATHS,
    &stand_in::BSHAFFER,
    &stand_in::REDCORE,
    &stand_in::WSO2,
    &stand_in::DOTAUTH,
];

impl Section {
    /// Its own key of this name.
    #[must_use]
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.names().any(|own| own == name))
    }

    /// The section of this name within it.
    pub(super) fn below(&self, name: &str) -> Option<&'static Section> {
        SECTIONS.iter().copied().find(|section| section.name.split_once('.') == Some((self.name, name)))
    }

    /// The line that begins it.
    #[must_use]
    pub fn header(&self) -> String {
        match self.shape {
            Shape::Table | Shape::Map => format!("[{}]", self.name),
            Shape::List => format!("[[{}]]", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_name_is_given_once_and_every_key_says_what_it_is_for() {
        let sections: BTreeSet<&str> = SECTIONS.iter().map(|section| section.name).collect();
        assert_eq!(sections.len(), SECTIONS.len());
        let mut flags = BTreeSet::new();
        for section in SECTIONS {
            assert!(section.doc.ends_with('.'), "{}", section.name);
            let names: BTreeSet<&str> = section.keys.iter().map(|key| key.name).collect();
            assert_eq!(names.len(), section.keys.len(), "{}", section.name);
            for key in section.keys {
                assert!(key.doc.ends_with('.'), "{} {}", section.name, key.name);
                assert!(key.aliases.iter().all(|name| !names.contains(name)), "{} {}", section.name, key.name);
                assert!(key.also.iter().all(|name| !names.contains(name)), "{} {}", section.name, key.name);
                assert!(key.flag.is_none_or(|flag| flags.insert(flag)), "{} {}", section.name, key.name);
            }
        }
    }
}
