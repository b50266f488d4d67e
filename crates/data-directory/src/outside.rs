use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use regrant_crypto::{Entropy, random};
use regrant_grant::Realm;
use regrant_protocol::Clock;
use regrant_store::{HighWater, Identity, Outside, OutsideError, Store};
use regrant_store_sqlite::{Genesis, SqliteStore};

use crate::journal::JournalFile;
use crate::key_file::KEY_FILE;
use crate::mark::{MARK_FILE, MarkFile};
use crate::owner_only::closed_to_others;
use crate::restore::STAGED_DATABASE;
use crate::{DataDirectory, DataDirectoryError, KnownStore, StoreKind};

/// Where the files are by which a database that was put back to an earlier day is known, and what ended since is done again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutsideFiles {
    /// The high-water mark; `None` for [`MARK_FILE`] in the data directory.
    pub mark: Option<PathBuf>,
    /// The revocation journal; `None` for none.
    pub journal: Option<PathBuf>,
}

impl OutsideFiles {
    /// The mark of a data directory.
    #[must_use]
    pub fn mark_in(&self, directory: &Path) -> PathBuf {
        self.mark.clone().unwrap_or_else(|| directory.join(MARK_FILE))
    }

    /// What of key file, mark and journal lies in the same file system as the database in `directory`, and is lost and put back
    /// together with it.
    #[must_use]
    pub fn on_the_same_disk(&self, directory: &Path) -> Vec<PathBuf> {
        let device = |path: &Path| path.metadata().or_else(|_| parent(path).metadata()).ok().map(|found| found.dev());
        let of_database = device(directory);
        let files = [Some(directory.join(KEY_FILE)), Some(self.mark_in(directory)), self.journal.clone()];
        files.into_iter().flatten().filter(|path| device(path) == of_database).collect()
    }

    pub(crate) fn open(
        &self,
        directory: &Path,
        identity: &Identity,
        water: &HighWater,
    ) -> Result<Outside, OutsideError> {
        let mark = MarkFile::open(&self.mark_in(directory), identity.realm)?;
        let journal = self.journal.as_deref().map(|path| JournalFile::open(path, identity.realm, water.journalled));
        Ok(Outside {
            mark: Some(Box::new(mark)),
            journal: match journal.transpose()? {
                Some(journal) => Some(Box::new(journal)),
                None => None,
            },
        })
    }
}

/// What to do where a database is not that of its directory.
pub(crate) const PUT_BACK: &str =
    "put the database of this directory back, or a backup of it with `regrant restore BACKUP`";

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

impl DataDirectory {
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
            outside.open(self.path(), identity, water)
        };
        let store = SqliteStore::open_beside(&path, genesis, clock, open)?;
        if known.is_none() {
            self.remember_store(KnownStore { kind: StoreKind::Sqlite, realm: store.identity().realm })?;
        }
        Ok(store)
    }
}
