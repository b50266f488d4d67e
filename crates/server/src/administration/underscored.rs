use std::ffi::OsStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Arg, Command, Error};

/// Takes one of several names, written with underscores or, as its flag is, with dashes.
#[derive(Clone, Debug)]
pub(super) struct Underscored(PossibleValuesParser);

impl Underscored {
    pub(super) fn one_of(names: impl IntoIterator<Item = &'static str>) -> Self {
        Self(PossibleValuesParser::new(names))
    }
}

impl TypedValueParser for Underscored {
    type Value = String;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<String, Error> {
        let written = value.to_str().map(|text| text.replace('-', "_"));
        self.0.parse_ref(command, argument, written.as_deref().map_or(value, OsStr::new))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        self.0.possible_values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_be_written_as_its_flag_is() {
        let names = Underscored::one_of(["retry_window", "name"]);
        let parse = |text: &str| names.parse_ref(&Command::new("x"), None, OsStr::new(text)).ok();
        assert_eq!(parse("retry-window"), Some("retry_window".to_owned()));
        assert_eq!(parse("retry_window"), Some("retry_window".to_owned()));
        assert_eq!(parse("retry"), None);
    }
}
