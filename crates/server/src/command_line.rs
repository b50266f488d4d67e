//! The command line of the program, and what is made from it: completions and man pages.

use std::fs;
use std::io;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::{Shell, generate};

use crate::administration::{
    self, BackupOptions, ClientOptions, DoctorOptions, ExplainOptions, GrantOptions, ImportOptions, KeyOptions,
    MigrateStoreOptions, RestoreOptions, StoreOptions, TrustClockOptions, UserOptions,
};
use crate::bench::{BenchOptions, bench};
use crate::config_command::{CONFIG_EXAMPLES, ConfigCommand, config};
use crate::dev::{DevOptions, dev};
use crate::log;
use crate::man_pages::write_man_pages;
use crate::serve_command::{ServeOptions, serve_command};

/// An OAuth authorization server built around the refresh token.
#[derive(Parser)]
#[command(name = "regrant", version, arg_required_else_help = true)]
pub struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start on this machine with demo clients and a demo user, and show a short tour.
    Dev(DevOptions),
    /// Serve as regrant.toml says, until SIGTERM. SIGHUP reads it again.
    Serve(ServeOptions),
    /// Check, show, describe or translate the configuration.
    #[command(subcommand, after_help = CONFIG_EXAMPLES)]
    Config(ConfigCommand),
    /// Register, change, disable and remove clients.
    Client(ClientOptions),
    /// Register, change, disable and remove users.
    User(UserOptions),
    /// List and end grants.
    Grant(GrantOptions),
    /// List, rotate and withdraw keys.
    Key(KeyOptions),
    /// Take over clients, users and live tokens from another system's database.
    Import(ImportOptions),
    /// Say why a token or a request is refused: give it on standard input.
    Explain(ExplainOptions),
    /// Copy the database, while the server runs or not.
    Backup(BackupOptions),
    /// Put a backup in the place of the database, so that dead tokens stay dead and revocations stay.
    Restore(RestoreOptions),
    /// Bring the schema of a PostgreSQL database up to date.
    Store(StoreOptions),
    /// Move the store from SQLite to PostgreSQL; every token lives on.
    MigrateStore(MigrateStoreOptions),
    /// Look for whatever is wrong or will be, and say what to do.
    Doctor(DoctorOptions),
    /// Say that the clock is right, where the sweep has stopped because it does not believe it.
    TrustClock(TrustClockOptions),
    /// Measure how fast this server is on this machine, or another server.
    Bench(BenchOptions),
    /// Print the completions of a shell.
    #[command(
        after_help = "Examples:\n  regrant completions bash > ~/.local/share/bash-completion/completions/regrant"
    )]
    Completions(CompletionsOptions),
    /// Write the man pages of all commands into a directory.
    #[command(after_help = "Examples:\n  regrant man /usr/local/share/man/man1")]
    Man(ManOptions),
}

#[derive(Args)]
struct CompletionsOptions {
    shell: Shell,
}

#[derive(Args)]
struct ManOptions {
    /// The directory, which has to be there.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

impl CommandLine {
    /// Runs the command that was typed.
    ///
    /// # Errors
    /// What went wrong, for the person who typed it.
    pub fn run(self) -> Result<()> {
        match self.command {
            Command::Dev(options) => {
                let _log = log::to_standard_error()?;
                dev(options)
            }
            Command::Serve(options) => serve_command(options),
            Command::Config(command) => config(command),
            Command::Client(options) => administration::client(options),
            Command::User(options) => administration::user(options),
            Command::Grant(options) => administration::grant(options),
            Command::Key(options) => administration::key(options),
            Command::Import(options) => administration::import(options),
            Command::Explain(options) => administration::explain(options),
            Command::Backup(options) => administration::backup(options),
            Command::Restore(options) => administration::restore(options),
            Command::Store(options) => administration::store(options),
            Command::MigrateStore(options) => administration::migrate_store(options),
            Command::Doctor(options) => administration::doctor(options),
            Command::TrustClock(options) => administration::trust_clock(options),
            Command::Bench(options) => bench(options),
            Command::Completions(options) => {
                generate(options.shell, &mut Self::command(), "regrant", &mut io::stdout());
                Ok(())
            }
            Command::Man(options) => man(options),
        }
    }
}

fn man(options: ManOptions) -> Result<()> {
    let directory = options.directory;
    let metadata = fs::metadata(&directory).with_context(|| directory.display().to_string())?;
    anyhow::ensure!(metadata.is_dir(), "{} is not a directory", directory.display());
    write_man_pages(CommandLine::command(), &directory).with_context(|| directory.display().to_string())
}

#[cfg(test)]
mod tests {
    use clap::Command as Described;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn every_command_says_what_it_does_and_shows_examples() {
        fn check(command: &Described, path: &str) {
            let path = format!("{path} {}", command.get_name());
            assert!(command.get_about().is_some(), "{path}");
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.starts_with("Examples:\n") && help.contains(&path), "{path}: {help}");
            for inner in command.get_subcommands() {
                check(inner, &path);
            }
        }
        for command in CommandLine::command().get_subcommands() {
            check(command, "regrant");
        }
    }

    #[test]
    fn no_secret_has_a_flag() {
        fn check(command: &Described) {
            for argument in command.get_arguments() {
                let name = argument.get_id().as_str();
                let is_secret = ["password", "secret", "token"].contains(&name);
                assert!(!is_secret, "{} --{name}", command.get_name());
            }
            command.get_subcommands().for_each(check);
        }
        check(&CommandLine::command());
    }
}
