//! The program `regrant-token`: keeps its user logged in at OAuth servers, and hands out access tokens.

mod aws;
mod browser;
mod client_authentication;
mod command_line;
mod common_options;
mod completions;
mod device;
mod directory;
mod docker;
mod doctor;
mod error_text;
mod exec;
mod exit_code;
mod get;
mod git;
mod header;
mod host;
mod host_name;
mod keeping;
mod kubectl;
mod list;
mod log;
mod login;
mod login_options;
mod logout;
mod output;
mod owned_file;
mod person;
mod problem;
mod profile;
mod profile_name;
mod revoke;
mod session;
mod session_end;
mod state;
mod status;
mod storage;
mod table;
mod target_options;

use std::process::ExitCode;

use clap::Parser;

use crate::command_line::{CommandLine, arguments};
use crate::error_text::error_text;

fn main() -> ExitCode {
    match CommandLine::parse_from(arguments()).run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("regrant-token: {}", error_text(&error));
            ExitCode::from(exit_code::of(&error))
        }
    }
}
