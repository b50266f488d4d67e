//! The program `regrant`: reads its arguments, runs a command, and says what went wrong.

use std::process::ExitCode;

use clap::Parser;
use regrant_server::command_line::CommandLine;

fn main() -> ExitCode {
    match CommandLine::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("regrant: {error:#}");
            ExitCode::FAILURE
        }
    }
}
