use std::env;

use anyhow::{Context, Result};
use clap::Args;

use crate::output::Output;
use crate::profile_name::ProfileName;

/// What every command can be told.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct CommonOptions {
    /// The profile; without it that of the variable REGRANT_TOKEN_PROFILE, else `default`.
    #[arg(long, value_name = "PROFILE", global = true)]
    name: Option<ProfileName>,
    /// Print the answer as JSON.
    #[arg(long, global = true)]
    json: bool,
    /// Say nothing but the answer and errors.
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Never ask a person anything, and open no browser.
    #[arg(long, global = true)]
    pub(crate) no_input: bool,
}

impl CommonOptions {
    /// The profile that is meant.
    ///
    /// # Errors
    /// When the variable names none that there can be.
    pub(crate) fn profile(&self) -> Result<ProfileName> {
        Ok(self.named_profile()?.unwrap_or_default())
    }

    /// The profile that was named, if one was.
    ///
    /// # Errors
    /// When the variable names none that there can be.
    pub(crate) fn named_profile(&self) -> Result<Option<ProfileName>> {
        if let Some(name) = &self.name {
            return Ok(Some(name.clone()));
        }
        match env::var(PROFILE_VARIABLE) {
            Ok(name) if !name.is_empty() => name.parse().map(Some).context(PROFILE_VARIABLE),
            Err(env::VarError::NotUnicode(_)) => anyhow::bail!("{PROFILE_VARIABLE} is not UTF-8"),
            Ok(_) | Err(env::VarError::NotPresent) => Ok(None),
        }
    }

    pub(crate) const fn output(&self) -> Output {
        Output { is_json: self.json, is_quiet: self.quiet }
    }
}

/// The variable that names the profile where `--name` does not.
const PROFILE_VARIABLE: &str = "REGRANT_TOKEN_PROFILE";
