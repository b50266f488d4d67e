use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use regrant_grant::Realm;

use crate::error::io_error;
use crate::hex::{from_hex, to_hex};
use crate::replace_file::replace_file;
use crate::{DataDirectory, DataDirectoryError};

/// The name of the file in a data directory that says which store it belongs to.
pub const STORE_FILE: &str = "store";

/// What is longer says nothing of a store.
const STORE_FILE_BYTES_MAX: u64 = 256;

/// Which store a data directory belongs to: another one beside its keys would be a mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownStore {
    /// What keeps it.
    pub kind: StoreKind,
    /// What makes it different from every other.
    pub realm: Realm,
}

/// What keeps a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// The SQLite file in the directory.
    Sqlite,
    /// A database on PostgreSQL.
    Postgres,
}

impl DataDirectory {
    /// The store that this data directory belongs to; `None` where none was opened yet.
    ///
    /// # Errors
    /// When the file that says so cannot be read.
    pub fn known_store(directory: &Path) -> Result<Option<KnownStore>, DataDirectoryError> {
        let path = directory.join(STORE_FILE);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => {
                if error.kind() == io::ErrorKind::PermissionDenied {
                    Self::check_owner(directory)?;
                }
                return Err(io_error(&path, error));
            }
        };
        let mut text = String::new();
        file.take(STORE_FILE_BYTES_MAX).read_to_string(&mut text).map_err(|error| io_error(&path, error))?;
        let known = from_text(&text).ok_or_else(|| DataDirectoryError::StoreFile(path.display().to_string()))?;
        Ok(Some(known))
    }

    /// From now on the directory belongs to this store, whatever it belonged to before.
    ///
    /// # Errors
    /// When that cannot be written down.
    pub fn remember_store(&self, store: KnownStore) -> Result<(), DataDirectoryError> {
        let path = self.path().join(STORE_FILE);
        replace_file(&path, to_text(store).as_bytes()).map_err(|error| io_error(&path, error))
    }

    /// The realm of the store that the directory belongs to, which has to be of this kind. `named` is the store that is about to be
    /// opened, for people.
    pub(crate) fn realm_of_store(&self, kind: StoreKind, named: &str) -> Result<Option<Realm>, DataDirectoryError> {
        match Self::known_store(self.path())? {
            Some(known) if known.kind != kind => Err(DataDirectoryError::StoreOfAnotherKind {
                file: self.store_file(),
                known: known.kind,
                named: named.to_owned(),
                advice: match known.kind {
                    StoreKind::Postgres => {
                        "set store.url in the configuration or REGRANT_STORE_URL, or name the configuration with --config FILE"
                    }
                    StoreKind::Sqlite => "take out store.url, or name another data directory with --data DIR",
                },
            }),
            known => Ok(known.map(|known| known.realm)),
        }
    }

    /// Compares the store at `place` with the one that the directory belongs to.
    pub(crate) fn check_realm(
        &self,
        known: Option<Realm>,
        found: Option<Realm>,
        place: &str,
        advice: &'static str,
    ) -> Result<(), DataDirectoryError> {
        let (file, place) = (self.store_file(), place.to_owned());
        match (known, found) {
            (Some(_), None) => Err(DataDirectoryError::StoreMissing { file, place, advice }),
            (Some(known), Some(found)) if known != found => {
                Err(DataDirectoryError::AnotherStore { file, place, advice })
            }
            _ => Ok(()),
        }
    }

    fn store_file(&self) -> String {
        self.path().join(STORE_FILE).display().to_string()
    }
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "an SQLite file in it",
            Self::Postgres => "on PostgreSQL",
        })
    }
}

fn to_text(KnownStore { kind, realm }: KnownStore) -> String {
    let kind = match kind {
        StoreKind::Sqlite => "sqlite",
        StoreKind::Postgres => "postgres",
    };
    format!("regrant-store 1\nkind {kind}\nrealm {}\n", to_hex(&realm.0))
}

fn from_text(text: &str) -> Option<KnownStore> {
    let rest = text.strip_prefix("regrant-store 1\nkind ")?;
    let (kind, realm) = rest.strip_suffix('\n')?.split_once("\nrealm ")?;
    let kind = match kind {
        "sqlite" => StoreKind::Sqlite,
        "postgres" => StoreKind::Postgres,
        _ => return None,
    };
    Some(KnownStore { kind, realm: Realm(from_hex(realm)?) })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_was_written_down_is_read_and_anything_else_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let directory = DataDirectory::open(&parent.path().join("data")).unwrap();
        let known = || DataDirectory::known_store(directory.path());
        assert_eq!(known().unwrap(), None);
        for kind in [StoreKind::Sqlite, StoreKind::Postgres] {
            let store = KnownStore { kind, realm: Realm([0x5A; 16]) };
            directory.remember_store(store).unwrap();
            assert_eq!(known().unwrap(), Some(store));
        }
        let good = fs::read_to_string(directory.path().join(STORE_FILE)).unwrap();
        for broken in [
            String::new(),
            good[..good.len() - 1].to_owned(),
            good.replace("postgres", "mysql"),
            good.replace(" 1\n", " 2\n"),
            good.replacen("5a", "5", 1),
            format!("{good}realm 00\n"),
            "#".repeat(1000),
        ] {
            fs::write(directory.path().join(STORE_FILE), &broken).unwrap();
            let told = known().unwrap_err().to_string();
            assert!(told.contains("move it away") && !told.contains('\n'), "{broken:?}: {told}");
        }
    }
}
