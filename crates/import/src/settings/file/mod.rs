//! Files in which a system keeps its options, read without running anything.

mod component;
mod deployment;
mod identity;
mod json;
mod php;

use crate::settings::{OptionValue, System, SystemOption};

/// The options that a file of a system says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OptionFile {
    /// Options that are known, each once.
    pub options: Vec<FoundOption>,
    /// What else is said there, in the file's order.
    pub others: Vec<Other>,
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

/// Why a file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {told}")]
pub struct OptionFileError {
    /// Where, from 1.
    pub line: usize,
    /// What is wrong there, and what to do.
    pub told: String,
}

impl OptionFile {
    /// Reads what `system` keeps its options in: identity.xml or deployment.toml of WSO2; redCORE's options as JSON, or its
    /// config.xml; the options of bshaffer's `Server` as JSON, or as an array of PHP. `None` for a system without such a file.
    ///
    /// # Errors
    /// What is wrong with the file, and where.
    pub fn read(system: System, text: &str) -> Result<Option<Self>, OptionFileError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let is_xml = text.trim_start().starts_with('<') && !text.trim_start().starts_with("<?php");
        let is_json = text.trim_start().starts_with('{');
        let read = match system {
            System::Wso2 if is_xml => identity::read(text),
            System::Wso2 => deployment::read(text),
            System::Redcore if is_xml => component::read(text),
            System::Redcore => json::read(system, text),
            System::Bshaffer if is_json => json::read(system, text),
            System::Bshaffer => php::read(text),
            System::DotAuth | System::Jiko => return Ok(None),
        };
        read.map(Some)
    }

    /// Takes what stands at `line`: an option, if there is one of that name.
    fn add(
        &mut self,
        option: Option<&'static SystemOption>,
        name: &str,
        value: OptionValue,
        line: usize,
    ) -> Result<(), OptionFileError> {
        let Some(option) = option else {
            self.others.push(Other { name: name.to_owned(), line });
            return Ok(());
        };
        if let Some(first) = self.options.iter().find(|found| found.name == option.name) {
            let told = format!("{name} is said in line {} already; keep one", first.line);
            return Err(OptionFileError { line, told });
        }
        let value = option.kind.read_loosely(value).map_err(|wanted| {
            let told = format!("the value of {name} cannot be read; write {wanted}");
            OptionFileError { line, told }
        })?;
        self.options.push(FoundOption { name: option.name, value, line });
        Ok(())
    }
}

/// The number of the line of `offset`, from 1.
fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
}
