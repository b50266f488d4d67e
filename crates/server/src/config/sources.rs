use std::collections::BTreeMap;
use std::env;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, value_parser};
use regrant_protocol::Secret;

use crate::config::Config;
use crate::config::environment::{PREFIX, variable};
use crate::config::file::CONFIG_FILE;
use crate::config::key::{Form, Key, Kind};
use crate::config::origin::Origin;
use crate::config::problem::{ConfigErrors, Fault, Problem};
use crate::config::section::{SECTIONS, Section};

/// Where a configuration is read from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file; without it [`CONFIG_FILE`] in the working directory, if that is there.
    pub file: Option<PathBuf>,
    /// The texts of flags, by the flags' names without dashes.
    pub flags: BTreeMap<&'static str, String>,
    /// The environment variables that begin with `REGRANT_`.
    pub environment: BTreeMap<String, Secret>,
}

impl Sources {
    /// Takes the variables of this process.
    ///
    /// # Errors
    /// When one of them is not UTF-8.
    pub fn with_environment(mut self) -> Result<Self, ConfigErrors> {
        let mut problems = Vec::new();
        for (name, value) in env::vars_os() {
            let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
            match value.into_string() {
                Ok(value) => drop(self.environment.insert(name.to_owned(), Secret::new(value))),
                Err(_) => problems.push(Problem {
                    origin: Origin::Environment(name.to_owned()),
                    key: String::new(),
                    fault: Fault::Value("its value is not UTF-8".to_owned()),
                }),
            }
        }
        if problems.is_empty() { Ok(self) } else { Err(ConfigErrors(problems)) }
    }
}

/// `--config FILE`, and a flag for each key that has one.
#[derive(Clone, Debug, Default)]
pub struct ConfigOptions {
    file: Option<PathBuf>,
    flags: BTreeMap<&'static str, String>,
}

impl ConfigOptions {
    /// The same flags, over `file` where one is named.
    #[must_use]
    pub fn over(self, file: Option<PathBuf>) -> Self {
        Self { file: file.or(self.file), ..self }
    }

    /// The configuration of these flags, this process's environment, and the file.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub fn load(&self) -> Result<Config, ConfigErrors> {
        let sources = Sources { file: self.file.clone(), flags: self.flags.clone(), ..Sources::default() };
        Config::load(&sources.with_environment()?)
    }
}

impl Args for ConfigOptions {
    fn augment_args(command: Command) -> Command {
        let help =
            format!("The configuration file; without it {CONFIG_FILE} in the working directory, if there is one");
        let file = Arg::new(FILE).long(FILE).value_name("FILE").value_parser(value_parser!(PathBuf)).help(help);
        keys_with_flags()
            .fold(command.arg(file), |command, (section, key, flag)| command.arg(argument(section, key, flag)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ConfigOptions {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut options = Self::default();
        options.update_from_arg_matches(matches)?;
        Ok(options)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.file = matches.get_one::<PathBuf>(FILE).cloned();
        let given = keys_with_flags().filter_map(|(_, _, flag)| Some((flag, matches.get_one::<String>(flag)?.clone())));
        self.flags = given.collect();
        Ok(())
    }
}

const FILE: &str = "config";

fn keys_with_flags() -> impl Iterator<Item = (&'static Section, &'static Key, &'static str)> {
    let keys = SECTIONS.iter().flat_map(|&section| section.keys.iter().map(move |key| (section, key)));
    keys.filter_map(|(section, key)| Some((section, key, key.flag?)))
}

fn argument(section: &Section, key: &Key, flag: &'static str) -> Arg {
    let (first, _) = key.doc.split_once(". ").unwrap_or((key.doc, ""));
    let help = format!("{} [env: {}]", first.trim_end_matches('.'), variable(section.name, None, key.name));
    let argument = Arg::new(flag).long(flag).help(help.replace('`', "")).value_name(value_name(key.kind));
    match key.kind {
        // The flag alone means yes.
        Kind::Switch => argument.num_args(0..=1).require_equals(true).default_missing_value("true"),
        Kind::Text(_)
        | Kind::Texts(_)
        | Kind::Number { .. }
        | Kind::Choice(_)
        | Kind::Choices(_)
        | Kind::Time(_)
        | Kind::Allowed(_)
        | Kind::Secret => argument,
    }
}

fn value_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Text(Form::Url) => "URL",
        Kind::Text(Form::Address) => "ADDR:PORT",
        Kind::Texts(Form::Address) => "ADDR:PORT,…",
        Kind::Text(Form::Path) => "PATH",
        Kind::Text(_) | Kind::Time(_) | Kind::Secret => "TEXT",
        Kind::Texts(_) => "TEXT,…",
        Kind::Number { .. } => "NUMBER",
        Kind::Switch => "true|false",
        Kind::Choice(_) | Kind::Allowed(_) => "WORD",
        Kind::Choices(_) => "WORD,…",
    }
}
