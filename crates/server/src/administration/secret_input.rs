//! Passwords and secrets, from wherever others cannot see them: never from the command line.

use std::env;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use regrant_crypto::PASSWORD_BYTES_MAX;
use regrant_protocol::Secret;
use zeroize::Zeroizing;

use crate::config::GOOD_SECRET_CHARACTERS_MIN;

use super::output::note;
use super::place::CommonOptions;
use super::terminal::ask_secret;

/// Where a password comes from; without any of it, from REGRANT_PASSWORD, else the person at the terminal is asked.
#[derive(Args, Clone, Debug)]
#[group(multiple = false)]
pub(super) struct PasswordOptions {
    /// Read the password from standard input.
    #[arg(long)]
    password_stdin: bool,
    /// Read the password from this file.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// Where the secret of a client comes from, if somebody has chosen one; else from REGRANT_SECRET, else the server makes one.
#[derive(Args, Clone, Debug)]
#[group(multiple = false)]
pub(super) struct SecretOptions {
    /// Read a secret that was chosen from standard input.
    #[arg(long)]
    secret_stdin: bool,
    /// Read a secret that was chosen from this file.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

impl PasswordOptions {
    /// The password.
    ///
    /// # Errors
    /// When there is none, or two that were typed differ.
    pub(super) fn read(&self, common: &CommonOptions) -> Result<Secret> {
        if let Some(password) = given(self.password_stdin, self.password_file.as_deref(), "REGRANT_PASSWORD")? {
            return Ok(password);
        }
        if common.no_input || !io::stdin().is_terminal() {
            bail!(
                "there is no password, and nobody can be asked here: use --password-stdin, --password-file FILE, or the \
                 variable REGRANT_PASSWORD"
            );
        }
        let password = ask_secret("Password: ", PASSWORD_BYTES_MAX + 1)?;
        if ask_secret("The same again: ", PASSWORD_BYTES_MAX + 1)? != password {
            bail!("the two passwords differ; nothing was changed");
        }
        usable(password)
    }
}

impl SecretOptions {
    /// The secret that was chosen, if one was.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn read(&self) -> Result<Option<Secret>> {
        let secret = given(self.secret_stdin, self.secret_file.as_deref(), "REGRANT_SECRET")?;
        if secret.as_ref().is_some_and(|secret| secret.expose().chars().count() < GOOD_SECRET_CHARACTERS_MIN) {
            note(&format!(
                "the secret has fewer than {GOOD_SECRET_CHARACTERS_MIN} characters and may be guessed; make one with: openssl rand -hex 32"
            ));
        }
        Ok(secret)
    }
}

/// One secret, and nothing else, on standard input.
pub(super) fn on_standard_input(bytes_max: usize) -> Result<Secret> {
    line(io::stdin().lock(), bytes_max).context("standard input")
}

/// What comes from standard input, a file or else a variable; `None` where none of them has it.
///
/// # Errors
/// When it cannot be read.
pub(super) fn given(is_on_standard_input: bool, file: Option<&Path>, variable: &str) -> Result<Option<Secret>> {
    let secret = if is_on_standard_input {
        on_standard_input(PASSWORD_BYTES_MAX)?
    } else if let Some(file) = file {
        let opened = File::open(file).map_err(anyhow::Error::from);
        opened.and_then(|opened| line(opened, PASSWORD_BYTES_MAX)).with_context(|| file.display().to_string())?
    } else {
        match env::var(variable) {
            Ok(secret) => Secret::new(secret),
            Err(env::VarError::NotPresent) => return Ok(None),
            Err(env::VarError::NotUnicode(_)) => bail!("{variable} is not UTF-8"),
        }
    };
    usable(secret).map(Some)
}

fn usable(secret: Secret) -> Result<Secret> {
    if secret.expose().is_empty() || secret.expose().len() > PASSWORD_BYTES_MAX {
        bail!("a password or secret has 1 to {PASSWORD_BYTES_MAX} bytes; nothing was changed");
    }
    Ok(secret)
}

/// A line, and nothing behind it.
fn line(input: impl Read, bytes_max: usize) -> Result<Secret> {
    let mut text = Zeroizing::new(String::with_capacity(bytes_max + LINE_END_BYTES_MAX + 1));
    input.take((bytes_max + LINE_END_BYTES_MAX + 1) as u64).read_to_string(&mut text)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.len() > bytes_max {
        bail!("it is longer than {bytes_max} bytes");
    }
    if line.contains('\n') {
        bail!("it has more than one line; nothing but the secret may be there");
    }
    Ok(Secret::new(line.to_owned()))
}

const LINE_END_BYTES_MAX: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_one_line_with_or_without_its_end() {
        for (text, secret) in [("sesame", "sesame"), ("sesame\n", "sesame"), ("se same \r\n", "se same "), ("", "")] {
            assert_eq!(line(text.as_bytes(), 8).unwrap().expose(), secret, "{text:?}");
        }
        for (text, told) in
            [("one\ntwo\n", "more than one line"), ("123456789", "longer than 8"), ("12345678\n\n\n\n", "longer")]
        {
            assert!(line(text.as_bytes(), 8).unwrap_err().to_string().contains(told), "{text:?}");
        }
        assert!(usable(Secret::new(String::new())).is_err());
    }
}
