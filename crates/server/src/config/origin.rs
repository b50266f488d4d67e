use std::fmt;
use std::sync::Arc;

/// Where a value comes from. Later ones win over earlier ones.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// Nobody said anything, and the system does so that `server.stand_in` names.
    StandIn(&'static str),
    /// The configuration file.
    File {
        /// Its name, as it was given.
        file: Arc<str>,
        /// The line, from 1; `None` for the file as a whole.
        line: Option<usize>,
    },
    /// An environment variable of this name.
    Environment(String),
    /// A flag of this name, with its dashes.
    Flag(String),
    /// An option of another system, which means this.
    Option {
        /// The section and the name of the option.
        key: String,
        /// Where it stands.
        at: Box<Origin>,
    },
}

impl Origin {
    /// Where somebody said it, if anybody did.
    pub(super) fn said(&self) -> Option<&Self> {
        match self {
            Self::Default | Self::StandIn(_) => None,
            Self::Option { at, .. } => Some(at),
            Self::File { .. } | Self::Environment(_) | Self::Flag(_) => Some(self),
        }
    }

    /// Whether both are the file, both the environment, or both flags.
    pub(super) fn is_same_layer(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::StandIn(system) => write!(f, "stand-in {system}"),
            Self::Option { key, at } => write!(f, "{key}, {at}"),
            Self::File { file, line: Some(line) } => write!(f, "{file}:{line}"),
            Self::File { file, line: None } => f.write_str(file),
            Self::Environment(name) | Self::Flag(name) => f.write_str(name),
        }
    }
}
