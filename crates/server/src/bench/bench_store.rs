use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use regrant_protocol::Secret;
use regrant_store_postgres::{Address, Settings};

use crate::bench::options::{BenchOptions, StoreChoice};
use crate::config::StoreConfig;

/// What the server that is measured keeps its grants in.
#[derive(Clone, Debug)]
pub(super) enum BenchStore {
    /// A file in its data directory.
    Sqlite,
    /// An empty database.
    Postgres {
        /// As the configuration has it.
        url: String,
        password_file: Option<PathBuf>,
    },
}

impl BenchStore {
    /// # Errors
    /// When only half of a database is told.
    pub(super) fn of(options: &BenchOptions) -> Result<Self> {
        match (options.store, options.store_url.clone()) {
            (StoreChoice::Sqlite, None) => Ok(Self::Sqlite),
            (StoreChoice::Postgres, Some(url)) => {
                Ok(Self::Postgres { url, password_file: options.store_password_file.clone() })
            }
            (StoreChoice::Sqlite, Some(_)) => bail!("--store-url is of --store postgres"),
            (StoreChoice::Postgres, None) => {
                bail!("--store postgres needs --store-url with an empty database, in which what is made stays")
            }
        }
    }

    /// As this process opens it.
    ///
    /// # Errors
    /// When password or address are of no use.
    pub(super) fn config(&self) -> Result<StoreConfig> {
        let Self::Postgres { url, password_file } = self else { return Ok(StoreConfig::Sqlite) };
        let password = password_file.as_deref().map(read_password).transpose()?;
        Ok(StoreConfig::Postgres(Box::new(Settings::new(Address::parse(url, password.as_ref())?))))
    }

    /// As the server reads it.
    pub(super) fn to_toml(&self) -> String {
        let Self::Postgres { url, password_file } = self else { return String::new() };
        let password = password_file.as_ref().map(|path| format!("password_file = {:?}\n", path.display().to_string()));
        format!("[store]\nurl = {url:?}\n{}", password.unwrap_or_default())
    }
}

fn read_password(file: &Path) -> Result<Secret> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    Ok(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}
