use std::path::{Path, PathBuf};

use toml::de::DeTable;

use crate::config::environment::variable;
use crate::config::file::CONFIG_FILE;
use crate::config::key::Key;
use crate::config::layers::{Given, Layers, TableLayers};
use crate::config::origin::Origin;
use crate::config::problem::{Fault, Problem};
use crate::config::section::Section;
use crate::config::unknown::{meant_key, unknown_key};
use crate::config::value::{Preset, Setting, Value};

/// Reads the keys of one table through all layers, and notes what is wrong and what came from where.
///
/// Every method tells what is wrong by itself: who gets [`Reported`] goes on with the next key.
pub(super) struct TableReader<'a> {
    table: TableLayers<'a>,
    /// Where the table begins, or that there is none.
    begins: Origin,
    settings: Vec<Setting>,
    /// Where the entries of lists stand: key, entry, place.
    entries: Vec<(&'static str, String, Origin)>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

/// What came of a table.
pub(super) struct Finished {
    /// What holds.
    pub(super) settings: Vec<Setting>,
    /// What is refused.
    pub(super) problems: Vec<Problem>,
    /// What is only pointed out.
    pub(super) warnings: Vec<Problem>,
}

/// It cannot be used, and the operator will be told why.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reported;

/// What a key has that names a file, or something else.
pub(super) enum PathOr<T> {
    /// The file.
    Path(PathBuf),
    /// Something else.
    Other(T),
}

impl<'a> TableReader<'a> {
    /// A reader of the one table of `section`.
    pub(super) fn new(
        section: &'static Section,
        layers: &'a Layers<'a>,
        rows: Option<(&'a DeTable<'a>, Origin)>,
    ) -> Self {
        let (rows, begins) = match rows {
            Some((rows, begins)) => (Some(rows), begins),
            None => (None, layers.document.map_or(Origin::Default, |document| document.file.whole())),
        };
        let label = format!("{}.", section.name);
        Self {
            table: TableLayers { section, layers, rows, label, entry: None, inherited: Vec::new() },
            begins,
            settings: Vec::new(),
            entries: Vec::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// A reader of one entry of a list, called `label` in messages, for which the `inherited` settings stand in.
    pub(super) fn entry(mut self, label: &str, inherited: &[Setting]) -> Self {
        self.table.label = format!("{label}: ");
        self.with_inherited(inherited)
    }

    /// The same reader, with settings that stand in where no layer says anything.
    pub(super) fn with_inherited(mut self, inherited: &[Setting]) -> Self {
        self.table.inherited = inherited.to_vec();
        self
    }

    /// Lets `value` stand in for `key`, and nothing else.
    pub(super) fn inherit(&mut self, key: &Key, value: Value) {
        self.table.inherited.retain(|setting| setting.name != key.name);
        self.table.inherited.push(Setting { name: key.name.to_owned(), value, origin: Origin::Default });
    }

    /// Lets the environment say something about the entry with this identifier.
    pub(super) fn identify(&mut self, id: &str) {
        self.table.entry = Some(id.to_owned());
    }

    /// What holds in this table, and what is wrong with it: all keys that nobody reads, too.
    pub(super) fn finish(mut self) -> Finished {
        if let (Some(rows), Some(document)) = (self.table.rows, self.table.layers.document) {
            for (key, value) in rows {
                let name = key.get_ref().as_ref();
                if let Some(below) = self.table.section.below(name) {
                    if !value.get_ref().is_table() {
                        let told = format!("{} on a line of its own, and its keys below", below.header());
                        self.refuse(document.file.at(key.span().start), name, Fault::Brackets(told));
                    }
                } else if self.table.section.key(name).is_none() {
                    // One slip is told once.
                    if let Some(meant) = meant_key(self.table.section, name) {
                        let key = format!("{}{}", self.table.label, meant.name);
                        self.problems.retain(|known| known.key != key || !matches!(known.fault, Fault::Missing(_)));
                    }
                    self.refuse(document.file.at(key.span().start), name, unknown_key(self.table.section, name));
                }
            }
        }
        Finished { settings: self.settings, problems: self.problems, warnings: self.warnings }
    }

    /// A text that has to be there, or that has a default.
    pub(super) fn required<T>(&mut self, key: &Key, parse: impl Fn(&str) -> Result<T, Fault>) -> Result<T, Reported> {
        self.optional(key, parse)?.ok_or_else(|| self.refuse_missing(key))
    }

    /// A text that may be absent.
    pub(super) fn optional<T>(
        &mut self,
        key: &Key,
        parse: impl Fn(&str) -> Result<T, Fault>,
    ) -> Result<Option<T>, Reported> {
        let Some(given) = self.find(key)? else { return Ok(None) };
        let parsed = parse(given.value.as_text().expect(KIND));
        self.settle(key, given, parsed.map_err(|fault| vec![(0, fault)])).map(Some)
    }

    /// A list that may be absent. All entries that cannot be used are told.
    pub(super) fn list<T>(
        &mut self,
        key: &Key,
        parse: impl Fn(&str) -> Result<T, Fault>,
    ) -> Result<Option<Vec<T>>, Reported> {
        let Some(given) = self.find(key)? else { return Ok(None) };
        let (mut parsed, mut faults) = (Vec::new(), Vec::new());
        for (index, text) in given.value.as_texts().expect(KIND).iter().enumerate() {
            match parse(text) {
                Ok(entry) => parsed.push(entry),
                Err(fault) => faults.push((index, fault)),
            }
        }
        self.settle(key, given, if faults.is_empty() { Ok(parsed) } else { Err(faults) }).map(Some)
    }

    /// A number that has a default.
    pub(super) fn number(&mut self, key: &Key) -> Result<u32, Reported> {
        self.optional_number(key)?.ok_or_else(|| self.refuse_missing(key))
    }

    /// A number that may be absent.
    pub(super) fn optional_number(&mut self, key: &Key) -> Result<Option<u32>, Reported> {
        let Some(given) = self.find(key)? else { return Ok(None) };
        let number = given.value.as_number().expect(KIND);
        self.settle(key, given, Ok(number)).map(Some)
    }

    /// What a layer says, where one says anything.
    pub(super) fn said(&mut self, key: &Key) -> Result<Option<&Setting>, Reported> {
        let said = self.table.find_said(self.key(key));
        let Some(given) = said.map_err(|misfits| self.refuse_all(key, misfits))? else { return Ok(None) };
        self.settle(key, given, Ok(()))?;
        Ok(self.settings.last())
    }

    /// A word that a dialect knows; `true` and `false` are two such.
    pub(super) fn allowed<T>(&mut self, key: &Key, parse: impl Fn(&str) -> Result<T, Fault>) -> Result<T, Reported> {
        let Some(given) = self.find(key)? else { return Err(self.refuse_missing(key)) };
        let parsed = match given.value.as_text() {
            Some(text) => parse(text),
            None => parse(&given.value.to_string()),
        };
        self.settle(key, given, parsed.map_err(|fault| vec![(0, fault)]))
    }

    /// `true` or `false`.
    pub(super) fn switch(&mut self, key: &Key) -> Result<bool, Reported> {
        let Some(given) = self.find(key)? else { return Err(self.refuse_missing(key)) };
        let is_on = given.value.as_switch().expect(KIND);
        self.settle(key, given, Ok(is_on))
    }

    /// What the word means that is given for `key`, by the table of its words.
    pub(super) fn choice<T: Copy>(&mut self, key: &Key, meanings: &[(&str, T)]) -> Result<T, Reported> {
        self.optional_choice(key, meanings)?.ok_or_else(|| self.refuse_missing(key))
    }

    /// The same for a key that may be absent.
    pub(super) fn optional_choice<T: Copy>(
        &mut self,
        key: &Key,
        meanings: &[(&str, T)],
    ) -> Result<Option<T>, Reported> {
        self.optional(key, |word| Ok(meaning(word, meanings)))
    }

    /// The same for a list of words.
    pub(super) fn choices<T: Copy>(&mut self, key: &Key, meanings: &[(&str, T)]) -> Result<Option<Vec<T>>, Reported> {
        self.list(key, |word| Ok(meaning(word, meanings)))
    }

    /// A file or directory that may be absent, as `inspect` finds it. A relative one in the file is relative to the file's directory.
    pub(super) fn path<T>(
        &mut self,
        key: &Key,
        inspect: impl Fn(&Path) -> Result<T, Fault>,
    ) -> Result<Option<(PathBuf, T)>, Reported> {
        let Some(given) = self.find(key)? else { return Ok(None) };
        self.path_of(key, given, inspect).map(Some)
    }

    /// A file or directory as [`path`](Self::path) finds it; or something else, where `parse` knows the text for that.
    pub(super) fn path_or<T>(
        &mut self,
        key: &Key,
        parse: impl Fn(&str) -> Option<Result<T, Fault>>,
        inspect: impl Fn(&Path) -> Result<(), Fault>,
    ) -> Result<Option<PathOr<T>>, Reported> {
        let Some(given) = self.find(key)? else { return Ok(None) };
        match parse(given.value.as_text().expect(KIND)) {
            Some(parsed) => {
                self.settle(key, given, parsed.map_err(|fault| vec![(0, fault)])).map(PathOr::Other).map(Some)
            }
            None => self.path_of(key, given, inspect).map(|(path, ())| Some(PathOr::Path(path))),
        }
    }

    fn path_of<T>(
        &mut self,
        key: &Key,
        mut given: Given,
        inspect: impl Fn(&Path) -> Result<T, Fault>,
    ) -> Result<(PathBuf, T), Reported> {
        let text = given.value.as_text().expect(KIND);
        if text.is_empty() {
            return Err(self.refuse(given.origin, key.name, Fault::Value("it is empty; write a path".to_owned())));
        }
        let mut path = PathBuf::from(text);
        if let (Origin::File { .. }, Some(document)) = (&given.origin, self.table.layers.document) {
            path = document.file.directory.join(path);
        }
        // It means the same wherever it is printed or used.
        let path = std::path::absolute(&path).unwrap_or(path);
        given.value = Value::Text(path.display().to_string());
        let inspected = inspect(&path).map_err(|fault| vec![(0, fault)]);
        self.settle(key, given, inspected).map(|inspected| (path, inspected))
    }

    /// A secret that may be absent. Nothing of it is kept among the settings.
    pub(super) fn secret<T>(
        &mut self,
        key: &Key,
        parse: impl Fn(&str) -> Result<T, Fault>,
    ) -> Result<Option<T>, Reported> {
        let Some(given) = self.find(key)? else { return Ok(None) };
        let text = self.table.secret_text(key, &given.origin);
        let parsed = parse(text.expect(KIND)).map_err(|fault| vec![(0, fault)]);
        self.settle(key, given, parsed).map(Some)
    }

    /// Where the value of a key that was read comes from; where the table begins if it has none.
    pub(super) fn origin(&self, name: &str) -> Origin {
        let own = self.settings.iter().find(|setting| setting.name == name);
        own.and_then(|setting| setting.origin.said()).unwrap_or(&self.begins).clone()
    }

    /// The option of another system that decides a key that was read, with its section.
    pub(super) fn option_of(&self, name: &str) -> Option<&str> {
        let own = self.settings.iter().find(|setting| setting.name == name)?;
        if let Origin::Option { key, .. } = &own.origin { Some(key) } else { None }
    }

    /// The value of a key that was read and can be used.
    pub(super) fn value(&self, key: &Key) -> Option<&Value> {
        self.settings.iter().find(|setting| setting.name == key.name).map(|setting| &setting.value)
    }

    /// Where the table begins.
    pub(super) fn begins(&self) -> &Origin {
        &self.begins
    }

    /// Where an entry of a list stands that was read.
    pub(super) fn entry_origin(&self, name: &str, entry: &str) -> Origin {
        let found = self.entries.iter().find(|(key, text, _)| *key == name && text == entry);
        found.map_or_else(|| self.origin(name), |(.., origin)| origin.clone())
    }

    /// Takes a value away from what holds: a stronger layer overrules it by another key.
    pub(super) fn overrule(&mut self, key: &Key) {
        self.settings.retain(|setting| setting.name != key.name);
    }

    /// Points out that `key` is better set in another way.
    pub(super) fn warn(&mut self, key: &Key, fault: Fault) {
        let problem =
            Problem { origin: self.origin(key.name), key: format!("{}{}", self.table.label, key.name), fault };
        self.warnings.push(problem);
    }

    /// Tells what is wrong with `name`, at `origin`.
    pub(super) fn refuse(&mut self, origin: Origin, name: &str, fault: Fault) -> Reported {
        self.problems.push(Problem { origin, key: format!("{}{name}", self.table.label), fault });
        Reported
    }

    fn refuse_missing(&mut self, key: &Key) -> Reported {
        let Preset::Required(example) = self.key(key).preset else { unreachable!("{} has a default", key.name) };
        let hint = if self.table.layers.document.is_some() {
            format!("for example {} = {example}", key.name)
        } else {
            let variable = variable(self.table.section.name, self.table.entry.as_deref(), key.name);
            format!("there is no {CONFIG_FILE} here: name the file with --config, or set {variable}")
        };
        self.refuse(self.begins.clone(), key.name, Fault::Missing(hint))
    }

    fn key(&self, key: &Key) -> &'static Key {
        self.table.section.key(key.name).expect("a section reads its own keys")
    }

    /// What the strongest layer gives.
    fn find(&mut self, key: &Key) -> Result<Option<Given>, Reported> {
        self.table.find(self.key(key)).map_err(|misfits| self.refuse_all(key, misfits))
    }

    fn refuse_all(&mut self, key: &Key, misfits: Vec<(Origin, Fault)>) -> Reported {
        for (origin, fault) in misfits {
            self.refuse(origin, key.name, fault);
        }
        Reported
    }

    /// Keeps a value that can be used among the settings, or tells what is wrong with it or with some of its entries.
    fn settle<T>(&mut self, key: &Key, given: Given, parsed: Result<T, Vec<(usize, Fault)>>) -> Result<T, Reported> {
        let Given { value, origin, places } = given;
        match parsed {
            Ok(parsed) => {
                let texts = value.as_texts().unwrap_or_default().iter().zip(places);
                let name = self.key(key).name;
                self.entries.extend(texts.map(|(text, place)| (name, text.clone(), place)));
                self.settings.push(Setting { name: key.name.to_owned(), value, origin });
                Ok(parsed)
            }
            Err(faults) => {
                for (index, fault) in faults {
                    self.refuse(places.get(index).unwrap_or(&origin).clone(), key.name, fault);
                }
                Err(Reported)
            }
        }
    }
}

fn meaning<T: Copy>(word: &str, meanings: &[(&str, T)]) -> T {
    let found = meanings.iter().find(|(known, _)| *known == word);
    found.expect("a key is read by the table of its own words").1
}

const KIND: &str = "a value has the kind of its key";
