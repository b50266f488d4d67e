use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::{Result, bail};
use clap::Args;

use super::place::CommonOptions;

/// How a command is told that it is meant.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Consent {
    /// Do it without asking.
    #[arg(long, short)]
    yes: bool,
}

impl Consent {
    /// Asks the person at the terminal, unless --yes was said.
    ///
    /// # Errors
    /// When they do not agree, or nobody can be asked.
    pub(super) fn to(self, question: &str, common: &CommonOptions) -> Result<()> {
        if self.yes {
            return Ok(());
        }
        if common.no_input || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            bail!("{question} Nobody can be asked here: say --yes if it is meant");
        }
        let mut errors = io::stderr().lock();
        write!(errors, "{question} [y/N] ")?;
        errors.flush()?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        if !["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str()) {
            bail!("nothing was changed");
        }
        Ok(())
    }
}
