use std::fs;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use async_trait::async_trait;
use regrant_client::{Credential, FileStorage, KeyringStorage, Storage, StorageError, StorageLock, Swap, Version};

use crate::directory::Directory;
use crate::profile::StorageKind;
use crate::profile_name::ProfileName;

/// Where the tokens of one profile are kept.
#[derive(Clone)]
pub(crate) struct ProfileStorage {
    inner: Arc<dyn Storage>,
    pub(crate) kind: StorageKind,
    /// In words.
    pub(crate) place: String,
}

impl ProfileStorage {
    /// The place of that kind.
    pub(crate) fn open(directory: &Directory, name: &ProfileName, kind: StorageKind) -> Self {
        match kind {
            StorageKind::File => {
                let path = directory.tokens_path(name, ending(kind));
                let place = path.display().to_string();
                Self { inner: Arc::new(FileStorage::new(path)), kind, place }
            }
            StorageKind::Keyring => {
                let path = directory.tokens_path(name, ending(kind));
                let place = format!("{}, sealed by the keyring", path.display());
                Self { inner: Arc::new(KeyringStorage::new(path, SERVICE)), kind, place }
            }
        }
    }

    /// The kinds of which there are tokens under this name, whatever a profile says.
    pub(crate) fn kinds_kept(directory: &Directory, name: &ProfileName) -> Vec<StorageKind> {
        let is_kept = |kind: &StorageKind| fs::symlink_metadata(directory.tokens_path(name, ending(*kind))).is_ok();
        [StorageKind::File, StorageKind::Keyring].into_iter().filter(is_kept).collect()
    }
}

/// What the name of a file with tokens ends with.
const fn ending(kind: StorageKind) -> &'static str {
    match kind {
        StorageKind::File => "json",
        StorageKind::Keyring => "sealed",
    }
}

/// The best kind that there is here, and why it is not the keyring.
pub(crate) async fn best_kind(directory: &Directory, name: &ProfileName) -> (StorageKind, Option<String>) {
    let path = directory.tokens_path(name, ending(StorageKind::Keyring));
    match KeyringStorage::new(path, SERVICE).check().await {
        Ok(()) => (StorageKind::Keyring, None),
        Err(StorageError::Keyring { cause, .. }) => (StorageKind::File, Some(cause)),
        Err(other) => (StorageKind::File, Some(other.to_string())),
    }
}

/// The program, as keyrings know it.
const SERVICE: &str = "regrant-token";
/// How long one waits for a refresh, a login or a logout that is under way: longer than any of them can take.
pub(crate) const LOCK_WAIT: Duration = Duration::from_secs(90);

#[async_trait]
impl Storage for ProfileStorage {
    async fn lock(&self, wait: Duration) -> Result<StorageLock, StorageError> {
        self.inner.lock(wait).await
    }

    async fn load(&self) -> Result<Option<Credential>, StorageError> {
        self.inner.load().await
    }

    async fn compare_and_swap(&self, seen: Option<Version>, new: Option<&Credential>) -> Result<Swap, StorageError> {
        self.inner.compare_and_swap(seen, new).await
    }
}
