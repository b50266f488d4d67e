use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::file_storage::tests::{credential, too_long};
use crate::{FileStorage, RefreshToken, SealError};
use tempfile::TempDir;

/// A keyring in this process. Clones share it.
#[derive(Clone, Default)]
struct Fake(Arc<Mutex<Ring>>);

#[derive(Default)]
struct Ring {
    keys: HashMap<String, Vec<u8>>,
    mood: Mood,
    asked: u32,
    /// What somebody else does while it is asked next.
    meanwhile: Option<Box<dyn FnOnce() + Send>>,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Mood {
    #[default]
    Open,
    Locked,
    /// As one that shows nothing of what is locked.
    Empty,
    Forgetful,
    Deaf,
}

impl Fake {
    fn ask(&self) -> Result<std::sync::MutexGuard<'_, Ring>, String> {
        let mut ring = self.0.lock().unwrap();
        ring.asked += 1;
        ring.meanwhile.take().into_iter().for_each(|meanwhile| meanwhile());
        match ring.mood {
            Mood::Locked => Err("it is locked".to_owned()),
            Mood::Deaf => {
                drop(ring);
                std::thread::park();
                Err("woken".to_owned())
            }
            Mood::Open | Mood::Empty | Mood::Forgetful => Ok(ring),
        }
    }

    fn be(&self, mood: Mood) {
        self.0.lock().unwrap().mood = mood;
    }

    fn keys(&self) -> usize {
        self.0.lock().unwrap().keys.len()
    }

    fn asked(&self) -> u32 {
        std::mem::take(&mut self.0.lock().unwrap().asked)
    }
}

impl Keyring for Fake {
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
        let ring = self.ask()?;
        let is_shown = ring.mood == Mood::Open;
        Ok(ring.keys.get(name).filter(|_| is_shown).cloned().map(Zeroizing::new))
    }

    fn set(&self, name: &str, secret: &[u8]) -> Result<(), String> {
        let mut ring = self.ask()?;
        if ring.mood != Mood::Forgetful {
            ring.keys.insert(name.to_owned(), secret.to_vec());
        }
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<(), String> {
        self.ask()?.keys.remove(name);
        Ok(())
    }
}

struct Scene {
    directory: TempDir,
    keyring: Fake,
}

impl Scene {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), keyring: Fake::default() }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("regrant/token.sealed")
    }

    /// What another process has.
    fn storage(&self) -> KeyringStorage {
        KeyringStorage::with_keyring(self.path(), Box::new(self.keyring.clone()))
    }

    /// A storage in which a credential is kept.
    async fn kept(&self) -> KeyringStorage {
        let storage = self.storage();
        assert_eq!(storage.compare_and_swap(None, Some(&credential(1))).await, Ok(Swap::Done));
        storage
    }
}

fn version(failures: u32) -> Option<Version> {
    Some(credential(failures).version())
}

#[tokio::test]
async fn a_write_needs_what_it_has_seen_and_every_process_sees_it() {
    let scene = Scene::new();
    let (own, other) = (scene.storage(), scene.storage());
    let (first, second) = (credential(1), credential(2));
    for (seen, new, expected, kept, keys) in [
        (version(1), Some(&first), Swap::Changed, None, 0),
        (None, None, Swap::Done, None, 0),
        (None, Some(&first), Swap::Done, Some(&first), 1),
        (None, Some(&second), Swap::Changed, Some(&first), 1),
        (version(2), None, Swap::Changed, Some(&first), 1),
        (version(1), Some(&second), Swap::Done, Some(&second), 1),
        (version(2), None, Swap::Done, None, 0),
        (None, Some(&second), Swap::Done, Some(&second), 1),
    ] {
        assert_eq!(own.compare_and_swap(seen, new).await, Ok(expected), "{seen:?}");
        assert_eq!(other.load().await.unwrap().as_ref(), kept);
        assert_eq!(scene.keyring.keys(), keys, "a key for what is kept, and for nothing else");
    }
}

#[tokio::test]
async fn what_would_not_be_read_again_is_not_written() {
    let scene = Scene::new();
    let storage = scene.kept().await;
    let (long, bytes) = too_long();
    let error = StorageError::TooLong { path: scene.path(), bytes };
    assert_eq!(storage.compare_and_swap(version(1), Some(&long)).await, Err(error));
    assert_eq!(storage.load().await.unwrap(), Some(credential(1)));
}

#[tokio::test]
async fn the_file_holds_no_secret_and_only_its_key_opens_it() {
    let scene = Scene::new();
    let refresh_token = Some(RefreshToken::new("s3cret".repeat(2_000)));
    let long = Credential { refresh_token, ..credential(1) };
    assert_eq!(scene.storage().compare_and_swap(None, Some(&long)).await, Ok(Swap::Done));
    assert_eq!(scene.storage().load().await.unwrap(), Some(long));
    let text = fs::read_to_string(scene.path()).unwrap();
    assert!(!text.contains("s3cret") && !text.contains("id.example"), "{text}");

    for key in scene.keyring.0.lock().unwrap().keys.values_mut() {
        key[0] ^= 1;
    }
    let cause = SealError::NotAuthentic;
    assert_eq!(scene.storage().load().await, Err(StorageError::Sealed { path: scene.path(), cause }));
}

#[tokio::test]
async fn a_keyring_that_is_locked_empty_or_gone_is_no_logout() {
    for mood in [Mood::Locked, Mood::Empty] {
        let scene = Scene::new();
        let knowing = scene.kept().await;
        scene.keyring.be(mood);
        let before = fs::read(scene.path()).unwrap();
        let storage = scene.storage();
        for (seen, new) in [(version(1), Some(&credential(2))), (version(1), None), (None, Some(&credential(2)))] {
            let error = storage.load().await.unwrap_err();
            assert!(error.is_temporary() && matches!(error, StorageError::Keyring { .. }), "{error}");
            assert_eq!(storage.compare_and_swap(seen, new).await, Err(error));
            assert_eq!(fs::read(scene.path()).unwrap(), before);
        }
        // A process that was running goes on.
        assert_eq!(knowing.compare_and_swap(version(1), Some(&credential(2))).await, Ok(Swap::Done));
        scene.keyring.be(Mood::Open);
        assert_eq!(storage.load().await.unwrap(), Some(credential(2)));
    }
}

#[tokio::test]
async fn nothing_is_sealed_with_a_key_that_the_keyring_does_not_give_back() {
    let scene = Scene::new();
    for (mood, expected) in [(Mood::Forgetful, "does not give back"), (Mood::Locked, "it is locked")] {
        scene.keyring.be(mood);
        for result in [
            scene.storage().compare_and_swap(None, Some(&credential(1))).await.map(drop),
            scene.storage().check().await,
        ] {
            let error = result.unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        assert!(!scene.path().exists());
    }
    scene.keyring.be(Mood::Open);
    scene.storage().check().await.unwrap();
    assert_eq!(scene.keyring.keys(), 0, "looking leaves nothing behind");
}

#[tokio::test]
async fn a_keyring_that_waits_for_a_person_keeps_nobody_waiting_for_ever() {
    let scene = Scene::new();
    scene.kept().await;
    scene.keyring.asked();
    scene.keyring.be(Mood::Deaf);
    let storage = scene.storage();
    tokio::time::pause();
    for _ in 0..3 {
        let error = storage.load().await.unwrap_err();
        assert!(error.to_string().contains("has not answered for a minute"), "{error}");
    }
    // The minutes have passed at once, and the thread of the question may not have begun.
    let asked = std::iter::repeat_with(|| scene.keyring.asked()).find(|&asked| asked > 0);
    assert_eq!(asked, Some(1), "one question at a time");
}

#[tokio::test]
async fn the_keyring_is_asked_once_and_written_at_a_login_alone() {
    let scene = Scene::new();
    scene.kept().await;
    scene.keyring.asked();
    let storage = scene.storage();
    for failures in 1..=5 {
        assert_eq!(storage.load().await.unwrap(), Some(credential(failures)));
        let next = credential(failures + 1);
        assert_eq!(storage.compare_and_swap(version(failures), Some(&next)).await, Ok(Swap::Done));
    }
    assert_eq!(scene.keyring.asked(), 1);
}

#[tokio::test]
async fn a_login_elsewhere_is_met_with_its_own_key() {
    let scene = Scene::new();
    let (here, there) = (scene.kept().await, scene.storage());
    assert_eq!(there.compare_and_swap(version(1), None).await, Ok(Swap::Done));
    assert_eq!(here.compare_and_swap(version(1), Some(&credential(2))).await, Ok(Swap::Changed), "a logout stands");
    assert_eq!(there.compare_and_swap(None, Some(&credential(3))).await, Ok(Swap::Done));
    assert_eq!(here.compare_and_swap(version(1), Some(&credential(2))).await, Ok(Swap::Changed));
    assert_eq!(here.load().await.unwrap(), Some(credential(3)));
}

#[tokio::test]
async fn a_login_that_comes_between_wins_and_keeps_its_key() {
    let scene = Scene::new();
    for (is_logged_in, seen) in [(false, None), (true, version(1))] {
        let (path, aside) = (scene.path(), scene.path().with_extension("aside"));
        assert_eq!(scene.storage().compare_and_swap(None, Some(&credential(9))).await, Ok(Swap::Done));
        fs::rename(&path, &aside).unwrap();
        if is_logged_in {
            scene.kept().await;
        }
        let keys = scene.keyring.keys();
        scene.keyring.0.lock().unwrap().meanwhile = Some(Box::new(move || fs::rename(aside, path).unwrap()));
        let swap = scene.storage().compare_and_swap(seen, Some(&credential(2))).await;
        assert_eq!(swap, Ok(Swap::Changed), "logged in before: {is_logged_in}");
        assert_eq!(scene.storage().load().await.unwrap(), Some(credential(9)));
        assert_eq!(scene.keyring.keys(), keys);
        assert_eq!(scene.storage().compare_and_swap(version(9), None).await, Ok(Swap::Done));
    }
}

#[tokio::test]
async fn what_is_not_sealed_by_the_keyring_is_told_and_kept() {
    let scene = Scene::new();
    scene.kept().await;
    let whole = fs::read_to_string(scene.path()).unwrap();
    let changed = whole.replacen("\"sealed\": \"", "\"sealed\": \"AAAA", 1);
    let newer = whole.replace("\"version\": 1", "\"version\": 2");
    for (text, expected) in [
        (&*String::from_utf8(credential(1).to_json()).unwrap(), "its \"format\" is another"),
        (&whole[..whole.len() / 2], "it is not whole JSON"),
        ("", "it is not whole JSON"),
        (&newer, "of version 2; this program reads version 1: update it"),
        (&changed, "the key of the keyring does not open it"),
    ] {
        fs::write(scene.path(), text).unwrap();
        let error = scene.storage().load().await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(scene.storage().compare_and_swap(None, Some(&credential(2))).await, Err(error));
        assert_eq!(fs::read_to_string(scene.path()).unwrap(), text);
    }
    // And the other way round.
    fs::write(scene.path(), &whole).unwrap();
    fs::set_permissions(scene.path(), fs::Permissions::from_mode(0o600)).unwrap();
    let error = FileStorage::new(scene.path()).load().await.unwrap_err();
    assert!(error.to_string().contains("its \"format\" is not \"regrant-credential\""), "{error}");
}
