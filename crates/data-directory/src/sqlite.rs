use std::path::{Path, PathBuf};
use std::sync::Arc;

use regrant_crypto::{Entropy, KeyRing};
use regrant_protocol::Clock;
use regrant_store_sqlite::SqliteStore;

use crate::key_file::KEY_FILE;
use crate::{DataDirectory, DataDirectoryError, OutsideFiles, StoreKind};

/// The name of the database in a data directory.
pub const DATABASE: &str = "regrant.db";

/// A data directory with its own database.
impl DataDirectory {
    /// Whether a server has made its store in `path`.
    ///
    /// # Errors
    /// When this user may not look.
    pub fn is_made(path: &Path) -> Result<bool, DataDirectoryError> {
        Self::has_file(path, DATABASE)
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.path().join(DATABASE)
    }

    /// The master keys: from the key file, or new ones where neither key file nor store exists yet.
    ///
    /// # Errors
    /// When the key file is missing beside a store, open to others, or cannot be read; when the directory belongs to a store
    /// elsewhere.
    pub fn key_ring(&self, entropy: &dyn Entropy) -> Result<KeyRing, DataDirectoryError> {
        self.realm_of_store(StoreKind::Sqlite, &self.database().display().to_string())?;
        self.keys(entropy, || match SqliteStore::exists(&self.database())? {
            true => Err(DataDirectoryError::KeyFileMissing {
                key_file: self.path().join(KEY_FILE).display().to_string(),
                directory: self.path().display().to_string(),
            }),
            false => Ok(()),
        })
    }

    /// The store, made where there is none.
    ///
    /// # Errors
    /// When the database cannot be read, is of a newer version, or was put back to an earlier day; when the directory belongs to
    /// another store.
    pub fn store(&self, entropy: &dyn Entropy, clock: Arc<dyn Clock>) -> Result<SqliteStore, DataDirectoryError> {
        self.store_beside(entropy, clock, &OutsideFiles::default())
    }
}
