use regrant_http::AllowedValue;
use regrant_import::settings::TimeSpelling;

use crate::config::value::Preset;

/// One key: all that the reader, the JSON Schema and the reference page know about it.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name within its section.
    pub name: &'static str,
    /// What its value has to be.
    pub kind: Kind,
    /// What holds where no layer says anything.
    pub preset: Preset,
    /// What it is for, in sentences.
    pub doc: &'static str,
    /// Whether a running server takes a new value.
    pub reload: Reload,
    /// The flag that sets it, without its dashes.
    pub flag: Option<&'static str>,
    /// What others call it, for a hint.
    pub also: &'static [&'static str],
    /// Other names that mean the same in the file.
    pub aliases: &'static [&'static str],
}

/// What the value of a key has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One text.
    Text(Form),
    /// A list of texts.
    Texts(Form),
    /// A whole number.
    Number {
        /// The smallest.
        min: u32,
        /// The largest.
        max: u32,
        /// What it counts, in the plural.
        unit: &'static str,
    },
    /// `true` or `false`.
    Switch,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Any of these words, in a list.
    Choices(&'static [&'static str]),
    /// A length of time as another system writes it.
    Time(TimeSpelling),
    /// One of these, as a dialect reads it.
    Allowed(&'static [AllowedValue]),
    /// A text that is never shown.
    Secret,
}

/// What a text looks like; the section that it belongs to reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Any text.
    Plain,
    /// An absolute URL or URI.
    Url,
    /// An address and a port to listen on.
    Address,
    /// An address, or an address and the length of its prefix.
    Network,
    /// A file or directory. In the file, a relative one is relative to the directory of that file.
    Path,
    /// `#rrggbb`.
    Colour,
    /// Scope names with a space between.
    Scope,
    /// A day, as in `2027-03-31`.
    Date,
    /// Log levels, as [`LogLevel`](super::LogLevel) reads them.
    LogLevel,
}

/// Whether a running server takes a new value when it is told to read its configuration again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reload {
    /// It does.
    OnSignal,
    /// It says in its log that it has to be started again.
    AtStart,
}

impl Key {
    pub(super) const fn new(name: &'static str, kind: Kind, preset: Preset, doc: &'static str) -> Self {
        Self { name, kind, preset, doc, reload: Reload::OnSignal, flag: None, also: &[], aliases: &[] }
    }

    pub(super) const fn flag(mut self, flag: &'static str) -> Self {
        self.flag = Some(flag);
        self
    }

    /// Only a new start takes a new value.
    pub(super) const fn at_start(mut self) -> Self {
        self.reload = Reload::AtStart;
        self
    }

    pub(super) const fn also(mut self, names: &'static [&'static str]) -> Self {
        self.also = names;
        self
    }

    pub(super) const fn aliases(mut self, names: &'static [&'static str]) -> Self {
        self.aliases = names;
        self
    }

    /// Every name that it has in the file.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    /// The same key in `[[client]]`, where that of `[defaults]` stands in for it.
    pub(super) const fn inherited(mut self) -> Self {
        self.preset = Preset::Inherited;
        self
    }
}

/// The words of a table of choices, in order.
pub(super) const fn words<T, const N: usize>(choices: &[(&'static str, T); N]) -> [&'static str; N] {
    let mut words = [""; N];
    let mut index = 0;
    while index < N {
        words[index] = choices[index].0;
        index += 1;
    }
    words
}
