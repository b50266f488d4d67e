use std::collections::BTreeSet;

use crate::settings::option::{Counterpart, OptionKind, OptionValue, SystemOption};

/// What the options of a system mean for regrant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Settings of every client that does not say otherwise, by their names in the configuration.
    pub clients: Vec<Setting>,
    /// Choices of the dialect, by their names in the configuration.
    pub dialect: Vec<Setting>,
    /// What the operator should know, in the order of the options.
    pub remarks: Vec<Remark>,
    /// What cannot be done, and what to say instead.
    pub refusals: Vec<Remark>,
}

/// A setting of regrant that comes from a system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name in the configuration.
    pub key: &'static str,
    /// What it is; times are in seconds.
    pub value: OptionValue,
    /// The option that decided it; `None` for what the system does when nobody says anything.
    pub from: Option<&'static str>,
}

/// A sentence about an option that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The option.
    pub option: &'static str,
    /// What to know about it.
    pub text: String,
    /// Whether something is lost: the option has no counterpart, or not all of it.
    pub is_loss: bool,
}

/// Makes settings of options.
pub(super) struct Settler<'a> {
    options: &'static [SystemOption],
    given: &'a [(&'a str, OptionValue)],
    settings: Settings,
}

impl<'a> Settler<'a> {
    pub(super) fn new(options: &'static [SystemOption], given: &'a [(&'a str, OptionValue)]) -> Self {
        Self { options, given, settings: Settings::default() }
    }

    /// What holds, said or not.
    pub(super) fn switch(&self, name: &str) -> bool {
        matches!(self.value(name), Some(OptionValue::Switch(true)))
    }

    /// The same for a number, or a time in seconds.
    pub(super) fn number(&self, name: &str) -> i64 {
        let Some(OptionValue::Number(number)) = self.value(name) else { unreachable!("{name} has a number by itself") };
        number
    }

    /// The same for a text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        if let Some(OptionValue::Text(text)) = self.value(name) { Some(text) } else { None }
    }

    /// The name of the option, if it was given.
    pub(super) fn given(&self, name: &'static str) -> Option<&'static str> {
        self.said(name).map(|_| name)
    }

    /// Something that holds for clients, and the option that says so.
    pub(super) fn client(&mut self, key: &'static str, value: impl Into<OptionValue>, from: Option<&'static str>) {
        self.settings.clients.push(Setting { key, value: value.into(), from });
    }

    /// A choice of the dialect, and the option that makes it.
    pub(super) fn dialect(&mut self, key: &'static str, value: impl Into<OptionValue>, from: Option<&'static str>) {
        self.settings.dialect.push(Setting { key, value: value.into(), from });
    }

    /// A lifetime of clients in whole seconds, from a number that may be too long or, where the system means *never* by it,
    /// negative; `None` if it cannot be used.
    pub(super) fn lifetime(&mut self, name: &'static str, never: Never) -> Option<u32> {
        let seconds = self.number(name);
        let is_never = match never {
            Never::ZeroOrLess => seconds <= 0,
            Never::Negative => seconds < 0,
            Never::NotThere => false,
        };
        if is_never {
            return Some(0);
        }
        if seconds <= 0 {
            self.refuse(name, "with that every token is dead when it is issued; write how many seconds it should live");
            return None;
        }
        let fits = u32::try_from(seconds).ok();
        if fits.is_none() {
            self.refuse(name, "that is more than 4294967295 seconds; write fewer");
        }
        fits
    }

    /// Something that is good to know about an option, if it was given.
    pub(super) fn note(&mut self, name: &'static str, text: &str) {
        self.remark(name, text, false);
    }

    /// Something that is lost of an option, if it was given.
    pub(super) fn loss(&mut self, name: &'static str, text: &str) {
        self.remark(name, text, true);
    }

    /// What came of it, with a remark for everything that was given and has no counterpart.
    pub(super) fn finish(mut self) -> Settings {
        for option in self.options {
            let Some(value) = self.said(option.name) else { continue };
            let is_lost = match option.counterpart {
                Counterpart::Settings | Counterpart::Needless => false,
                Counterpart::Fixed(fixed) => fixed.value().as_ref() != Some(value),
                Counterpart::None => option.kind == OptionKind::Secret || *value != OptionValue::Text(String::new()),
            };
            if is_lost {
                self.loss(option.name, option.doc);
            }
        }
        let place = |name: &str| self.options.iter().position(|option| option.name == name);
        self.settings.remarks.sort_by_key(|remark| place(remark.option));
        let mut told = BTreeSet::new();
        self.settings.remarks.retain(|remark| told.insert((remark.option, remark.text.clone())));
        self.settings
    }

    fn refuse(&mut self, option: &'static str, text: &str) {
        self.settings.refusals.push(Remark { option, text: text.to_owned(), is_loss: true });
    }

    fn remark(&mut self, option: &'static str, text: &str, is_loss: bool) {
        if self.said(option).is_some() {
            self.settings.remarks.push(Remark { option, text: text.to_owned(), is_loss });
        }
    }

    fn said(&self, name: &str) -> Option<&'a OptionValue> {
        self.given.iter().find(|(given, _)| *given == name).map(|(_, value)| value)
    }

    fn value(&self, name: &str) -> Option<OptionValue> {
        let preset = || self.options.iter().find(|option| option.name == name)?.preset.value();
        self.said(name).cloned().or_else(preset)
    }
}

/// What a system means by a lifetime that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Never {
    /// 0 and everything below is for ever.
    ZeroOrLess,
    /// Everything below 0 is for ever.
    Negative,
    /// Nothing lives for ever.
    NotThere,
}

impl From<bool> for OptionValue {
    fn from(is_on: bool) -> Self {
        Self::Switch(is_on)
    }
}

impl From<u32> for OptionValue {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<&str> for OptionValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// What tests of a system compare.
#[cfg(test)]
pub(super) mod checks {
    use crate::settings::settler::{Remark, Setting};
    use crate::settings::{OptionValue, System};

    fn lines(settings: &[Setting]) -> Vec<String> {
        let line = |Setting { key, value, from }: &Setting| {
            let value = match value {
                OptionValue::Switch(is_on) => is_on.to_string(),
                OptionValue::Number(number) => number.to_string(),
                OptionValue::Text(text) => text.clone(),
            };
            format!("{key} = {value}{}", from.map(|from| format!(" from {from}")).unwrap_or_default())
        };
        settings.iter().map(line).collect()
    }

    /// The settings of clients, a line each.
    pub(in crate::settings) fn clients(system: System, given: &[(&str, OptionValue)]) -> Vec<String> {
        lines(&system.settings(given).clients)
    }

    /// The choices of the dialect, a line each.
    pub(in crate::settings) fn dialect(system: System, given: &[(&str, OptionValue)]) -> Vec<String> {
        lines(&system.settings(given).dialect)
    }

    /// The options of which something is lost.
    pub(in crate::settings) fn losses(system: System, given: &[(&str, OptionValue)]) -> Vec<&'static str> {
        let losses = system.settings(given).remarks;
        losses.iter().filter(|remark| remark.is_loss).map(|remark| remark.option).collect()
    }

    /// The options that are refused.
    pub(in crate::settings) fn refused(system: System, given: &[(&str, OptionValue)]) -> Vec<&'static str> {
        system.settings(given).refusals.iter().map(|Remark { option, .. }| *option).collect()
    }
}
