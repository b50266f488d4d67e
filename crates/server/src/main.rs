//! The program `regrant`: reads its arguments, runs a command, and says what went wrong.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use regrant_server::config_command::{ConfigCommand, config};
use regrant_server::dev::{DevOptions, dev};
use regrant_server::log;
use regrant_server::serve_command::{ServeOptions, serve_command};

/// An OAuth authorization server built around the refresh token.
#[derive(Parser)]
#[command(name = "regrant", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start on this machine with demo clients and a demo user, and show a short tour.
    Dev(DevOptions),
    /// Serve as regrant.toml says, until SIGTERM. SIGHUP reads it again.
    Serve(ServeOptions),
    /// Check, show or describe the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Command::Dev(options) => {
            log::to_standard_error();
            dev(options)
        }
        Command::Serve(options) => serve_command(options),
        Command::Config(command) => config(command),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("regrant: {error:#}");
            ExitCode::FAILURE
        }
    }
}
