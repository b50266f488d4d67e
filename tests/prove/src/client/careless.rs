//! Storages that break a promise of the token manager, so that the proof has something to find.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use clap::ValueEnum;
use regrant_client::{Credential, FileStorage, Storage, StorageError, StorageLock, Swap, Version};

/// A promise that is broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fault {
    /// Nobody takes turns.
    NoLock,
    /// The marker is not written before a request is sent.
    NoMarker,
    /// Tokens are used before they are on disk.
    WrittenLater,
}

impl Fault {
    /// The word for it in arguments and results.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::NoLock => "no-lock",
            Self::NoMarker => "no-marker",
            Self::WrittenLater => "written-later",
        }
    }
}

/// How long after it was promised something is written.
const LATER: Duration = Duration::from_millis(200);

/// A file that is kept as the fault says.
pub(crate) struct CarelessStorage {
    fault: Fault,
    inner: FileStorage,
    unwritten: Mutex<Option<Unwritten>>,
}

/// A marker that was not written.
#[derive(Clone, Copy, Debug)]
struct Unwritten {
    marker: Version,
    /// What is on disk in its place.
    in_its_place: Option<Version>,
}

impl CarelessStorage {
    /// The file `inner`, with a fault.
    pub(crate) fn new(fault: Fault, inner: FileStorage) -> Self {
        Self { fault, inner, unwritten: Mutex::default() }
    }

    fn unwritten(&self) -> MutexGuard<'_, Option<Unwritten>> {
        self.unwritten.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is on disk where the caller believes to have seen `seen`.
    fn on_disk(&self, seen: Option<Version>) -> Option<Version> {
        match *self.unwritten() {
            Some(unwritten) if seen == Some(unwritten.marker) => unwritten.in_its_place,
            _ => seen,
        }
    }
}

#[async_trait]
impl Storage for CarelessStorage {
    async fn lock(&self, wait: Duration) -> Result<StorageLock, StorageError> {
        if self.fault == Fault::NoLock { Ok(StorageLock::new(())) } else { self.inner.lock(wait).await }
    }

    async fn load(&self) -> Result<Option<Credential>, StorageError> {
        self.inner.load().await
    }

    async fn compare_and_swap(&self, seen: Option<Version>, new: Option<&Credential>) -> Result<Swap, StorageError> {
        let seen = self.on_disk(seen);
        let marker = new.filter(|new| new.pending.is_some());
        match (self.fault, marker, new) {
            (Fault::NoMarker, Some(marker), _) => {
                *self.unwritten() = Some(Unwritten { marker: marker.version(), in_its_place: seen });
                Ok(Swap::Done)
            }
            (Fault::WrittenLater, None, Some(new)) => {
                let (inner, new) = (self.inner.clone(), new.clone());
                tokio::spawn(async move {
                    tokio::time::sleep(LATER).await;
                    inner.compare_and_swap(seen, Some(&new)).await
                });
                Ok(Swap::Done)
            }
            _ => self.inner.compare_and_swap(seen, new).await,
        }
    }
}
