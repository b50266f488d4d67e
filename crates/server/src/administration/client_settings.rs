use std::collections::BTreeMap;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, value_parser};
use regrant_admin::ClientPatch;
use serde_json::Value;

use crate::config::{Key, Kind, SECTIONS};

use super::underscored::Underscored;

/// A flag for each setting of a client that `[[client]]` has a key for.
#[derive(Clone, Debug, Default)]
pub(super) struct ClientSettings {
    given: BTreeMap<&'static str, Value>,
}

impl ClientSettings {
    /// The settings that were given; those in `unset` as `null`, which means their default.
    pub(super) fn patch(&self, unset: &[String]) -> ClientPatch {
        let nulls = unset.iter().map(|name| (name.as_str(), Value::Null));
        let given = self.given.iter().map(|(&name, value)| (name, value.clone()));
        nulls.chain(given).fold(ClientPatch::default(), |patch, (name, value)| patch.with(name, value))
    }
}

/// The names of the settings, for a flag that takes one.
pub(super) fn setting_names() -> Underscored {
    Underscored::one_of(keys().map(|key| key.name))
}

impl Args for ClientSettings {
    fn augment_args(command: Command) -> Command {
        keys().fold(command, |command, key| command.arg(argument(key)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ClientSettings {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = keys().filter_map(|key| Some((key.name, value(key, matches)?)));
        Ok(Self { given: given.collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The keys of `[[client]]`, but for those that registration has arguments of its own for.
fn keys() -> impl Iterator<Item = &'static Key> {
    let section = SECTIONS.iter().find(|section| section.name == "client");
    let keys = section.map(|section| section.keys).unwrap_or_default();
    keys.iter().filter(|key| !["id", "public", "secret", "secret_file"].contains(&key.name))
}

fn argument(key: &'static Key) -> Arg {
    let flag = key.name.replace('_', "-");
    let argument = Arg::new(key.name).long(flag).help(key.doc.replace('`', "")).help_heading("Settings");
    match key.kind {
        Kind::Text(_) | Kind::Time(_) | Kind::Allowed(_) | Kind::Secret => argument.value_name("TEXT"),
        Kind::Texts(_) => argument.value_name("TEXT").action(ArgAction::Append),
        Kind::Number { min, max, unit } => {
            let range = i64::from(min)..=i64::from(max);
            argument.value_name(unit.to_ascii_uppercase()).value_parser(value_parser!(u32).range(range))
        }
        Kind::Switch => argument
            .value_name("true|false")
            .value_parser(value_parser!(bool))
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true"),
        Kind::Choice(words) => argument.value_name("WORD").value_parser(PossibleValuesParser::new(words)),
        Kind::Choices(words) => argument
            .value_name("WORD,…")
            .value_parser(PossibleValuesParser::new(words))
            .value_delimiter(',')
            .action(ArgAction::Append),
    }
}

fn value(key: &Key, matches: &ArgMatches) -> Option<Value> {
    match key.kind {
        Kind::Text(_) | Kind::Time(_) | Kind::Allowed(_) | Kind::Secret | Kind::Choice(_) => {
            matches.get_one::<String>(key.name).cloned().map(Value::from)
        }
        Kind::Texts(_) | Kind::Choices(_) => {
            matches.get_many::<String>(key.name).map(|texts| texts.cloned().collect::<Vec<_>>().into())
        }
        Kind::Number { .. } => matches.get_one::<u32>(key.name).copied().map(Value::from),
        Kind::Switch => matches.get_one::<bool>(key.name).copied().map(Value::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(arguments: &[&str]) -> Result<Value, clap::Error> {
        let command = ClientSettings::augment_args(Command::new("add").no_binary_name(true));
        let settings = ClientSettings::from_arg_matches(&command.try_get_matches_from(arguments)?)?;
        Ok(serde_json::to_value(settings.patch(&["name".to_owned()])).unwrap())
    }

    #[test]
    fn every_flag_is_written_in_the_words_of_the_api() {
        let written = patch(&[
            "--redirect-uris=https://a.example/x,y",
            "--redirect-uris",
            "https://b.example/",
            "--grant-types=password,refresh_token",
            "--require-pkce",
            "--id-token-on-refresh=false",
            "--retry-window",
            "0",
            "--consent=skip",
            "--scope=openid profile",
        ]);
        let expected = serde_json::json!({
            "name": null,
            "redirect_uris": ["https://a.example/x,y", "https://b.example/"],
            "grant_types": ["password", "refresh_token"],
            "require_pkce": true,
            "id_token_on_refresh": false,
            "retry_window": 0,
            "consent": "skip",
            "scope": "openid profile",
        });
        assert_eq!(written.unwrap(), expected);
    }

    #[test]
    fn what_no_setting_can_be_is_refused_before_anybody_is_asked() {
        for argument in ["--consent=never", "--retry-window=86401", "--code-retry=-1", "--require-pkce=maybe", "--id=x"]
        {
            assert!(patch(&[argument]).is_err(), "{argument}");
        }
    }
}
