//! Files in which a system keeps its options, read without running anything.

mod component;
mod deployment;
mod identity;
mod json;
mod owner;
mod php;

use owner::owner;

use crate::settings::{OptionValue, System, SystemOption};

/// What a file of a system says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OptionFile {
    /// Options that are known, each once.
    pub options: Vec<FoundOption>,
    /// What else is said there, in the file's order.
    pub others: Vec<Other>,
    /// Choices of the dialect that follow from how the file is written.
    pub dialect: Vec<FoundChoice>,
    /// What cannot be read, in the file's order: nothing is to be made of a file that has any.
    pub faults: Vec<OptionFault>,
}

/// An option that a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundOption {
    /// Its [`SystemOption::name`].
    pub name: &'static str,
    /// What it says.
    pub value: OptionValue,
    /// Where it stands, from 1.
    pub line: usize,
}

/// Something that is no option which regrant knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// What the file calls it.
    pub name: String,
    /// Where it stands, from 1.
    pub line: usize,
}

/// A choice of the dialect that the system makes without an option for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundChoice {
    /// Its name in the configuration.
    pub key: &'static str,
    /// What it is.
    pub value: &'static str,
    /// Where it shows, from 1.
    pub line: usize,
    /// Why, for a person.
    pub why: &'static str,
}

/// Why something in a file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {told}")]
pub struct OptionFault {
    /// Where, from 1.
    pub line: usize,
    /// What is wrong there, and what to do.
    pub told: String,
}

impl OptionFile {
    /// Reads what `system` keeps its options in: identity.xml or deployment.toml of WSO2; redCORE's options as JSON, or its
    /// config.xml; the options of bshaffer's `Server` as JSON, or as an array of PHP. `None` for a system without such a file.
    #[must_use]
    pub fn read(system: System, text: &str) -> Option<Self> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let begins = text.trim_start();
        let is_xml = begins.starts_with('<') && !begins.starts_with("<?php");
        let is_json = begins.starts_with('{');
        let mut file = Self::default();
        let read = match system {
            System::DotAuth | System::Jiko => return None,
            _ if begins.is_empty() => Err(OptionFault { line: 1, told: "the file is empty".to_owned() }),
            System::Wso2 if is_xml => identity::read(text, &mut file),
            System::Wso2 => deployment::read(text, &mut file),
            System::Redcore if is_xml => component::read(text, &mut file),
            System::Redcore | System::Bshaffer if is_json || system == System::Redcore => {
                json::read(system, text, &mut file)
            }
            System::Redcore | System::Bshaffer => php::read(text, &mut file),
        };
        file.faults.extend(read.err());
        file.doubt(system, text);
        file.options.sort_by_key(|option| option.line);
        file.others.sort_by_key(|other| other.line);
        file.faults.sort_by_key(|fault| fault.line);
        Some(file)
    }

    /// Takes what stands at `line`: an option, if there is one of that name.
    fn add(&mut self, option: Option<&'static SystemOption>, name: &str, value: OptionValue, line: usize) {
        let Some(option) = option else {
            self.others.push(Other { name: name.to_owned(), line });
            return;
        };
        if let Some(first) = self.options.iter().find(|found| found.name == option.name) {
            let told = format!("{name} is said in line {} already; keep one", first.line);
            return self.refuse(line, told);
        }
        match option.kind.read_loosely(value) {
            Ok(value) => self.options.push(FoundOption { name: option.name, value, line }),
            Err(wanted) => self.refuse(line, format!("the value of {name} cannot be read; write {wanted}")),
        }
    }

    fn refuse(&mut self, line: usize, told: String) {
        self.faults.push(OptionFault { line, told });
    }

    /// Refuses a file that says nothing of `system` and looks like another's.
    fn doubt(&mut self, system: System, text: &str) {
        let Some(other) = owner(text).filter(|other| *other != system && self.options.is_empty()) else { return };
        let told =
            format!("these look like the options of {0}, not of {1}; say --from {0}", other.name(), system.name());
        self.faults = vec![OptionFault { line: 1, told }];
    }
}

/// The number of the line of `offset`, from 1.
fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
}
