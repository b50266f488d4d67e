//! Who comes second never undoes what the first one did.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use regrant_client::{
    Credential, LogInReason, MemoryStorage, RefreshToken, Storage, StorageError, StorageLock, Swap, TokenError, Version,
};

use crate::scene::{Kind, Scene};
use crate::way::Fate;

/// A storage whose lock keeps nobody out, and whose content somebody else changes once, just before a write.
#[derive(Clone, Default)]
struct Lockless {
    inner: MemoryStorage,
    change: Arc<Mutex<Option<Change>>>,
}

/// After how many writes, and what somebody else writes then.
type Change = (u32, Option<Credential>);

impl Lockless {
    /// Somebody else writes `credential` just before the write after so many others.
    fn change_before(&self, writes: u32, credential: Option<Credential>) {
        *self.change.lock().unwrap() = Some((writes, credential));
    }

    /// Somebody else writes `credential` now.
    async fn write(&self, credential: Option<&Credential>) {
        let kept = self.inner.load().await.unwrap().map(|kept| kept.version());
        assert_eq!(self.inner.compare_and_swap(kept, credential).await, Ok(Swap::Done));
    }
}

#[async_trait]
impl Storage for Lockless {
    async fn lock(&self, _: Duration) -> Result<StorageLock, StorageError> {
        Ok(StorageLock::new(()))
    }

    async fn load(&self) -> Result<Option<Credential>, StorageError> {
        self.inner.load().await
    }

    async fn compare_and_swap(&self, seen: Option<Version>, new: Option<&Credential>) -> Result<Swap, StorageError> {
        let change = {
            let mut change = self.change.lock().unwrap();
            match change.take() {
                Some((0, credential)) => Some(credential),
                later => {
                    *change = later.map(|(writes, credential)| (writes - 1, credential));
                    None
                }
            }
        };
        if let Some(credential) = change {
            self.write(credential.as_ref()).await;
        }
        self.inner.compare_and_swap(seen, new).await
    }
}

/// The first write is the marker, the second one what became of it.
const MARKER: u32 = 0;
const OUTCOME: u32 = 1;

/// When the winner writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Winner {
    BeforeTheMarker,
    DuringTheRequest,
    BeforeTheVerdictIsKept,
}

#[tokio::test]
async fn a_loser_never_deletes_the_winners_token() {
    for (when, requests) in
        [(Winner::BeforeTheMarker, 0), (Winner::DuringTheRequest, 1), (Winner::BeforeTheVerdictIsKept, 1)]
    {
        let scene = Scene::new(Kind::Public).await;
        let storage = Lockless::default();
        let manager = scene.logged_in(storage.clone()).await;
        scene.server.clock.advance_seconds(3600);
        let lineage = storage.load().await.unwrap().unwrap().lineage;
        let winner = Credential { lineage, ..scene.credential().await };
        match when {
            Winner::BeforeTheMarker => storage.change_before(MARKER, Some(winner.clone())),
            Winner::BeforeTheVerdictIsKept => storage.change_before(OUTCOME, Some(winner.clone())),
            Winner::DuringTheRequest => {
                let (storage, winner) = (storage.clone(), winner.clone());
                scene.way.meanwhile(async move { storage.write(Some(&winner)).await });
            }
        }
        scene.way.next(&[Fate::Answered(400, r#"{"error":"invalid_grant"}"#)]);
        let token = manager.access_token().await.unwrap();
        assert_eq!(Some(&token), winner.access.as_ref().map(|access| &access.token), "{when:?}");
        assert_eq!(scene.way.take_sent().len(), requests, "{when:?}");
        assert_eq!(storage.load().await.unwrap(), Some(winner), "{when:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_of_one_manager_make_one_exchange_even_where_the_lock_keeps_nobody_out() {
    let scene = Scene::new(Kind::Public).await;
    let manager = scene.logged_in(Lockless::default()).await;
    scene.server.clock.advance_seconds(3600);
    let (arrived, arrives) = tokio::sync::oneshot::channel();
    scene.way.meanwhile(async move { arrives.await.unwrap() });
    let ask = || {
        let manager = manager.clone();
        tokio::spawn(async move { manager.access_token().await })
    };
    let asked: Vec<_> = (0..32).map(|_| ask()).collect();
    while scene.way.sent_count() == 0 {
        tokio::task::yield_now().await;
    }
    let late = ask();
    arrived.send(()).unwrap();
    for task in asked.into_iter().chain([late]) {
        assert!(scene.is_good(&task.await.unwrap().unwrap()).await);
    }
    assert_eq!(scene.way.take_sent().len(), 1);
}

#[tokio::test]
async fn a_login_during_a_refresh_stands() {
    let scene = Scene::new(Kind::Public).await;
    let storage = Lockless::default();
    let manager = scene.logged_in(storage.clone()).await;
    scene.server.clock.advance_seconds(3600);
    let login = scene.credential().await;
    storage.change_before(OUTCOME, Some(login.clone()));
    let token = manager.access_token().await.unwrap();
    assert_eq!(storage.load().await.unwrap(), Some(login));
    assert!(scene.is_good(&token).await);
}

#[tokio::test]
async fn a_logout_during_a_refresh_is_not_undone_and_reaches_the_new_token() {
    let scene = Scene::new(Kind::Public).await;
    let storage = Lockless::default();
    let manager = scene.logged_in(storage.clone()).await;
    let old = storage.load().await.unwrap().unwrap().refresh_token.unwrap();
    scene.server.clock.advance_seconds(3600);
    storage.change_before(OUTCOME, None);
    assert_eq!(manager.access_token().await, Err(TokenError::LogIn(LogInReason::NoCredential)));
    assert_eq!(storage.load().await, Ok(None));
    assert!(scene.server.grant(old.expose()).await.revoked_at.is_some());
}

#[tokio::test]
async fn a_winner_takes_its_place_back_from_a_loser_that_cleared_too_early() {
    let scene = Scene::new(Kind::Public).await;
    let storage = Lockless::default();
    let manager = scene.logged_in(storage.clone()).await;
    scene.server.clock.advance_seconds(3600);
    let kept = storage.load().await.unwrap().unwrap();
    let cleared = Credential { refresh_token: None, refused: Some("invalid_grant".to_owned()), ..kept };
    storage.change_before(OUTCOME, Some(cleared));
    assert!(scene.is_good(&manager.access_token().await.unwrap()).await);
    let kept = storage.load().await.unwrap().unwrap();
    assert!(kept.refresh_token.as_ref().map(RefreshToken::expose).is_some());
    assert_eq!(kept.refused, None);
}
