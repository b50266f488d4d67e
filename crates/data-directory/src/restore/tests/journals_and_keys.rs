//! Journals that follow one another, and the master keys with which a restored store begins.

use regrant_engine::KeyFile;
use regrant_store::NewKeys;

use super::*;

/// Another journal is begun after the backup, and something ends after that.
async fn with_two_journals() -> (World, PathBuf) {
    let world = World::new().await;
    world.lock_alice().await;
    let older = world.parent.path().join("older");
    fs::rename(world.outside.journal.as_ref().unwrap(), &older).unwrap();
    let store = world.open(&world.directory()).unwrap();
    store.change_user(&alice(), UserChange::RaiseCutoff).await.unwrap();
    drop(store);
    (world, older)
}

#[tokio::test]
async fn journals_that_follow_one_another_are_all_replayed() {
    let (world, older) = with_two_journals().await;
    let told = world.restore(Some(world.backup()), STRICT).unwrap_err().to_string();
    assert!(told.contains("begins after record 3") && told.contains("--earlier-journal"), "{told}");
    let restoration = Restoration {
        backup: Some(world.backup()),
        policy: STRICT,
        earlier_journals: vec![older],
        gives_up_journal: false,
    };
    let restored = world.directory().restore(&restoration, &world.outside, &world.entropy, NOW).unwrap();
    assert_eq!(restored.replayed, 3);
    let party = world.alice().await;
    assert_eq!((party.enabled, party.cutoff), (false, 2));
    assert_eq!(world.refusal(), "");
    let nowhere = OutsideFiles { journal: None, ..world.outside.clone() };
    let told = world.directory().restore(&restoration, &nowhere, &world.entropy, NOW).unwrap_err();
    assert!(matches!(told, RestoreError::EarlierJournalAlone), "{told:?}");
}

#[tokio::test]
async fn the_older_of_two_journals_is_not_taken_for_all_there_is() {
    let (mut world, older) = with_two_journals().await;
    world.outside.journal = Some(older);
    let told = world.restore(Some(world.backup()), STRICT).unwrap_err();
    assert!(matches!(told, RestoreError::JournalBehindMark { last: 3, marked: 4 }), "{told:?}");
    let restoration = Restoration { backup: Some(world.backup()), ..giving_up() };
    world.directory().restore(&restoration, &world.outside, &world.entropy, NOW).unwrap();
    assert_eq!(world.alice().await.cutoff, 1);
    assert_eq!(world.refusal(), "");
    world.restore(Some(world.backup()), STRICT).expect("what was given up is not asked for again");
}

#[tokio::test]
async fn after_an_emergency_a_restored_store_knows_the_new_master_key_alone() {
    for (why, has_journal) in [("the journal tells", true), ("the key file tells", false)] {
        let mut world = World::new().await;
        let directory = world.directory();
        let mut ring = directory.key_ring(&world.entropy).unwrap();
        let store = world.open(&directory).unwrap();
        let [first] = &master_keys(&ring)[..] else { panic!("it is the first key") };
        store.announce_key(*first).await.unwrap();
        fs::remove_file(world.backup()).unwrap();
        back_up(&directory.database(), &world.backup()).unwrap();
        let stolen = fs::read(world.data().join(KEY_FILE)).unwrap();
        let kid = ring.add(&world.entropy).unwrap();
        ring.retire_below(kid);
        let [second] = master_keys(&ring)[..] else { panic!("the first is retired") };
        let keys = NewKeys { master: second, signing: Vec::new(), withdrawn_at: NOW };
        store.replace_keys(keys).await.unwrap();
        directory.replace(&ring).unwrap();
        drop((store, directory));
        if !has_journal {
            world.outside.journal = None;
        }
        let restoration = Restoration { backup: Some(world.backup()), ..giving_up() };
        let restore = || world.directory().restore(&restoration, &world.outside, &world.entropy, NOW);
        let newest = fs::read(world.data().join(KEY_FILE)).unwrap();
        if has_journal {
            fs::write(world.data().join(KEY_FILE), &stolen).unwrap();
            let told = restore().unwrap_err().to_string();
            assert!(told.contains("put the newest copy"), "{why}: {told}");
            fs::write(world.data().join(KEY_FILE), &newest).unwrap();
        }
        restore().unwrap();
        let store = world.open(&world.directory()).unwrap();
        assert_eq!(store.announced_keys().await, Ok(vec![second]), "{why}");
        assert!(store.announce_key(*first).await.is_err(), "{why}");
    }
}
