use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use regrant_data_directory::{DataDirectory, DataDirectoryError, OutsideFiles, StoreKind};
use regrant_protocol::Secret;
use regrant_store_postgres::Address;

use crate::config::{CONFIG_FILE, Config, Sources, StoreConfig};
use crate::log;

/// What every command of administration can be told.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct CommonOptions {
    /// The data directory of the server; without it that of the configuration, else regrant-data.
    #[arg(long, value_name = "DIR", global = true)]
    data: Option<PathBuf>,
    /// The configuration of the server; without it and without --data, regrant.toml in the working directory, if there
    /// is one.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Print the answer as JSON, in the words of the admin API.
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Never ask on the terminal: what is not said is missing.
    #[arg(long, global = true)]
    pub(super) no_input: bool,
}

/// Where a server keeps its data, and what it is told, as far as that is known.
pub(super) struct Place {
    pub(super) data: PathBuf,
    pub(super) config: Option<Config>,
}

impl Place {
    /// Where the files outside the database are; `None` where nobody says so.
    pub(super) fn outside(&self) -> Option<&OutsideFiles> {
        self.config.as_ref().map(|config| &config.outside)
    }

    /// What keeps everything.
    pub(super) fn store(&self) -> &StoreConfig {
        self.config.as_ref().map_or(&StoreConfig::Sqlite, |config| &config.store)
    }

    /// Whether a server has been here.
    ///
    /// # Errors
    /// When this user may not look.
    pub(super) fn is_made(&self) -> Result<bool, DataDirectoryError> {
        match self.store() {
            StoreConfig::Sqlite => DataDirectory::is_made(&self.data),
            StoreConfig::Postgres(_) => DataDirectory::has_keys(&self.data),
        }
    }

    /// Whether it is said where the store is, or seen: a directory that says that its store is elsewhere, or says nothing and has
    /// keys and no database, is that of a server whose store is in the configuration.
    ///
    /// # Errors
    /// When this user may not look.
    pub(super) fn is_store_known(&self) -> Result<bool, DataDirectoryError> {
        if self.config.is_some() {
            return Ok(true);
        }
        Ok(match DataDirectory::known_store(&self.data)? {
            Some(known) => known.kind == StoreKind::Sqlite,
            None => self.is_made()? || !DataDirectory::has_keys(&self.data)?,
        })
    }

    /// Refuses to open a store of which nobody says where it is.
    ///
    /// # Errors
    /// When that is so, or this user may not look.
    pub(super) fn require_known_store(&self) -> Result<()> {
        if self.is_store_known()? {
            return Ok(());
        }
        bail!(
            "no server runs in {}, and its database is elsewhere; name the configuration that says where with --config FILE",
            self.data.display()
        )
    }

    /// Begins the audit trail of a command that no server answers: in the file that the configuration names, else on standard error.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub(super) fn begin_trail(&self) -> Result<()> {
        match self.config.as_ref().and_then(|config| config.log.audit.as_deref()) {
            Some(audit) => log::trail_to_file(audit),
            None => {
                log::trail_to_standard_error();
                Ok(())
            }
        }
    }
}

impl CommonOptions {
    /// The place, as `serve` finds it, whether there is something or not.
    ///
    /// # Errors
    /// When there is a configuration, and it is wrong.
    pub(super) fn look(&self) -> Result<Place> {
        self.look_by(|_| {})
    }

    /// The place of a server, and the PostgreSQL at `url`, reached as its configuration and the environment say; the configuration
    /// may be that of the server on SQLite, or that of the server to come.
    ///
    /// # Errors
    /// When there is a configuration, and it is wrong.
    pub(super) fn look_with_postgres(&self, url: &str) -> Result<(Place, Address)> {
        let name = |environment: &mut Environment| environment.extend(StoreConfig::variables_of(url));
        // With SQLite nobody has a word for how a database is reached.
        let of_postgres = StoreConfig::variables_of_postgres();
        let place = self.look_by(|environment| environment.retain(|variable, _| !of_postgres.contains(variable)))?;
        let store = match place.store() {
            StoreConfig::Postgres(_) => self.look_by(name)?.store().clone(),
            StoreConfig::Sqlite => {
                let mut sources = Sources::default().with_environment()?;
                name(&mut sources.environment);
                StoreConfig::of_environment(&sources)?
            }
        };
        match store {
            StoreConfig::Postgres(settings) => Ok((place, settings.address)),
            StoreConfig::Sqlite => bail!("{url} is no PostgreSQL"),
        }
    }

    /// The place, as the environment says when `adapt` has changed it.
    fn look_by(&self, adapt: impl FnOnce(&mut Environment)) -> Result<Place> {
        let config = self.configuration(adapt)?;
        let configured = config.as_ref().map(|config| config.server.data.clone());
        let data = self.data.clone().or(configured).or_else(|| env::var_os(DATA_VARIABLE).map(PathBuf::from));
        Ok(Place { data: data.unwrap_or_else(|| PathBuf::from(DATA_DIRECTORY)), config })
    }

    /// The place, where a server has been.
    ///
    /// # Errors
    /// When there is a configuration, and it is wrong; when there are no data, or this user may not look.
    pub(super) fn find(&self) -> Result<Place> {
        let place = self.look()?;
        // The server that runs there may know more than was said.
        if place.is_made()? || !place.is_store_known()? {
            return Ok(place);
        }
        let data = place.data.display();
        match place.store() {
            StoreConfig::Sqlite => bail!(
                "there are no data of a server in {data}: name their directory with --data DIR, or the configuration of the \
                 server with --config FILE. A new directory is made when `regrant serve` or `regrant dev` first starts"
            ),
            StoreConfig::Postgres(_) => bail!(
                "there is no key file in {data}: name the directory of a server with --data DIR, or copy its key file there. \
                 The first one is made when `regrant serve` first starts on an empty database"
            ),
        }
    }

    /// The configuration, if there is one.
    fn configuration(&self, adapt: impl FnOnce(&mut Environment)) -> Result<Option<Config>> {
        let is_said = || Path::new(CONFIG_FILE).exists() || env::var_os(ISSUER_VARIABLE).is_some();
        if self.config.is_none() && (self.data.is_some() || !is_said()) {
            return Ok(None);
        }
        let sources = Sources { file: self.config.clone(), ..Sources::default() };
        let loaded = sources.with_environment().and_then(|mut sources| {
            adapt(&mut sources.environment);
            Config::load(&sources)
        });
        loaded.map(Some).context("the data directory is looked for in the configuration; --data DIR names it without")
    }
}

/// The variables of a process.
type Environment = BTreeMap<String, Secret>;

/// Where data are when nobody says anything else.
const DATA_DIRECTORY: &str = "regrant-data";
const DATA_VARIABLE: &str = "REGRANT_SERVER_DATA";
/// Who sets it serves without a file.
const ISSUER_VARIABLE: &str = "REGRANT_SERVER_ISSUER";
