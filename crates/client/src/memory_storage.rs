use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::{Credential, Storage, StorageError, StorageLock, Swap, Version};

/// A credential that lives as long as the process. Clones share it.
///
/// ```
/// use regrant_client::{MemoryStorage, Storage};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let storage = MemoryStorage::default();
/// assert!(storage.load().await.unwrap().is_none());
/// # });
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryStorage {
    credential: Arc<Mutex<Option<Credential>>>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[async_trait]
impl Storage for MemoryStorage {
    async fn lock(&self, wait: Duration) -> Result<StorageLock, StorageError> {
        let turn = tokio::time::timeout(wait, Arc::clone(&self.turn).lock_owned()).await;
        turn.map(StorageLock::new).map_err(|_| StorageError::Busy(PathBuf::from("memory")))
    }

    async fn load(&self) -> Result<Option<Credential>, StorageError> {
        Ok(self.credential.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    async fn compare_and_swap(&self, seen: Option<Version>, new: Option<&Credential>) -> Result<Swap, StorageError> {
        let mut kept = self.credential.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.as_ref().map(Credential::version) != seen {
            return Ok(Swap::Changed);
        }
        *kept = new.cloned();
        Ok(Swap::Done)
    }
}
