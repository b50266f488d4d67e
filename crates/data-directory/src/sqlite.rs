use std::path::{Path, PathBuf};
use std::sync::Arc;

use regrant_crypto::{Entropy, KeyRing, random};
use regrant_grant::Realm;
use regrant_protocol::Clock;
use regrant_store::{HighWater, Identity, Outside, OutsideError, Store};
use regrant_store_sqlite::{Genesis, SqliteStore, has_journal};

use crate::journal::JournalFile;
use crate::key_file::KEY_FILE;
use crate::mark::{MARK_FILE, MarkFile};
use crate::move_note::refuse_moved;
use crate::outside::PUT_BACK;
use crate::owner_only::closed_to_others;
use crate::restore::STAGED_DATABASE;
use crate::{DataDirectory, DataDirectoryError, KnownStore, OutsideFiles, StoreKind};

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

    /// The master keys: from the key file, or new ones where neither key file nor store exists yet. A mark in the directory tells of
    /// a store, though its database be gone.
    ///
    /// # Errors
    /// When the key file is missing beside a store, open to others, or cannot be read; when the directory belongs to a store
    /// elsewhere.
    pub fn key_ring(&self, entropy: &dyn Entropy) -> Result<KeyRing, DataDirectoryError> {
        refuse_moved(self.path())?;
        let known = self.realm_of_store(StoreKind::Sqlite, &self.database().display().to_string())?;
        let has_store = || -> Result<bool, DataDirectoryError> {
            Ok(known.is_some() || SqliteStore::exists(&self.database())? || Self::has_file(self.path(), MARK_FILE)?)
        };
        self.keys(entropy, || match has_store()? {
            true => Err(DataDirectoryError::KeyFileMissing {
                key_file: self.path().join(KEY_FILE).display().to_string(),
                directory: self.path().display().to_string(),
            }),
            false => Ok(()),
        })
    }

    /// The store, made where there is none, for whoever does not know where mark and journal are.
    ///
    /// # Errors
    /// As [`DataDirectory::store_beside`], and when the database has a journal, in which nothing would be of what ends now.
    pub fn store(&self, entropy: &dyn Entropy, clock: Arc<dyn Clock>) -> Result<SqliteStore, DataDirectoryError> {
        if SqliteStore::exists(&self.database())? && has_journal(&self.database())? {
            return Err(DataDirectoryError::JournalNotNamed(self.path().display().to_string()));
        }
        self.store_beside(entropy, clock, &OutsideFiles::default())
    }

    /// The store, made where there is none, compared with what is outside it.
    ///
    /// # Errors
    /// When the database cannot be read, is of a newer version, was put back to an earlier day, or is gone though its mark is there;
    /// when the directory belongs to another store.
    pub fn store_beside(
        &self,
        entropy: &dyn Entropy,
        clock: Arc<dyn Clock>,
        outside: &OutsideFiles,
    ) -> Result<SqliteStore, DataDirectoryError> {
        refuse_moved(self.path())?;
        let (path, staged) = (self.database(), self.path().join(STAGED_DATABASE));
        if staged.exists() {
            return Err(DataDirectoryError::RestoreUnfinished(staged.display().to_string()));
        }
        let place = path.display().to_string();
        let known = self.realm_of_store(StoreKind::Sqlite, &place)?;
        if path.exists() {
            closed_to_others(&path, 0o600)?;
        }
        if !SqliteStore::exists(&path)? {
            self.check_realm(known, None, &place, PUT_BACK)?;
            let mark = outside.mark_in(self.path());
            if mark.exists() {
                let (database, mark) = (path.display().to_string(), mark.display().to_string());
                return Err(DataDirectoryError::DatabaseMissing { database, mark });
            }
        }
        let genesis = Genesis { realm: Realm(random(entropy)), epoch_random: random(entropy) };
        let open = |identity: &Identity, water: &HighWater| {
            let is_known = self.check_realm(known, Some(identity.realm), &place, PUT_BACK);
            is_known.map_err(|error| OutsideError(error.to_string()))?;
            open_outside(outside, self.path(), identity, water)
        };
        let store = SqliteStore::open_beside(&path, genesis, clock, open)?;
        if known.is_none() {
            self.remember_store(KnownStore { kind: StoreKind::Sqlite, realm: store.identity().realm })?;
        }
        Ok(store)
    }
}

fn open_outside(
    files: &OutsideFiles,
    directory: &Path,
    identity: &Identity,
    water: &HighWater,
) -> Result<Outside, OutsideError> {
    let mark = MarkFile::open(&files.mark_in(directory), identity.realm)?;
    let journal = files.journal.as_deref().map(|path| JournalFile::open(path, identity.realm, water.journalled));
    Ok(Outside {
        mark: Some(Box::new(mark)),
        journal: match journal.transpose()? {
            Some(journal) => Some(Box::new(journal)),
            None => None,
        },
    })
}
