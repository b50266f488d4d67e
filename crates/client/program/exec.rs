use std::ffi::OsString;
use std::io;
use std::process::Command;

use anyhow::{Result, ensure};
use clap::Args;

use crate::client_authentication::SECRET_VARIABLES;
use crate::common_options::CommonOptions;
use crate::problem::Problem;
use crate::session::Session;
use crate::target_options::TargetOptions;

/// What `exec` can be told.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ExecOptions {
    /// The variable that the command finds the token in.
    #[arg(long, value_name = "NAME", default_value = "ACCESS_TOKEN")]
    variable: String,
    #[command(flatten)]
    target: TargetOptions,
    /// The command, and its arguments.
    #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

const EXAMPLES: &str = "\
Examples:
  regrant-token exec -- ./nightly-report
  regrant-token exec --name work --variable GITLAB_TOKEN -- glab issue list

The command takes the place of this program: its exit code is the exit code, and signals are its own. The token is not renewed
while it runs. A command that cannot be run has exit code 126, one that is not there 127.";

/// The command, with the token in its environment and nowhere else.
///
/// # Errors
/// When there is no token.
pub(crate) async fn prepare(common: &CommonOptions, options: ExecOptions) -> Result<Command> {
    let is_name = !options.variable.is_empty() && !options.variable.contains(['=', '\0']);
    ensure!(is_name, "--variable {:?} is no name of a variable", options.variable);
    let granted = Session::open(common)?.for_target(options.target.target()?).token().await?;
    let (program, arguments) = options.command.split_first().expect("clap asks for one");
    let mut command = Command::new(program);
    command.args(arguments).env(&options.variable, granted.token.expose());
    for secret in SECRET_VARIABLES {
        if secret != options.variable {
            command.env_remove(secret);
        }
    }
    Ok(command)
}

/// Runs the command instead of this program.
///
/// # Errors
/// When it cannot be run; it does not return otherwise.
#[cfg(unix)]
pub(crate) fn run(mut command: Command) -> Result<()> {
    let error = std::os::unix::process::CommandExt::exec(&mut command);
    Err(not_run(&command, error).into())
}

/// Runs the command, and ends with its exit code.
///
/// # Errors
/// When it cannot be run.
#[cfg(not(unix))]
pub(crate) fn run(mut command: Command) -> Result<()> {
    let status = command.status().map_err(|error| not_run(&command, error))?;
    std::process::exit(status.code().unwrap_or(1))
}

fn not_run(command: &Command, cause: io::Error) -> Problem {
    let command = command.get_program().to_string_lossy().into_owned();
    if cause.kind() == io::ErrorKind::NotFound {
        Problem::CommandNotFound(command)
    } else {
        Problem::CommandNotRun { command, cause }
    }
}
