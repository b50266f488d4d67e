//! Whatever step a process or a disk dies at, the next one goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use regrant_client::{Credential, FileStorage, Storage, StorageError, StorageLock, Swap, Version};

use crate::scene::{Kind, Scene};
use crate::way::Fate;

/// A file whose process dies at its n-th write: nothing is read or written any more.
#[derive(Clone)]
struct Dying {
    inner: FileStorage,
    writes_left: Arc<AtomicU32>,
    /// Whether the write that it dies at is done.
    is_done: bool,
}

impl Dying {
    fn write(&self) -> Option<bool> {
        let left = self.writes_left.load(Ordering::SeqCst);
        if left == 0 {
            return None;
        }
        self.writes_left.store(left - 1, Ordering::SeqCst);
        Some(left > 1)
    }
}

fn died() -> StorageError {
    StorageError::Other("the process died".to_owned())
}

#[async_trait]
impl Storage for Dying {
    async fn lock(&self, wait: Duration) -> Result<StorageLock, StorageError> {
        self.inner.lock(wait).await
    }

    async fn load(&self) -> Result<Option<Credential>, StorageError> {
        if self.writes_left.load(Ordering::SeqCst) == 0 { Err(died()) } else { self.inner.load().await }
    }

    async fn compare_and_swap(&self, seen: Option<Version>, new: Option<&Credential>) -> Result<Swap, StorageError> {
        match self.write() {
            Some(true) => self.inner.compare_and_swap(seen, new).await,
            Some(false) if self.is_done => self.inner.compare_and_swap(seen, new).await.and(Err(died())),
            Some(false) | None => Err(died()),
        }
    }
}

#[tokio::test]
async fn a_process_that_dies_at_any_write_loses_no_session() {
    for kind in [Kind::Public, Kind::Basic] {
        for fates in [&[][..], &[Fate::LostAfter], &[Fate::Truncated, Fate::NotSent, Fate::Page(502)]] {
            for writes in 1..=6 {
                for is_done in [false, true] {
                    let scene = Scene::new(kind).await;
                    let directory = tempfile::tempdir().unwrap();
                    let file = FileStorage::new(directory.path().join("token.json"));
                    scene.logged_in(file.clone()).await;
                    scene.server.clock.advance_seconds(3600);

                    let writes_left = Arc::new(AtomicU32::new(writes));
                    let dying = Dying { inner: file.clone(), writes_left, is_done };
                    scene.way.next(fates);
                    let _ = scene.manager(dying).access_token().await;

                    scene.way.next(&[]);
                    let next = scene.manager(file).access_token().await;
                    let why = format!("{kind:?} {fates:?}, dead at write {writes}, done: {is_done}");
                    assert!(scene.is_good(&next.expect(&why)).await, "{why}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_full_disk_sends_nothing_and_loses_nothing() {
    let scene = Scene::new(Kind::Public).await;
    let directory = tempfile::tempdir().unwrap();
    let file = FileStorage::new(directory.path().join("token.json"));
    scene.logged_in(file.clone()).await;
    scene.server.clock.advance_seconds(3600);
    let kept = file.load().await.unwrap();
    let full = Dying { inner: file.clone(), writes_left: Arc::new(AtomicU32::new(1)), is_done: false };
    assert!(scene.manager(full).access_token().await.is_err());
    assert!(scene.way.take_sent().is_empty());
    assert_eq!(file.load().await.unwrap(), kept);
}

#[tokio::test]
async fn an_answer_that_a_disk_refused_is_written_before_anything_is_asked_again() {
    let scene = Scene::new(Kind::Public).await;
    let directory = tempfile::tempdir().unwrap();
    let file = FileStorage::new(directory.path().join("token.json"));
    scene.logged_in(file.clone()).await;
    scene.server.clock.advance_seconds(3600);
    let writes_left = Arc::new(AtomicU32::new(2));
    let full = Dying { inner: file.clone(), writes_left: Arc::clone(&writes_left), is_done: false };
    let manager = scene.manager(full);
    manager.access_token().await.unwrap_err();
    assert_eq!(scene.way.take_sent().len(), 1);

    writes_left.store(u32::MAX, Ordering::SeqCst);
    let token = manager.access_token().await.unwrap();
    assert!(scene.is_good(&token).await);
    assert!(scene.way.take_sent().is_empty());
    assert_eq!(file.load().await.unwrap().unwrap().access.unwrap().token, token);
}
