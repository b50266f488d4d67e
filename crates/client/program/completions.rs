//! What is made from the command line itself: completions and man pages.

use std::path::PathBuf;
use std::{fs, io};

use anyhow::{Context, Result};
use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

/// What `completions` can be told.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  regrant-token completions bash > ~/.local/share/bash-completion/completions/regrant-token"
)]
pub(crate) struct CompletionsOptions {
    shell: Shell,
}

/// What `man` can be told.
#[derive(Args)]
#[command(after_help = "Examples:\n  regrant-token man /usr/local/share/man/man1")]
pub(crate) struct ManOptions {
    /// The directory; it is made where it is not there.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

pub(crate) fn completions<C: CommandFactory>(options: CompletionsOptions) -> Result<()> {
    generate(options.shell, &mut C::command(), "regrant-token", &mut io::stdout());
    Ok(())
}

/// # Errors
/// When a page cannot be written.
pub(crate) fn man<C: CommandFactory>(options: ManOptions) -> Result<()> {
    let command = C::command().disable_help_subcommand(true);
    let written =
        fs::create_dir_all(&options.directory).and_then(|()| clap_mangen::generate_to(command, &options.directory));
    written.with_context(|| options.directory.display().to_string())
}
