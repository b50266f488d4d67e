use std::collections::BTreeMap;

use toml::de::DeTable;

use crate::config::conversion::{Misfit, from_text, from_toml};
use crate::config::document::Document;
use crate::config::environment::{Environment, variable};
use crate::config::key::Key;
use crate::config::origin::Origin;
use crate::config::problem::Fault;
use crate::config::section::{Section, Shape};
use crate::config::value::{Setting, Value};

/// Where values come from, besides defaults.
pub(super) struct Layers<'a> {
    /// The texts of the flags that were given, by the names of the flags without dashes.
    pub(super) flags: &'a BTreeMap<&'static str, String>,
    pub(super) environment: Environment<'a>,
    pub(super) document: Option<&'a Document<'a>>,
}

/// The layers, as far as they speak of one table.
pub(super) struct TableLayers<'a> {
    pub(super) section: &'static Section,
    pub(super) layers: &'a Layers<'a>,
    pub(super) rows: Option<&'a DeTable<'a>>,
    /// What messages call the table, up to the name of the key.
    pub(super) label: String,
    /// The identifier of the entry of a list, once it is known.
    pub(super) entry: Option<String>,
    /// What stands in where no layer says anything.
    pub(super) inherited: Vec<Setting>,
}

/// A value that a layer gives.
pub(super) struct Given {
    pub(super) value: Value,
    pub(super) origin: Origin,
    /// Where the entries of a list stand.
    pub(super) places: Vec<Origin>,
}

impl<'a> TableLayers<'a> {
    /// What the strongest layer gives for `key`, or all that is wrong with that.
    pub(super) fn find(&self, key: &Key) -> Result<Option<Given>, Vec<(Origin, Fault)>> {
        Ok(self.find_said(key)?.or_else(|| self.stand_in(key)))
    }

    /// The same without what stands in where no layer says anything.
    pub(super) fn find_said(&self, key: &Key) -> Result<Option<Given>, Vec<(Origin, Fault)>> {
        // Asked in any case: a variable that a flag overrules is a known one.
        let in_environment = self.in_environment(key);
        let found = match self.flag(key).or(in_environment) {
            Some((origin, text)) => match from_text(key.kind, text) {
                Ok(value) => Some(Given { value, origin, places: Vec::new() }),
                Err(fault) => return Err(vec![(origin, fault)]),
            },
            None => self.in_file(key)?,
        };
        Ok(found)
    }

    /// The text of a secret that was found at `origin`: it is not copied into a [`Value`].
    pub(super) fn secret_text(&self, key: &Key, origin: &Origin) -> Option<&'a str> {
        if let Origin::Environment(name) = origin {
            self.layers.environment.value(name)
        } else {
            self.rows?.get(key.name)?.get_ref().as_str()
        }
    }

    fn flag(&self, key: &Key) -> Option<(Origin, &'a str)> {
        let flag = key.flag?;
        let text = self.layers.flags.get(flag)?;
        Some((Origin::Flag(format!("--{flag}")), text))
    }

    /// Nothing is asked about an entry that is not identified: its variables have no names.
    fn in_environment(&self, key: &Key) -> Option<(Origin, &'a str)> {
        if self.section.shape == Shape::List && self.entry.is_none() {
            return None;
        }
        let name = variable(self.section.name, self.entry.as_deref(), key.name);
        let text = self.layers.environment.get(&name, format!("{}{}", self.label, key.name))?;
        Some((Origin::Environment(name), text))
    }

    fn in_file(&self, key: &Key) -> Result<Option<Given>, Vec<(Origin, Fault)>> {
        let (Some(rows), Some(document)) = (self.rows, self.layers.document) else { return Ok(None) };
        let mut named = key.names().filter_map(|name| rows.get_key_value(name));
        let Some((_, value)) = named.next() else { return Ok(None) };
        if let Some((again, _)) = named.next() {
            let fault = Fault::Contradiction(format!("{} and {} are the same; keep one", key.name, again.get_ref()));
            return Err(vec![(document.file.at(again.span().start), fault)]);
        }
        let at = |offset| document.file.at(offset);
        match from_toml(key.kind, key.name, value) {
            Ok(found) => {
                let places = found.places.into_iter().map(at).collect();
                Ok(Some(Given { value: found.value, origin: at(value.span().start), places }))
            }
            Err(misfits) => Err(misfits.into_iter().map(|Misfit { at: offset, fault }| (at(offset), fault)).collect()),
        }
    }

    fn stand_in(&self, key: &Key) -> Option<Given> {
        let inherited = self.inherited.iter().find(|setting| setting.name == key.name);
        let (value, origin) = match inherited {
            Some(setting) => (setting.value.clone(), setting.origin.clone()),
            None => (key.preset.value()?, Origin::Default),
        };
        Some(Given { value, origin, places: Vec::new() })
    }
}
