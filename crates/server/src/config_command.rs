//! `regrant config`: check, print, describe and translate the configuration, without starting anything.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::config::{self, Config, ConfigOptions, Sources};

use translate::{TranslateOptions, translate};

mod translate;

/// What to type to begin with.
pub const CONFIG_EXAMPLES: &str = "\
Examples:
  regrant config check /etc/regrant/regrant.toml
  regrant config print --origin
  regrant config translate --from wso2 identity.xml > regrant.toml";

/// What `regrant config` can do.
#[derive(Subcommand, Clone, Debug)]
pub enum ConfigCommand {
    /// Tell everything that is wrong with a configuration file, and start nothing.
    ///
    /// The environment counts as it would for a start. What is wrong goes to standard error, one line each:
    /// file, line, key, and what to do.
    #[command(after_help = "Examples:\n  regrant config check\n  regrant config check /etc/regrant/regrant.toml")]
    Check(CheckOptions),
    /// Show what is in force: flags over environment over file over defaults. Secrets are left out.
    #[command(
        after_help = "Examples:\n  regrant config print --origin\n  regrant config print --config /etc/regrant/regrant.toml"
    )]
    Print(PrintOptions),
    /// Print the JSON Schema of the file.
    #[command(
        after_help = "Examples:\n  regrant config schema > regrant.schema.json\n  regrant config schema --markdown"
    )]
    Schema(SchemaOptions),
    /// Write a regrant.toml that does what a file of another system says.
    ///
    /// It goes to standard output; what has no counterpart, and why, to standard error.
    #[command(
        after_help = "Examples:\n  regrant config translate --from wso2 deployment.toml > regrant.toml\n  regrant config translate --from bshaffer --issuer https://id.example.com options.php > regrant.toml"
    )]
    Translate(TranslateOptions),
}

/// What `regrant config check` can be told.
#[derive(Args, Clone, Debug)]
pub struct CheckOptions {
    /// The file; without it regrant.toml in the working directory, if there is one.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The same, as the other commands take it.
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    config: Option<PathBuf>,
}

/// What `regrant config print` can be told.
#[derive(Args, Clone, Debug)]
pub struct PrintOptions {
    /// Say behind each value where it comes from.
    #[arg(long)]
    origin: bool,
    /// The configuration file, as `--config` names it.
    #[arg(value_name = "FILE", conflicts_with = "config")]
    file: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigOptions,
}

/// What `regrant config schema` can be told.
#[derive(Args, Clone, Debug)]
pub struct SchemaOptions {
    /// Print the reference page instead, in Markdown.
    #[arg(long)]
    markdown: bool,
}

/// Runs `regrant config`.
///
/// # Errors
/// Everything that is wrong with the configuration.
pub fn config(command: ConfigCommand) -> Result<()> {
    match command {
        ConfigCommand::Check(options) => check(options),
        ConfigCommand::Print(options) => {
            let config = options.config.over(options.file).load()?;
            warn(&config);
            write(&config::print(&config, options.origin))
        }
        ConfigCommand::Translate(options) => {
            let translation = translate(&options)?;
            for line in translation.told {
                eprintln!("{line}");
            }
            write(&translation.toml)
        }
        ConfigCommand::Schema(options) => write(&if options.markdown { config::reference() } else { config::schema() }),
    }
}

fn check(options: CheckOptions) -> Result<()> {
    let sources =
        Sources { file: options.file.or(options.config), flags: BTreeMap::new(), environment: BTreeMap::new() };
    let config = Config::load(&sources.with_environment()?)?;
    warn(&config);
    for note in &config.notes {
        eprintln!("note: {note}");
    }
    let clients = match config.clients().len() {
        1 => "1 client".to_owned(),
        count => format!("{count} clients"),
    };
    write(&format!("the configuration is good: {}, {clients}\n", config.server.issuer.as_str()))
}

fn warn(config: &Config) {
    for warning in &config.warnings {
        eprintln!("warning: {warning}");
    }
}

fn write(text: &str) -> Result<()> {
    let mut output = std::io::stdout().lock();
    output.write_all(text.as_bytes())?;
    Ok(output.flush()?)
}
