use std::fmt;
use std::ops::RangeInclusive;

use regrant_engine::RegistrationError;

use crate::config::origin::Origin;

/// Something in the configuration that is refused, or only pointed out.
#[derive(Debug)]
pub struct Problem {
    /// Where it stands.
    pub origin: Origin,
    /// The section and key, or the client and key; empty for the file as a whole.
    pub key: String,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a key or its value. No sentence holds the value of a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The file is not TOML there.
    #[error("{0}")]
    Syntax(&'static str),
    /// The file is not TOML there, in the words of the TOML library.
    #[error("not TOML: {0}")]
    Toml(String),
    /// There is no such key.
    #[error("there is no such key{0}")]
    UnknownKey(String),
    /// There is no such section.
    #[error("there is no such section{0}")]
    UnknownSection(String),
    /// There is no such environment variable.
    #[error("regrant reads no such variable{0}")]
    UnknownVariable(String),
    /// A variable that could mean several settings.
    #[error("this variable could mean {0}; set them in the file instead")]
    AmbiguousVariable(String),
    /// A section in the wrong brackets.
    #[error("write {0}")]
    Brackets(String),
    /// It has to be said.
    #[error("it is missing; {0}")]
    Missing(String),
    /// It is of another type than its key.
    #[error("it is {found}; write {wanted}")]
    Type {
        /// What it is.
        found: String,
        /// What it should be.
        wanted: String,
    },
    /// A number out of bounds.
    #[error("{found} is not between {min} and {max} {unit}")]
    Range {
        /// What it is.
        found: String,
        /// The smallest.
        min: u32,
        /// The largest.
        max: u32,
        /// What it counts.
        unit: &'static str,
    },
    /// Not one of the words.
    #[error("{found:?} is none of these: {choices}{hint}")]
    Choice {
        /// What it is.
        found: String,
        /// What it may be.
        choices: String,
        /// The nearest of them.
        hint: String,
    },
    /// The value cannot be used; the sentence names it.
    #[error("{0}")]
    Value(String),
    /// A file cannot be read.
    #[error("{path:?} cannot be read: {reason}")]
    Unreadable {
        /// Its name.
        path: String,
        /// Why.
        reason: String,
    },
    /// Two settings that cannot both hold.
    #[error("{0}")]
    Contradiction(String),
    /// The settings of a client break a rule.
    #[error(transparent)]
    Registration(#[from] RegistrationError),
}

impl Fault {
    /// What the reader of a value says about it, as a whole sentence that names the value.
    pub(super) fn value(told: impl fmt::Display) -> Self {
        Self::Value(told.to_string())
    }
}

impl Problem {
    /// Whether it stands on one of `lines` of the file.
    pub(super) fn is_within(&self, lines: &RangeInclusive<usize>) -> bool {
        matches!(&self.origin, Origin::File { line: Some(line), .. } if lines.contains(line))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.origin != Origin::Default {
            write!(f, "{}: ", self.origin)?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "{}", self.fault)
    }
}

/// Everything that is wrong with a configuration, in the order of its lines: never empty.
#[derive(Debug)]
pub struct ConfigErrors(pub(super) Vec<Problem>);

impl ConfigErrors {
    /// The problems, by line; then those of the environment, then those of flags.
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => write!(f, "1 error in the configuration")?,
            count => write!(f, "{count} errors in the configuration")?,
        }
        self.0.iter().try_for_each(|problem| write!(f, "\n{problem}"))
    }
}

impl std::error::Error for ConfigErrors {}
