use std::io;
use std::path::{self, PathBuf};

use anyhow::{Result, bail};
use regrant_protocol::Secret;

use crate::bench::options::{BenchOptions, StoreChoice};
use crate::config::{Sources, StoreConfig};

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
    /// When only half of a database is told, or there is no working directory.
    pub(super) fn of(options: &BenchOptions) -> Result<Self> {
        match (options.store, options.store_url.clone()) {
            (StoreChoice::Sqlite, None) => Ok(Self::Sqlite),
            (StoreChoice::Postgres, Some(url)) => {
                Ok(Self::Postgres { url, password_file: Self::absolute(options.store_password_file.clone())? })
            }
            (StoreChoice::Sqlite, Some(_)) => bail!("--store-url is of --store postgres"),
            (StoreChoice::Postgres, None) => {
                bail!("--store postgres needs --store-url with an empty database, in which what is made stays")
            }
        }
    }

    fn absolute(file: Option<PathBuf>) -> io::Result<Option<PathBuf>> {
        file.map(path::absolute).transpose()
    }

    /// As this process opens it.
    ///
    /// # Errors
    /// What a server on it would be told too.
    pub(super) fn config(&self) -> Result<StoreConfig> {
        let Self::Postgres { url, password_file } = self else { return Ok(StoreConfig::Sqlite) };
        let mut sources = Sources::default();
        sources.environment.extend(StoreConfig::variables_of(url));
        let file = password_file.as_ref().map(|path| Secret::new(path.display().to_string()));
        sources.environment.extend(file.map(|file| (StoreConfig::variable_of_password_file(), file)));
        Ok(StoreConfig::of_environment(&sources)?)
    }

    /// As the server reads it, which runs in another directory.
    pub(super) fn to_toml(&self) -> String {
        let Self::Postgres { url, password_file } = self else { return String::new() };
        let password = password_file.as_ref().map(|path| format!("password_file = {:?}\n", path.display().to_string()));
        format!("[store]\nurl = {url:?}\n{}", password.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_password_file_is_named_as_the_server_reads_it_and_read_as_strictly() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("password");
        fs::write(&file, "sesame\n").unwrap();
        let store = |password_file| BenchStore::Postgres { url: "postgres://r@db.example/r".to_owned(), password_file };
        let relative = BenchStore::absolute(Some("password".into())).unwrap();
        assert!(relative.unwrap().is_absolute());
        let mode = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        mode(0o600);
        assert!(matches!(store(Some(file.clone())).config(), Ok(StoreConfig::Postgres(_))));
        assert!(matches!(store(None).config(), Ok(StoreConfig::Postgres(_))));
        fs::write(&file, "x".repeat(1_001)).unwrap();
        let told = store(Some(file.clone())).config().unwrap_err().to_string();
        assert!(told.contains("1 to 1000 bytes"), "{told}");
    }
}
