use std::fmt;

use crate::config::origin::Origin;
use crate::config::toml_text::quoted;

/// What holds where no layer says anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Somebody has to say it; so for example.
    Required(&'static str),
    /// Nothing; the sentences of the key say what that means.
    Absent,
    /// A text.
    Text(&'static str),
    /// A list of texts.
    Texts(&'static [&'static str]),
    /// A number.
    Number(u32),
    /// `true` or `false`.
    Switch(bool),
    /// What `[defaults]` says.
    Inherited,
    /// What the system does that `server.stand_in` names.
    StandIn,
}

/// The value of a key, of the kind that the key asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text or a choice.
    Text(String),
    /// A list of texts or choices.
    Texts(Vec<String>),
    /// A number.
    Number(u32),
    /// `true` or `false`.
    Switch(bool),
    /// A length of time in seconds, which may be negative where another system means something by that.
    Seconds(i64),
    /// A secret: not even its length is kept here.
    Hidden,
}

/// A value that is in force, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The key within its section.
    pub name: String,
    /// The value; paths as they were resolved.
    pub value: Value,
    /// Where it comes from.
    pub origin: Origin,
}

impl Preset {
    pub(super) fn value(self) -> Option<Value> {
        match self {
            Self::Required(_) | Self::Absent | Self::Inherited | Self::StandIn => None,
            Self::Text(text) => Some(Value::Text(text.to_owned())),
            Self::Texts(texts) => Some(Value::Texts(texts.iter().map(|&text| text.to_owned()).collect())),
            Self::Number(number) => Some(Value::Number(number)),
            Self::Switch(is_on) => Some(Value::Switch(is_on)),
        }
    }
}

impl Value {
    /// The text, of a value that is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The texts, of a value that is a list.
    #[must_use]
    pub fn as_texts(&self) -> Option<&[String]> {
        if let Self::Texts(texts) = self { Some(texts) } else { None }
    }

    /// The number, of a value that is one.
    #[must_use]
    pub fn as_number(&self) -> Option<u32> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    /// Whether it is `true`, of a value that is that or `false`.
    #[must_use]
    pub fn as_switch(&self) -> Option<bool> {
        if let Self::Switch(is_on) = self { Some(*is_on) } else { None }
    }
}

/// The value as TOML.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::Texts(texts) => {
                let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
                write!(f, "[{}]", texts.join(", "))
            }
            Self::Number(number) => write!(f, "{number}"),
            Self::Switch(is_on) => write!(f, "{is_on}"),
            Self::Seconds(seconds) => write!(f, "{seconds}"),
            Self::Hidden => f.write_str("(not shown)"),
        }
    }
}
