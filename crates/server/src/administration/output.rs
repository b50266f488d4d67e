use std::io::Write;

use anyhow::{Context, Result};
use serde::Serialize;

/// Where answers go: data to standard output, for people or as JSON; words about them to standard error.
#[derive(Clone, Copy)]
pub(super) struct Output {
    pub(super) is_json: bool,
}

impl Output {
    /// What was asked for.
    pub(super) fn answer<T: Serialize>(self, answer: &T, text: impl FnOnce(&T) -> String) -> Result<()> {
        write(&if self.is_json { json(answer)? } else { text(answer) })
    }

    /// What was done, and what that means; the answer itself only as JSON.
    pub(super) fn done<T: Serialize>(self, answer: &T, told: &str) -> Result<()> {
        if self.is_json {
            write(&json(answer)?)?;
        }
        note(told);
        Ok(())
    }
}

/// A word to the person.
pub(super) fn note(told: &str) {
    eprintln!("{told}");
}

pub(super) fn write(text: &str) -> Result<()> {
    let mut output = std::io::stdout().lock();
    output.write_all(text.as_bytes())?;
    Ok(output.flush()?)
}

fn json<T: Serialize>(answer: &T) -> Result<String> {
    Ok(serde_json::to_string_pretty(answer).context("the answer cannot be written as JSON")? + "\n")
}
