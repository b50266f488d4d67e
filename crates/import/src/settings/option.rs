use crate::settings::time_text::TimeSpelling;

/// An option of another system, as that system has it.
#[derive(Clone, Copy, Debug)]
pub struct SystemOption {
    /// Its name there.
    pub name: &'static str,
    /// Its other names there.
    pub also: &'static [&'static str],
    /// What its value is.
    pub kind: OptionKind,
    /// What holds there where nobody says anything.
    pub preset: OptionPreset,
    /// What regrant makes of it.
    pub counterpart: Counterpart,
    /// What it means for regrant, or why it means nothing, in sentences.
    pub doc: &'static str,
}

/// What the value of an option is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionKind {
    /// Yes or no.
    Switch,
    /// A length of time, read as seconds.
    Time(TimeSpelling),
    /// A whole number of this.
    Number(&'static str),
    /// A text.
    Text,
    /// A text that is never shown.
    Secret,
}

/// What holds where nobody says anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionPreset {
    /// Nothing.
    Absent,
    /// Yes or no.
    Switch(bool),
    /// A number, or a time in seconds.
    Number(i64),
    /// A text.
    Text(&'static str),
}

/// What regrant makes of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counterpart {
    /// It decides settings of clients or choices of the dialect.
    Settings,
    /// Regrant always does as if this were said; everything else has no counterpart.
    Fixed(OptionPreset),
    /// No client can notice it: it may say anything.
    Needless,
    /// There is none, whatever it says.
    None,
}

/// What an option says, or what a setting is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OptionValue {
    /// Yes or no.
    Switch(bool),
    /// A number, or a time in seconds. What negative times mean is the option's matter.
    Number(i64),
    /// A text; of a secret an empty one.
    Text(String),
}

impl SystemOption {
    pub(super) const fn new(
        name: &'static str,
        kind: OptionKind,
        preset: OptionPreset,
        counterpart: Counterpart,
        doc: &'static str,
    ) -> Self {
        Self { name, also: &[], kind, preset, counterpart, doc }
    }

    pub(super) const fn also(mut self, names: &'static [&'static str]) -> Self {
        self.also = names;
        self
    }
}

impl OptionKind {
    /// The value of this kind that was written as `found`.
    ///
    /// # Errors
    /// What to write instead.
    pub fn read(self, found: OptionValue) -> Result<OptionValue, String> {
        match (self, found) {
            (Self::Switch, value @ OptionValue::Switch(_))
            | (Self::Time(_) | Self::Number(_), value @ OptionValue::Number(_))
            | (Self::Text | Self::Secret, value @ OptionValue::Text(_)) => Ok(value),
            (Self::Time(spelling), OptionValue::Text(text)) => {
                spelling.read(&text).map(OptionValue::Number).map_err(|error| error.to_string())
            }
            (kind, _) => Err(kind.wanted()),
        }
    }

    /// The same for systems that write yes, no and numbers as texts, and yes and no as 1 and 0.
    ///
    /// # Errors
    /// What to write instead.
    pub fn read_loosely(self, found: OptionValue) -> Result<OptionValue, String> {
        let known = match (self, &found) {
            (Self::Switch, OptionValue::Number(0)) => Some(OptionValue::Switch(false)),
            (Self::Switch, OptionValue::Number(1)) => Some(OptionValue::Switch(true)),
            (Self::Switch, OptionValue::Text(text)) => match text.trim() {
                "1" | "true" => Some(OptionValue::Switch(true)),
                "0" | "false" | "" => Some(OptionValue::Switch(false)),
                _ => None,
            },
            (Self::Number(_) | Self::Time(_), OptionValue::Text(text)) => {
                text.trim().parse().ok().map(OptionValue::Number)
            }
            (Self::Text, OptionValue::Number(number)) => Some(OptionValue::Text(number.to_string())),
            (
                Self::Switch | Self::Number(_) | Self::Time(_) | Self::Text | Self::Secret,
                OptionValue::Switch(_) | OptionValue::Number(_) | OptionValue::Text(_),
            ) => None,
        };
        known.map_or_else(|| self.read(found), Ok)
    }

    fn wanted(self) -> String {
        match self {
            Self::Switch => "true or false".to_owned(),
            Self::Time(spelling) => spelling.wanted().to_owned(),
            Self::Number(unit) => format!("a whole number of {unit}"),
            Self::Text | Self::Secret => "a text".to_owned(),
        }
    }
}

impl OptionPreset {
    /// The value that holds.
    #[must_use]
    pub fn value(self) -> Option<OptionValue> {
        match self {
            Self::Absent => None,
            Self::Switch(is_on) => Some(OptionValue::Switch(is_on)),
            Self::Number(number) => Some(OptionValue::Number(number)),
            Self::Text(text) => Some(OptionValue::Text(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_strictly_where_the_file_has_types_and_loosely_where_it_has_none() {
        let text = |text: &str| OptionValue::Text(text.to_owned());
        let (switch, number) = (OptionValue::Switch, OptionValue::Number);
        let seconds = OptionKind::Time(TimeSpelling::Seconds);
        for (kind, found, strictly, loosely) in [
            (OptionKind::Switch, switch(true), Some(switch(true)), Some(switch(true))),
            (OptionKind::Switch, number(1), None, Some(switch(true))),
            (OptionKind::Switch, text("0"), None, Some(switch(false))),
            (OptionKind::Switch, text(""), None, Some(switch(false))),
            (OptionKind::Switch, number(2), None, None),
            (OptionKind::Switch, text("yes"), None, None),
            (seconds, number(3600), Some(number(3600)), Some(number(3600))),
            (seconds, text("3600"), Some(number(3600)), Some(number(3600))),
            (seconds, text("1h"), None, None),
            (seconds, switch(true), None, None),
            (OptionKind::Time(TimeSpelling::Suffixed), text("1h"), Some(number(3600)), Some(number(3600))),
            (OptionKind::Number("uses"), text(" 5 "), None, Some(number(5))),
            (OptionKind::Text, number(5), None, Some(text("5"))),
            (OptionKind::Text, text("Service"), Some(text("Service")), Some(text("Service"))),
        ] {
            assert_eq!(kind.read(found.clone()).ok(), strictly, "{kind:?} {found:?}");
            assert_eq!(kind.read_loosely(found.clone()).ok(), loosely, "{kind:?} {found:?}");
        }
    }
}
