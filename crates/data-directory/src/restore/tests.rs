//! A database that was put back to an earlier day is noticed, and restored with what ended since.

use std::sync::Arc;

use regrant_crypto::SeededEntropy;
use regrant_grant::{GrantId, Party, RecoverPublic, Recovery, Write};
use regrant_protocol::{ManualClock, Subject, Username};
use regrant_store::{Store, StoreError, Target, User, UserChange, UserStatus, decide_in};
use regrant_store_sqlite::SqliteStore;
use tempfile::TempDir;

use super::*;
use crate::{KEY_FILE, MARK_FILE, STORE_FILE};

mod journals_and_keys;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const STRICT: RestorePolicy = RestorePolicy::Strict;

/// A data directory, and beside it a journal and a backup.
struct World {
    parent: TempDir,
    outside: OutsideFiles,
    entropy: SeededEntropy,
    clock: Arc<ManualClock>,
}

impl World {
    /// One with the user alice, who was there when the backup was made.
    async fn new() -> Self {
        let parent = tempfile::tempdir().unwrap();
        let outside = OutsideFiles { mark: None, journal: Some(parent.path().join("journal")) };
        let entropy = SeededEntropy::new(1);
        let world = Self { parent, outside, entropy, clock: Arc::new(ManualClock::new(NOW)) };
        let directory = world.directory();
        directory.key_ring(&world.entropy).unwrap();
        let store = world.open(&directory).unwrap();
        let user = User::without_password(alice(), Username::parse("alice").unwrap());
        store.add_user(user).await.unwrap();
        back_up(&directory.database(), &world.backup()).unwrap();
        world
    }

    fn data(&self) -> PathBuf {
        self.parent.path().join("data")
    }

    fn backup(&self) -> PathBuf {
        self.parent.path().join("backup.db")
    }

    fn directory(&self) -> DataDirectory {
        DataDirectory::open(&self.data()).unwrap()
    }

    fn open(&self, directory: &DataDirectory) -> Result<SqliteStore, DataDirectoryError> {
        directory.store_beside(&self.entropy, self.clock.clone(), &self.outside)
    }

    /// Opens the store, and locks alice after the backup.
    async fn lock_alice(&self) {
        let store = self.open(&self.directory()).unwrap();
        store.change_user(&alice(), UserChange::RaiseCutoff).await.unwrap();
        store.change_user(&alice(), UserChange::Status(UserStatus::Locked)).await.unwrap();
    }

    /// As somebody does who knows no better.
    fn copy_back(&self) {
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(self.data().join(format!("{DATABASE}{suffix}")));
        }
        fs::copy(self.backup(), self.data().join(DATABASE)).unwrap();
    }

    fn restore(&self, backup: Option<PathBuf>, policy: RestorePolicy) -> Result<Restored, RestoreError> {
        let restoration = Restoration { backup, policy, earlier_journals: Vec::new(), gives_up_journal: false };
        self.directory().restore(&restoration, &self.outside, &self.entropy, NOW)
    }

    fn refusal(&self) -> String {
        self.open(&self.directory()).err().map(|error| error.to_string()).unwrap_or_default()
    }

    async fn alice(&self) -> Party {
        self.open(&self.directory()).unwrap().user(&alice()).await.unwrap().unwrap().party()
    }
}

/// Goes on whatever the journal lacks.
fn giving_up() -> Restoration {
    Restoration { backup: None, policy: STRICT, earlier_journals: Vec::new(), gives_up_journal: true }
}

fn alice() -> Subject {
    Subject::parse("alice").unwrap()
}

#[tokio::test]
async fn a_copy_that_was_put_back_by_hand_does_not_serve_whoever_tells() {
    for (why, lost) in
        [("mark and journal tell", None), ("the journal tells", Some(MARK_FILE)), ("the mark tells", None)]
    {
        let mut world = World::new().await;
        world.lock_alice().await;
        world.copy_back();
        if let Some(lost) = lost {
            remove(&world.data().join(lost)).unwrap();
        }
        if why == "the mark tells" {
            world.outside.journal = None;
        }
        let told = world.refusal();
        assert!(told.contains("is not what it was") && told.contains("run `regrant restore`"), "{why}: {told}");
    }
}

#[tokio::test]
async fn a_database_that_is_ahead_of_its_mark_is_what_a_crash_leaves() {
    let world = World::new().await;
    let mark = fs::read(world.data().join(MARK_FILE)).unwrap();
    world.lock_alice().await;
    fs::write(world.data().join(MARK_FILE), mark).unwrap();
    assert_eq!(world.refusal(), "");
    remove(&world.data().join(MARK_FILE)).unwrap();
    assert_eq!(world.refusal(), "", "and there need not be one");
}

#[tokio::test]
async fn what_a_journal_has_and_the_database_has_not_is_done_at_the_start() {
    let world = World::new().await;
    // What a crash between the journal and the commit leaves: one step is in the journal only.
    let database = fs::read(world.data().join(DATABASE)).unwrap();
    let mark = fs::read(world.data().join(MARK_FILE)).unwrap();
    let store = world.open(&world.directory()).unwrap();
    store.change_user(&alice(), UserChange::Status(UserStatus::Locked)).await.unwrap();
    drop(store);
    fs::write(world.data().join(DATABASE), database).unwrap();
    fs::write(world.data().join(MARK_FILE), mark).unwrap();
    // The start that preceded the step is lost as well: that is one too many for a crash, so the test takes it back.
    let told = world.refusal();
    assert!(told.contains("the journal was written when it had come to"), "{told}");
    let restored = world.restore(None, STRICT).unwrap();
    assert_eq!(restored.replayed, 1);
    assert!(!world.alice().await.enabled);
}

#[tokio::test]
async fn a_restored_store_begins_an_epoch_and_has_what_ended_since_the_backup() {
    let world = World::new().await;
    world.lock_alice().await;
    let restored = world.restore(Some(world.backup()), STRICT).unwrap();
    assert_eq!((restored.epoch, restored.replayed, restored.recovers_until), (EpochNumber(2), 2, None));
    assert!(restored.replaced.unwrap().exists());
    let party = world.alice().await;
    assert_eq!((party.enabled, party.cutoff), (false, 1));
    let store = world.open(&world.directory()).unwrap();
    let epochs: Vec<_> = store.identity().epochs.iter().map(|epoch| epoch.number.0).collect();
    assert_eq!(epochs, [1, 2]);
    drop(store);
    // The same backup once more, which knows nothing of the second epoch.
    let restored = world.restore(Some(world.backup()), STRICT).unwrap();
    assert_eq!((restored.epoch, restored.replayed), (EpochNumber(3), 3), "two endings and the epoch before");
}

#[tokio::test]
async fn a_store_that_recovers_says_so_until_its_time_has_come() {
    let world = World::new().await;
    let public = RecoverPublic::AcceptAhead;
    let restored = world.restore(Some(world.backup()), RestorePolicy::Recover { seconds: 3600, public }).unwrap();
    let until = NOW.plus_seconds(3600);
    assert_eq!(restored.recovers_until, Some(until));
    let store = world.open(&world.directory()).unwrap();
    let recovery = Recovery { former: EpochNumber(1), until, public };
    assert_eq!(store.identity().epoch().recovery, Some(recovery));
}

#[tokio::test]
async fn a_store_that_met_a_token_ahead_of_its_row_decides_nothing_until_it_was_restored() {
    let world = World::new().await;
    let store = world.open(&world.directory()).unwrap();
    let look = || decide_in(&store, Target::Grant(GrantId([1; 16])), None, |_| ((), Write::Nothing));
    assert_eq!(look().await, Ok(()));
    store.halt().await.unwrap();
    assert_eq!(look().await, Err(StoreError::RolledBack));
    drop(store);
    assert!(world.refusal().contains("ahead of its row"), "{}", world.refusal());
    world.restore(None, STRICT).unwrap();
    assert_eq!(world.refusal(), "");
}

#[tokio::test]
async fn a_restore_that_was_broken_off_is_done_again_and_nothing_serves_meanwhile() {
    let world = World::new().await;
    world.lock_alice().await;
    // As kill -9 leaves it between the two renames.
    let database = world.data().join(DATABASE);
    fs::rename(&database, world.data().join("regrant.db.before-epoch-2")).unwrap();
    fs::write(world.data().join("regrant.db.restoring"), "half").unwrap();
    assert!(world.refusal().contains("run `regrant restore` again"), "{}", world.refusal());
    let told = world.restore(None, STRICT).unwrap_err().to_string();
    let kept = world.data().join("regrant.db.before-epoch-2");
    assert!(told.contains("name the backup") && told.contains(kept.to_str().unwrap()), "{told}");
    world.restore(Some(kept), STRICT).unwrap();
    assert_eq!(world.refusal(), "");
    assert!(!world.alice().await.enabled);
}

#[tokio::test]
async fn a_journal_that_is_not_there_is_not_begun_by_a_restore_unless_it_is_given_up() {
    let world = World::new().await;
    world.lock_alice().await;
    let journal = world.outside.journal.clone().unwrap();
    fs::rename(&journal, world.parent.path().join("lost")).unwrap();
    let told = world.restore(Some(world.backup()), STRICT).unwrap_err().to_string();
    assert!(told.contains("journal is not there") && told.contains("--without-journal"), "{told}");
    assert!(!journal.exists());
    let restoration = Restoration { backup: Some(world.backup()), ..giving_up() };
    world.directory().restore(&restoration, &world.outside, &world.entropy, NOW).unwrap();
    assert_eq!(world.refusal(), "");
}

#[tokio::test]
async fn a_store_with_a_journal_is_not_opened_by_who_does_not_know_where_it_is() {
    let mut world = World::new().await;
    let open = |world: &World| world.directory().store(&world.entropy, world.clock.clone()).err();
    let told = open(&world).expect("it has a journal").to_string();
    assert!(told.contains("has a revocation journal") && told.contains("--config FILE"), "{told}");
    assert_eq!(world.refusal(), "", "who knows of it goes on");
    world.outside.journal = None;
    assert_eq!(world.refusal(), "", "and so does who says that there is none any more");

    let other = tempfile::tempdir().unwrap();
    let directory = DataDirectory::open(&other.path().join("data")).unwrap();
    for _ in 0..2 {
        drop(directory.store(&world.entropy, world.clock.clone()).unwrap());
    }
}

#[tokio::test]
async fn a_restore_that_cannot_write_the_mark_leaves_what_was_there_and_can_be_done_again() {
    let mut world = World::new().await;
    let before = fs::read(world.data().join(DATABASE)).unwrap();
    let elsewhere = world.parent.path().join("elsewhere");
    world.outside = OutsideFiles { mark: Some(elsewhere.join("mark")), journal: None };
    let public = RecoverPublic::LogInAgain;
    let restoration = Restoration { policy: RestorePolicy::Recover { seconds: 60, public }, ..giving_up() };
    let restore = || world.directory().restore(&restoration, &world.outside, &world.entropy, NOW);
    assert!(matches!(restore(), Err(RestoreError::Directory(_))));
    assert_eq!(fs::read(world.data().join(DATABASE)).unwrap(), before);
    fs::create_dir(&elsewhere).unwrap();
    restore().unwrap();
    let store = world.open(&world.directory()).unwrap();
    assert_eq!(store.identity().epoch().recovery.unwrap().former, EpochNumber(1), "the tokens that are out are of it");
}

#[tokio::test]
async fn a_restore_begins_no_epoch_twice_and_keeps_what_others_have_kept() {
    let mut world = World::new().await;
    world.outside.journal = None;
    let kept = |name: &str| world.data().join(name);
    fs::write(kept("regrant.db.before-epoch-2"), "of an earlier restore").unwrap();
    for (epoch, replaced) in [(2, "regrant.db.before-epoch-2.2"), (3, "regrant.db.before-epoch-3")] {
        let restoration = Restoration { backup: Some(world.backup()), ..giving_up() };
        let restored = world.directory().restore(&restoration, &world.outside, &world.entropy, NOW).unwrap();
        assert_eq!((restored.epoch, restored.replaced), (EpochNumber(epoch), Some(kept(replaced))));
        // A mark that is lost is no obstacle.
        remove(&world.data().join(MARK_FILE)).unwrap();
    }
    assert_eq!(fs::read(kept("regrant.db.before-epoch-2")).unwrap(), b"of an earlier restore");
}

#[tokio::test]
async fn what_does_not_belong_together_is_refused_and_leaves_what_was_there() {
    let world = World::new().await;
    world.lock_alice().await;
    let before = fs::read(world.data().join(DATABASE)).unwrap();
    let other = World::new().await;
    let entropy = SeededEntropy::new(9);
    // Another key file, and so another store.
    remove(&other.data().join(KEY_FILE)).unwrap();
    remove(&other.data().join(DATABASE)).unwrap();
    remove(&other.data().join(MARK_FILE)).unwrap();
    remove(&other.data().join(STORE_FILE)).unwrap();
    let directory = other.directory();
    directory.key_ring(&entropy).unwrap();
    drop(directory.store_beside(&entropy, other.clock.clone(), &OutsideFiles::default()).unwrap());
    drop(directory);
    let told = |backup: PathBuf| world.restore(Some(backup), STRICT).unwrap_err().to_string();
    let letter = world.parent.path().join("letter");
    fs::write(&letter, "this is a letter, and no database at all").unwrap();
    for (backup, expected) in [
        (other.data().join(DATABASE), "is a backup of another store"),
        (letter, "is not a store of regrant"),
        (world.parent.path().join("nothing"), "cannot be opened"),
    ] {
        let told = told(backup);
        assert!(told.contains(expected), "{told}");
        assert_eq!(fs::read(world.data().join(DATABASE)).unwrap(), before);
        assert!(!world.data().join("regrant.db.restoring").exists());
    }
    // The directory itself knows whose it is, where its mark is lost.
    remove(&world.data().join(MARK_FILE)).unwrap();
    let refused = world.restore(Some(other.data().join(DATABASE)), STRICT).unwrap_err();
    assert!(matches!(&refused, RestoreError::AnotherStore(by) if by.ends_with(STORE_FILE)), "{refused:?}");
}

#[tokio::test]
async fn a_journal_that_begins_after_the_backup_is_refused_unless_it_is_given_up() {
    let world = World::new().await;
    world.lock_alice().await;
    let journal = world.outside.journal.clone().unwrap();
    fs::rename(&journal, world.parent.path().join("old")).unwrap();
    assert_eq!(world.refusal(), "", "another journal is begun");
    let told = world.restore(Some(world.backup()), STRICT).unwrap_err();
    assert!(matches!(told, RestoreError::JournalGap { begins_after: 3, known: 1 }), "{told:?}");
    let restoration = Restoration { backup: Some(world.backup()), ..giving_up() };
    world.directory().restore(&restoration, &world.outside, &world.entropy, NOW).unwrap();
    assert!(world.alice().await.enabled, "what ended since the backup is not known");

    let restoration = Restoration { gives_up_journal: false, ..restoration };
    let told = world.directory().restore(&restoration, &OutsideFiles::default(), &world.entropy, NOW).unwrap_err();
    assert!(matches!(told, RestoreError::JournalNotNamed), "{told:?}");

    fs::copy(world.parent.path().join("old"), &journal).unwrap();
    assert!(world.refusal().contains("the journal ends with record 3"), "{}", world.refusal());
}
