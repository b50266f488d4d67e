use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::config::file::ConfigFile;
use crate::config::origin::Origin;
use crate::config::problem::{Fault, Problem};
use crate::config::section::{SECTIONS, Section, Shape};
use crate::config::syntax::SyntaxErrors;
use crate::config::unknown::{key_without_section, unknown_section};

/// The configuration file as a tree, as far as it is TOML.
pub(super) struct Document<'a> {
    pub(super) file: &'a ConfigFile,
    root: DeTable<'a>,
}

impl<'a> Document<'a> {
    pub(super) fn parse(file: &'a ConfigFile) -> (Self, SyntaxErrors) {
        let (root, errors) = DeTable::parse_recoverable(&file.text);
        let document = Self { file, root: root.into_inner() };
        let syntax = SyntaxErrors::explain(&document, errors);
        (document, syntax)
    }

    /// The table of a section that comes once, and where it begins.
    pub(super) fn table(&self, section: &Section) -> Option<(&DeTable<'a>, Origin)> {
        self.entries(section).into_iter().next()
    }

    /// Every table of a section, and where each begins.
    pub(super) fn entries(&self, section: &Section) -> Vec<(&DeTable<'a>, Origin)> {
        self.tables(section).into_iter().map(|(rows, start)| (rows, self.file.at(start))).collect()
    }

    fn tables(&self, section: &Section) -> Vec<(&DeTable<'a>, usize)> {
        let value = match section.name.split_once('.') {
            Some((above, name)) => self.root.get(above).and_then(|above| above.get_ref().as_table()?.get(name)),
            None => self.root.get(section.name),
        };
        let table = value.and_then(|value| Some((value.get_ref().as_table()?, value.span().start)));
        let entries = value.and_then(|value| value.get_ref().as_array()).into_iter().flat_map(|entries| entries.iter());
        let entries = entries.filter_map(|entry| Some((entry.get_ref().as_table()?, entry.span().start)));
        table.into_iter().chain(entries).collect()
    }

    /// What is in no section, in a section that does not exist, or in one with the wrong brackets.
    pub(super) fn misplaced(&self) -> Vec<Problem> {
        let faults = self.root.iter().filter_map(|(key, value)| {
            let name = key.get_ref().as_ref();
            let section = SECTIONS.iter().find(|section| section.name == name);
            let fault = match (section, shape(value.get_ref())) {
                (Some(section), Some(shape)) => wrong_brackets(section, shape)?,
                (Some(section), None) => {
                    Fault::Brackets(format!("{} on a line of its own, and its keys below", section.header()))
                }
                (None, Some(_)) => unknown_section(name),
                (None, None) => key_without_section(name),
            };
            Some(Problem { origin: self.file.at(key.span().start), key: name.to_owned(), fault })
        });
        faults.collect()
    }

    /// What messages call the key whose value reaches over `offset`, and where that value begins.
    pub(super) fn around(&self, offset: usize) -> Option<(String, usize)> {
        let (label, rows) = self.enclosing(offset)?;
        let is_around = |(key, value): &(&Spanned<DeString<'_>>, &Spanned<DeValue<'_>>)| {
            key.span().start <= offset && offset <= value.span().end
        };
        let (key, value) = rows.iter().find(is_around)?;
        Some((format!("{label}{}", key.get_ref()), value.span().start))
    }

    /// The table that is written at `offset`, and what messages put before the names of its keys.
    pub(super) fn enclosing(&self, offset: usize) -> Option<(String, &DeTable<'a>)> {
        let all = SECTIONS.iter().flat_map(|section| {
            let tables = self.tables(section).into_iter().enumerate();
            tables.map(move |(index, (rows, start))| (section, index, rows, start))
        });
        let before = all.filter(|(.., start)| *start <= offset);
        let (section, index, rows, _) = before.max_by_key(|(.., start)| *start)?;
        let label = match section.shape {
            Shape::Table | Shape::Map => format!("{}.", section.name),
            Shape::List => format!("{}: ", entry_label(section, rows, index)),
        };
        Some((label, rows))
    }
}

/// What messages call an entry of a list: by its first key, which identifies it, or by its place among those of the file, from 0.
pub(super) fn entry_label(section: &Section, rows: &DeTable<'_>, index: usize) -> String {
    let id = section.keys.first().and_then(|key| rows.get(key.name)).and_then(|id| id.get_ref().as_str());
    match id {
        Some(id) => format!("{} {id:?}", section.name),
        None => format!("{} {}", section.name, index + 1),
    }
}

/// The kind of section that a value above all sections is, if it is one.
fn shape(value: &DeValue<'_>) -> Option<Shape> {
    let holds_tables =
        |entries: &toml::de::DeArray<'_>| !entries.is_empty() && entries.iter().all(|entry| entry.get_ref().is_table());
    if value.is_table() {
        Some(Shape::Table)
    } else {
        value.as_array().is_some_and(holds_tables).then_some(Shape::List)
    }
}

/// How to write the header of a section that comes as `written`; `None` where that is right.
fn wrong_brackets(section: &Section, written: Shape) -> Option<Fault> {
    let header = section.header();
    match (section.shape, written) {
        (Shape::List, Shape::Table) => {
            Some(Fault::Brackets(format!("{header}, in two brackets: there may be several")))
        }
        (Shape::Table | Shape::Map, Shape::List) => {
            Some(Fault::Brackets(format!("{header}, in single brackets: there is one")))
        }
        (Shape::List, Shape::List | Shape::Map) | (Shape::Table | Shape::Map, Shape::Table | Shape::Map) => None,
    }
}
