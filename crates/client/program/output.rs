use std::io::Write as _;

use anyhow::{Context, Result};
use serde::Serialize;
use zeroize::Zeroizing;

/// Where answers go: data to standard output, for people or as JSON; words about them to standard error.
#[derive(Clone, Copy)]
pub(crate) struct Output {
    pub(crate) is_json: bool,
    pub(crate) is_quiet: bool,
}

impl Output {
    /// What was asked for.
    pub(crate) fn answer<T: Serialize>(self, answer: &T, text: impl FnOnce(&T) -> String) -> Result<()> {
        if self.is_json { write_json(answer) } else { write(&Zeroizing::new(text(answer))) }
    }

    /// What was done, and what that means; the answer itself only as JSON.
    pub(crate) fn done<T: Serialize>(self, answer: &T, told: &str) -> Result<()> {
        if self.is_json {
            write_json(answer)?;
        }
        self.note(told);
        Ok(())
    }

    /// A word to the person that nobody can wish not to hear: what they rely on is not so.
    pub(crate) fn warn(self, told: &str) {
        eprintln!("{told}");
    }

    /// A word to the person.
    pub(crate) fn note(self, told: &str) {
        if !self.is_quiet {
            eprintln!("{told}");
        }
    }
}

/// The version of everything that is written as JSON by `--json`: members are added, and never change.
pub(crate) const JSON_VERSION: u8 = 1;

/// `answer` as JSON on standard output.
pub(crate) fn write_json<T: Serialize>(answer: &T) -> Result<()> {
    let json = serde_json::to_string_pretty(answer).context("the answer cannot be written as JSON")?;
    write(&Zeroizing::new(json + "\n"))
}

/// `text` on standard output, all of it.
pub(crate) fn write(text: &str) -> Result<()> {
    let mut output = std::io::stdout().lock();
    output.write_all(text.as_bytes()).and_then(|()| output.flush()).context("standard output")
}
