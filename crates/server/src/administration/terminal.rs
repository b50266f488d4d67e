use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};

use anyhow::{Context, Result};
use regrant_protocol::Secret;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// What the person at the terminal types, which is not shown: one line of at most `bytes_max`.
///
/// # Errors
/// When there is no terminal, or it cannot be read.
pub(super) fn ask_secret(prompt: &str, bytes_max: usize) -> Result<Secret> {
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty").context("there is no terminal")?;
    read(&terminal, prompt, bytes_max).context("the terminal cannot be read")
}

fn read(mut terminal: &File, prompt: &str, bytes_max: usize) -> io::Result<Secret> {
    // Before the prompt: whoever sees it may type at once.
    let silence = Silence::begin(terminal)?;
    terminal.write_all(prompt.as_bytes())?;
    let mut line = Zeroizing::new(String::with_capacity(bytes_max + 1));
    let read = BufReader::new(terminal.take(bytes_max as u64 + 1)).read_line(&mut line);
    drop(silence);
    terminal.write_all(b"\n")?;
    read?;
    Ok(Secret::new(line.strip_suffix('\n').unwrap_or(&line).to_owned()))
}

/// While this lives, the terminal does not show what is typed.
struct Silence<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Silence<'a> {
    fn begin(terminal: &'a File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(terminal, OptionalActions::Now, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        // A terminal that has gone shows nothing any more.
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}
