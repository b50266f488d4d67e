//! The tests wait for `psql` in one thread, while another closes connections.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use regrant_crypto::SeededEntropy;
use regrant_databases::{Database, Postgres};
use regrant_protocol::{ManualClock, Subject, Timestamp, Username};
use regrant_store::{Store, User};
use regrant_store_postgres::{Genesis, PostgresStore, Settings};
use tempfile::TempDir;
use tokio::task::yield_now;

use super::*;
use crate::KEY_FILE;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// What a store is made from that is not ours.
const OTHER: Genesis = Genesis { realm: Realm([9; 16]), epoch_random: [9; 16] };

/// A data directory with a store that knows its key and the user alice, and a database.
struct World {
    folder: TempDir,
    entropy: SeededEntropy,
    database: Database<'static>,
}

impl World {
    async fn new() -> Self {
        Self::seeded(1).await
    }

    async fn seeded(seed: u64) -> Self {
        let (folder, entropy) = (tempfile::tempdir().unwrap(), SeededEntropy::new(seed));
        let world = Self { folder, entropy, database: Postgres::shared().database() };
        let directory = world.directory();
        let ring = directory.key_ring(&world.entropy).unwrap();
        let store = directory.store(&world.entropy, clock()).unwrap();
        let (kid, _) = ring.newest();
        let check_value = ring.check_value(kid).unwrap();
        store.announce_key(regrant_store::AnnouncedKey { kid, check_value }).await.unwrap();
        let user = User::without_password(Subject::parse("alice").unwrap(), Username::parse("alice").unwrap());
        store.add_user(user).await.unwrap();
        drop(store);
        drop(directory);
        world
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn directory(&self) -> DataDirectory {
        DataDirectory::open(&self.data()).unwrap()
    }

    fn address(&self) -> Address {
        Address::parse(&self.database.url(), None).unwrap()
    }

    async fn moves(&self) -> Result<StoreMoved, MoveError> {
        self.moves_to(&self.address()).await
    }

    async fn moves_to(&self, address: &Address) -> Result<StoreMoved, MoveError> {
        let outside = OutsideFiles::default();
        self.directory().move_to_postgres(address, &outside, &self.entropy, clock(), &mut |_| {}).await
    }

    /// Why it is not moved: one line.
    async fn refusal(&self) -> String {
        let told = self.moves().await.unwrap_err().to_string();
        assert!(!told.contains('\n'), "{told}");
        told
    }

    fn serves_sqlite(&self) -> Result<(), DataDirectoryError> {
        self.directory().store(&self.entropy, clock()).map(drop)
    }

    /// Whether the database has the store, with alice.
    async fn has_arrived(&self) -> bool {
        if !PostgresStore::exists(&self.address()).await.unwrap() {
            return false;
        }
        let store = PostgresStore::open(Settings::new(self.address()), OTHER, clock()).await.unwrap();
        store.user(&Subject::parse("alice").unwrap()).await.unwrap().is_some()
    }

    /// What a node is told that is started on the database.
    async fn node_refusal(&self) -> String {
        let opened = self.directory().postgres(Settings::new(self.address()), &self.entropy, clock()).await;
        opened.err().map(|error| error.to_string()).unwrap_or_default()
    }

    /// Makes the schema, as `regrant store migrate` does.
    async fn make_schema(&self) {
        drop(PostgresStore::open(Settings::new(self.address()), OTHER, clock()).await.unwrap());
    }
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(ManualClock::new(NOW))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_has_moved_is_served_there_alone_and_is_moved_once() {
    for has_schema in [false, true] {
        let world = World::new().await;
        if has_schema {
            world.make_schema().await;
        }
        let realm = world.directory().store(&world.entropy, clock()).unwrap().identity().clone();
        let counts = DataDirectory::try_move_to_postgres(&world.data(), &world.address(), &OutsideFiles::default())
            .await
            .unwrap();
        assert!(counts.contains(&(MovedTable::Users, 1)), "{counts:?}");
        assert!(!world.has_arrived().await, "nothing was changed");

        let moved = world.moves().await.unwrap();
        let rows = |wanted| moved.tables.iter().find(|(table, _)| *table == wanted).unwrap().1.rows;
        assert_eq!((rows(MovedTable::Identity), rows(MovedTable::Users), rows(MovedTable::Grants)), (1, 1, 0));
        assert!(moved.kept.exists() && !world.data().join(DATABASE).exists());
        let told = world.serves_sqlite().unwrap_err().to_string();
        assert!(told.contains("was moved to postgres://"), "{told}");
        let opened = world.directory().postgres(Settings::new(world.address()), &world.entropy, clock()).await.unwrap();
        assert_eq!(*opened.1.identity(), realm);
        let bob = User::without_password(Subject::parse("bob").unwrap(), Username::parse("bob").unwrap());
        opened.1.add_user(bob).await.expect("the next key is free");

        assert_eq!(world.moves().await.unwrap(), StoreMoved { tables: Vec::new(), kept: moved.kept });
        let elsewhere = Address::parse("postgres://regrant@db.example/regrant?sslmode=disable", None).unwrap();
        let outside = OutsideFiles::default();
        let again =
            world.directory().move_to_postgres(&elsewhere, &outside, &world.entropy, clock(), &mut |_| {}).await;
        assert!(matches!(again, Err(MoveError::ElsewhereBefore { .. })));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_that_was_broken_off_is_settled_by_the_next() {
    let world = World::new().await;
    // The note was written, or the file renamed too, and nothing was committed.
    for is_renamed in [false, true] {
        MoveNote { to: world.address().to_string(), is_done: false }.write(&world.data()).unwrap();
        if is_renamed {
            rename_database(&world.data().join(DATABASE), &world.data().join(MOVED_DATABASE)).unwrap();
        }
        let (told, elsewhere) = (world.serves_sqlite().unwrap_err().to_string(), world.node_refusal().await);
        for told in [told, elsewhere] {
            assert!(told.contains("was broken off; run `regrant migrate-store` again"), "{told}");
        }
        if !is_renamed {
            world.database.sql("CREATE SCHEMA regrant CREATE TABLE theirs (a integer)");
            assert!(world.refusal().await.contains("is no store"));
            world.serves_sqlite().expect("it was taken back");
            world.database.sql("DROP SCHEMA regrant CASCADE");
        }
    }
    assert!(!world.moves().await.unwrap().tables.is_empty());
    // It was committed, and the process ended before it heard of that.
    MoveNote { to: world.address().to_string(), is_done: false }.write(&world.data()).unwrap();
    assert!(world.moves().await.unwrap().tables.is_empty());
    assert!(world.has_arrived().await);
    assert!(world.serves_sqlite().unwrap_err().to_string().contains("was moved to"));
}

/// A commit that an operator cancels while it waits for its standby has happened, and goes with a fail-over. So nothing
/// has moved before something is durable there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_is_not_done_before_the_standby_has_it() {
    let (world, mut postgres) = (World::new().await, Postgres::start());
    postgres.restart_with_commits_that_wait();
    let address = Address::parse(&postgres.socket_url("postgres", "postgres"), None).unwrap();
    for _ in 0..2 {
        let is_told = AtomicBool::new(false);
        let moving = async {
            let told = world.moves_to(&address).await.unwrap_err().to_string();
            is_told.store(true, Ordering::SeqCst);
            told
        };
        let cancelling = async {
            while !is_told.load(Ordering::SeqCst) {
                postgres.cancel_commits_that_wait();
                yield_now().await;
            }
        };
        let (told, ()) = tokio::join!(moving, cancelling);
        assert!(told.contains("without its standby"), "{told}");
        assert!(world.serves_sqlite().unwrap_err().to_string().contains("was broken off"));
    }
    assert!(PostgresStore::exists(&address).await.unwrap(), "it is there all the same");
    postgres.let_commits_wait_no_more();
    assert!(world.moves_to(&address).await.unwrap().tables.is_empty());
    assert!(world.serves_sqlite().unwrap_err().to_string().contains("was moved to"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_database_refuses_or_changes_leaves_the_store_where_it_is() {
    let world = World::new().await;
    world.make_schema().await;
    let trigger = |body: &str, how: &str| {
        world.database.sql(&format!(
            "SET search_path = regrant; DROP FUNCTION IF EXISTS meddle CASCADE;
             CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NEW; END $$;
             CREATE {how} FOR EACH ROW EXECUTE FUNCTION meddle()"
        ));
    };
    let before = "TRIGGER meddle BEFORE INSERT ON users";
    trigger("NEW.cutoff := 7;", before);
    assert!(world.refusal().await.contains("1 rows in users that are not the 1 that were written"));
    trigger("RAISE 'full';", before);
    assert!(world.refusal().await.contains("does not take the rows of users: full"));
    trigger("RAISE 'too late';", "CONSTRAINT TRIGGER meddle AFTER INSERT ON users DEFERRABLE INITIALLY DEFERRED");
    assert!(world.refusal().await.contains("too late"));
    world.serves_sqlite().expect("it was not moved");
    assert!(!world.has_arrived().await);
    world.database.sql("DROP FUNCTION regrant.meddle CASCADE");
    world.moves().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_not_as_it_should_be_is_not_moved() {
    let (world, other) = (World::new().await, World::seeded(2).await);
    let (key_file, kept) = (world.data().join(KEY_FILE), world.folder.path().join("kept"));
    fs::rename(&key_file, &kept).unwrap();
    assert!(world.refusal().await.contains("master.key is missing"));
    fs::copy(&kept, &key_file).unwrap();

    other.moves().await.unwrap();
    let taken = other.address();
    let outside = OutsideFiles::default();
    let told = world.directory().move_to_postgres(&taken, &outside, &world.entropy, clock(), &mut |_| {}).await;
    let told = told.unwrap_err().to_string();
    assert!(told.contains("is not empty") && told.contains("another store"), "{told}");

    let other_keys = regrant_crypto::KeyRing::generate(&SeededEntropy::new(3)).to_text();
    fs::write(&key_file, other_keys.as_bytes()).unwrap();
    assert!(world.refusal().await.contains("master key 1 of the store is not the one in the key file"));
    fs::copy(&kept, &key_file).unwrap();

    let journal = OutsideFiles { mark: None, journal: Some(world.folder.path().join("journal")) };
    drop(world.directory().store_beside(&world.entropy, clock(), &journal).unwrap());
    assert!(world.refusal().await.contains("it is not said where"));

    let database = world.data().join(DATABASE);
    let good = fs::read(&database).unwrap();
    let mut torn = good.clone();
    let middle = torn.len() / 2;
    torn[middle..].fill(0);
    fs::write(&database, torn).unwrap();
    assert!(world.refusal().await.contains("is damaged"));
    fs::write(&database, good).unwrap();
    let aside = world.folder.path().join("aside");
    fs::rename(&database, &aside).unwrap();
    assert!(world.refusal().await.contains("there is nothing to move"));
    fs::rename(&aside, &database).unwrap();
    let (to, directory) = (world.address(), world.directory());
    directory.move_to_postgres(&to, &journal, &world.entropy, clock(), &mut |_| {}).await.unwrap();
}
