use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use regrant_crypto::SeededEntropy;
use regrant_databases::{Database, Postgres};
use regrant_grant::{RecoverPublic, Recovery};
use regrant_protocol::{EpochNumber, Kid, ManualClock, Timestamp};
use regrant_store::{AnnouncedKey, Node, NodeId, SharedStore, Store, StoreError};
use regrant_store_postgres::{Address, PostgresStore, TimeOfDay};
use tempfile::TempDir;

use super::*;
use crate::MARK_FILE;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// A node, its database, and a copy of that from an earlier day.
struct World {
    folder: TempDir,
    database: Database<'static>,
    copy: String,
}

impl World {
    async fn prepare() -> Self {
        let (folder, database) = (tempfile::tempdir().unwrap(), Postgres::shared().database());
        let copy = format!("{}_copy", database.name());
        let world = Self { folder, database, copy };
        world.change().await;
        Postgres::shared().sql(&format!("CREATE DATABASE {} TEMPLATE {}", world.copy, world.database.name()));
        world.change().await;
        world
    }

    fn directory(&self) -> DataDirectory {
        DataDirectory::open(&self.folder.path().join("data")).unwrap()
    }

    fn mark(&self) -> PathBuf {
        self.folder.path().join("data").join(MARK_FILE)
    }

    fn settings(&self) -> Settings {
        let address = Address::parse(&self.database.url(), None).unwrap();
        Settings { time_of_day: TimeOfDay::Given, ..Settings::new(address) }
    }

    async fn open(&self) -> Result<PostgresStore, String> {
        let opened = self.directory().postgres(self.settings(), &SeededEntropy::new(1), clock()).await;
        let (ring, store) = opened.map_err(|error| error.to_string())?;
        let key = AnnouncedKey { kid: Kid::FIRST, check_value: ring.check_value(Kid::FIRST).unwrap() };
        store.announce_key(key).await.unwrap();
        Ok(store)
    }

    /// A node comes and goes, and counts that.
    async fn change(&self) {
        drop(self.open().await.unwrap());
        self.disconnect();
    }

    fn disconnect(&self) {
        let mine = format!("FROM pg_stat_activity WHERE datname = '{}'", self.database.name());
        Postgres::shared().sql(&format!("SELECT pg_terminate_backend(pid) {mine}"));
        while Postgres::shared().sql(&format!("SELECT count(*) {mine}")).trim() != "0" {}
    }

    fn put_back(&self) {
        let name = self.database.name();
        Postgres::shared().sql(&format!("ALTER DATABASE {name} RENAME TO {name}_lost"));
        Postgres::shared().sql(&format!("ALTER DATABASE {} RENAME TO {name}; DROP DATABASE {name}_lost", self.copy));
    }

    async fn restore(&self, policy: RestorePolicy) -> Result<Restored, RestoreError> {
        let (outside, entropy) = (OutsideFiles::default(), SeededEntropy::new(7));
        self.directory().restore_postgres(self.settings(), &outside, policy, false, &entropy, clock()).await
    }
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(ManualClock::new(NOW))
}

#[tokio::test]
async fn a_database_that_was_put_back_begins_an_epoch_and_is_served_again() {
    let world = World::prepare().await;
    world.put_back();
    let told = world.open().await.err().unwrap();
    assert!(told.contains("is not what it was") && told.contains("run `regrant restore`"), "{told}");
    let public = RecoverPublic::AcceptAhead;
    let restored = world.restore(RestorePolicy::Recover { seconds: 60, public }).await.unwrap();
    let until = NOW.plus_seconds(60);
    let expected = Restored { epoch: EpochNumber(2), replayed: 0, recovers_until: Some(until), replaced: None };
    assert_eq!(restored, expected);
    let store = world.open().await.unwrap();
    let recovery = Recovery { former: EpochNumber(1), until, public };
    assert_eq!(store.identity().epoch().recovery, Some(recovery));
    assert_eq!(store.changes().await.map(drop), Ok(()), "the note that stopped every node is gone");
    drop(store);
    world.disconnect();
    // As after a mark that a crash kept from being written.
    assert_eq!(world.restore(RestorePolicy::Strict).await.unwrap().epoch, EpochNumber(3));
    assert_eq!(world.open().await.unwrap().identity().epoch().recovery, None);
}

#[tokio::test]
async fn the_mark_of_another_node_is_behind_a_new_epoch_however_far_it_had_come() {
    let world = World::prepare().await;
    let mark = world.mark();
    let of_another = fs::read(&mark).unwrap();
    fs::remove_file(&mark).unwrap();
    world.put_back();
    world.restore(RestorePolicy::Strict).await.unwrap();
    fs::write(&mark, of_another).unwrap();
    world.open().await.unwrap();
}

#[tokio::test]
async fn a_store_that_a_node_uses_is_not_restored() {
    let world = World::prepare().await;
    let store = world.open().await.unwrap();
    let newest_key = AnnouncedKey { kid: Kid::FIRST, check_value: [0; 8] };
    let node = Node { id: NodeId([1; 16]), name: "web-1".to_owned(), version: "1".to_owned(), newest_key };
    store.note_node(&node).await.unwrap();
    let told = world.restore(RestorePolicy::Strict).await.unwrap_err().to_string();
    assert_eq!(
        told,
        "web-1 used the database a moment ago; stop all nodes, and run this again 10 seconds after the last one"
    );
    assert_eq!(store.changes().await.map(drop), Ok::<_, StoreError>(()));
}

#[tokio::test]
async fn what_is_not_of_this_store_is_refused() {
    let world = World::prepare().await;
    let other = World::prepare().await;
    let mark = world.mark();
    let own = fs::read(&mark).unwrap();
    other.database.sql("UPDATE regrant.identity SET realm = gen_random_uuid()");
    fs::remove_file(other.mark()).unwrap();
    other.change().await;
    fs::copy(other.mark(), &mark).unwrap();
    let told = world.restore(RestorePolicy::Strict).await.unwrap_err().to_string();
    assert!(told.contains("of another store"), "{told}");
    fs::write(&mark, own).unwrap();

    world.database.sql("UPDATE regrant.announced_keys SET check_value = '\\x0000000000000000'");
    let told = world.restore(RestorePolicy::Strict).await.unwrap_err().to_string();
    assert!(told.contains("master key 1 of the backup is not the one in the key file"), "{told}");

    world.database.sql("DROP SCHEMA regrant CASCADE");
    let told = world.restore(RestorePolicy::Strict).await.unwrap_err().to_string();
    assert!(told.contains("has no store of regrant in it"), "{told}");
}
