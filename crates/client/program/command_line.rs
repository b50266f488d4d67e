//! The command line, and what becomes of it.

use std::env;
use std::ffi::OsString;
use std::future::Future;
use std::path::Path;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

use crate::common_options::CommonOptions;
use crate::completions::{CompletionsOptions, ManOptions};
use crate::doctor::DoctorOptions;
use crate::exec::ExecOptions;
use crate::get::GetOptions;
use crate::header::HeaderOptions;
use crate::login_options::LoginOptions;
use crate::{
    aws, completions, docker, doctor, exec, get, git, header, kubectl, list, log, login, logout, revoke, status,
};

/// Keeps you logged in at OAuth servers, and gives your programs access tokens.
#[derive(Parser)]
#[command(name = "regrant-token", version, arg_required_else_help = true, after_help = EXAMPLES)]
pub(crate) struct CommandLine {
    #[command(flatten)]
    common: CommonOptions,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  regrant-token login https://id.example --client-id reports --scope 'read offline_access'
  curl -H @<(regrant-token header) https://api.example/reports
  regrant-token exec -- ./nightly-report

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 nobody has logged in, 4 a person has to log in again, 5 try again later.";

#[derive(Subcommand)]
enum Command {
    /// Log in at a server, and keep the tokens.
    Login(LoginOptions),
    /// Remove the tokens and the profile from this machine, and end the session at the server.
    #[command(after_help = "Examples:\n  regrant-token logout\n  regrant-token logout --name work")]
    Logout,
    /// Say who is logged in where, and until when. Nothing is sent.
    #[command(after_help = "Examples:\n  regrant-token status\n  regrant-token status --json | jq -r .state")]
    Status,
    /// Print an access token that is valid now.
    #[command(visible_alias = "print-access-token")]
    Get(GetOptions),
    /// Run a command with an access token in its environment.
    Exec(ExecOptions),
    /// End the session at the server, and once the server has said so remove the tokens. The profile stays.
    #[command(after_help = "Examples:\n  regrant-token revoke --name work")]
    Revoke,
    /// List the profiles.
    #[command(after_help = "Examples:\n  regrant-token list\n  regrant-token list --json | jq -r '.profiles[].name'")]
    List,
    /// Look whether a server is fit for clients that must not lose a session.
    Doctor(DoctorOptions),
    /// Print an access token as the header line of a request.
    Header(HeaderOptions),
    /// Answer git, as a credential helper.
    Git(git::GitOptions),
    /// Answer kubectl, as a credential plugin.
    #[command(after_help = kubectl::EXAMPLES)]
    Kubectl,
    /// Answer AWS programs, as their `credential_process`: the token is exchanged for keys of a role.
    Aws(aws::AwsOptions),
    /// Answer Docker, as a credential helper.
    Docker(docker::DockerOptions),
    /// Print the completions of a shell.
    Completions(CompletionsOptions),
    /// Write the man pages of all commands into a directory.
    Man(ManOptions),
}

impl CommandLine {
    /// Runs the command that was typed.
    ///
    /// # Errors
    /// What went wrong; [`exit_code::of`](crate::exit_code::of) tells its exit code.
    pub(crate) fn run(self) -> Result<()> {
        log::begin();
        let Self { common, command } = self;
        match command {
            Command::Login(options) => wait_for(login::login(&common, options)),
            Command::Logout => wait_for(logout::logout(&common)),
            Command::Status => wait_for(status::status(&common)),
            Command::Get(options) => wait_for(get::get(&common, options)),
            Command::Exec(options) => {
                // The runtime has ended when the command takes the place of this process.
                let command = wait_for(exec::prepare(&common, options))?;
                exec::run(command)
            }
            Command::Revoke => wait_for(revoke::revoke(&common)),
            Command::List => wait_for(list::list(&common)),
            Command::Doctor(options) => wait_for(doctor::run(&common, options)),
            Command::Header(options) => wait_for(header::header(&common, options)),
            Command::Git(options) => wait_for(git::git(&common, options)),
            Command::Kubectl => wait_for(kubectl::kubectl(&common)),
            Command::Aws(options) => wait_for(aws::aws(&common, options)),
            Command::Docker(options) => wait_for(docker::docker(&common, options)),
            Command::Completions(options) => completions::completions::<Self>(options),
            Command::Man(options) => completions::man::<Self>(options),
        }
    }
}

fn wait_for<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.context("the system gives no thread")?.block_on(work)
}

/// The arguments of this process. One that was started by the name of a helper is asked as that helper: git and Docker look for
/// programs by name, and have no place for an argument before the operation.
pub(crate) fn arguments() -> Vec<OsString> {
    with_helper(env::args_os().collect())
}

fn with_helper(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let name = arguments.first().and_then(|own| Path::new(own).file_stem()?.to_str()).unwrap_or_default();
    let helper = HELPERS.iter().find(|(file, _)| *file == name).map(|(_, command)| *command);
    if let Some(command) = helper {
        arguments.insert(1, command.into());
    }
    arguments
}

/// Names under which the program may be linked, and the commands that they stand for.
const HELPERS: [(&str, &str); 2] =
    [("docker-credential-regrant-token", "docker"), ("git-credential-regrant-token", "git")];

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn the_name_of_a_helper_stands_for_its_command() {
        let cases = [
            ("/usr/bin/docker-credential-regrant-token", vec!["docker", "get"]),
            ("git-credential-regrant-token", vec!["git", "get"]),
            ("/usr/bin/regrant-token", vec!["get"]),
        ];
        for (name, expected) in cases {
            let arguments = with_helper(vec![name.into(), "get".into()]);
            assert_eq!(arguments[1..], expected.into_iter().map(OsString::from).collect::<Vec<_>>(), "{name}");
        }
    }
}
