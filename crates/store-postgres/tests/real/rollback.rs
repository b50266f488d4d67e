//! How nodes find out that the database was put back to an earlier day, and what they do then.

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use regrant_databases::{Database, Postgres};
use regrant_protocol::EpochNumber;
use regrant_store::{GrantFilter, Mark, Reached, SharedStore, Store, StoreError, UserChange};
use regrant_store_postgres::{OpenError, PostgresStore, Settings};

use crate::holder::Holder;
use crate::node::{GENESIS, add_parties, address, advance, clock, grant, insert, open, read};

/// What a node has written down outside the database.
#[derive(Clone, Default)]
pub(crate) struct Memory {
    reached: Arc<Mutex<Option<Reached>>>,
    journalled: Arc<AtomicU64>,
}

impl Memory {
    /// The counter that was written down last; 0 for none.
    pub(crate) fn counter(&self) -> u64 {
        self.seen().map_or(0, |reached| reached.counter)
    }
}

impl Mark for Memory {
    fn seen(&self) -> Option<Reached> {
        *self.reached.lock().expect("nobody panics with it")
    }

    fn raise(&self, reached: Reached) {
        *self.reached.lock().expect("nobody panics with it") = Some(reached);
    }

    fn journalled(&self, number: u64) {
        self.journalled.fetch_max(number, Ordering::SeqCst);
    }
}

async fn open_beside(database: &Database<'_>, mark: &Memory) -> Result<PostgresStore, OpenError> {
    let mark = mark.clone();
    PostgresStore::open_beside(Settings::new(address(database)), GENESIS, clock(), |_| Ok(Some(Box::new(mark)))).await
}

/// A copy of a database that nobody uses.
fn back_up(database: &Database<'_>) -> String {
    let copy = format!("{}_copy", database.name());
    Postgres::shared().sql(&format!("CREATE DATABASE {copy} TEMPLATE {}", database.name()));
    copy
}

/// Puts a copy in the place of a database, whoever uses that.
fn put_back(database: &Database<'_>, copy: &str) {
    let name = database.name();
    let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    Postgres::shared().sql(&format!("{end}; ALTER DATABASE {name} RENAME TO {name}_lost"));
    Postgres::shared().sql(&format!("ALTER DATABASE {copy} RENAME TO {name}; DROP DATABASE {name}_lost WITH (FORCE)"));
}

/// Ends the connections of a node, and waits until the server has.
fn disconnect(database: &Database<'_>) {
    let mine = format!("FROM pg_stat_activity WHERE datname = '{}'", database.name());
    Postgres::shared().sql(&format!("SELECT pg_terminate_backend(pid) {mine}"));
    while Postgres::shared().sql(&format!("SELECT count(*) {mine}")).trim() != "0" {}
}

/// A database and its copy: what was done after the copy is marked.
async fn prepare(database: &Database<'_>, mark: &Memory) -> Result<String, Box<dyn Error>> {
    let node = open_beside(database, mark).await?;
    add_parties(&node).await;
    insert(&node, &grant(1)).await?;
    drop(node);
    disconnect(database);
    let copy = back_up(database);
    let node = open_beside(database, mark).await?;
    advance(&node, grant(1).id).await?;
    drop(node);
    disconnect(database);
    Ok(copy)
}

#[tokio::test]
async fn a_node_counts_with_its_first_commit_and_with_what_it_ends() {
    let (database, mark) = (Postgres::shared().database(), Memory::default());
    let node = open_beside(&database, &mark).await.unwrap();
    assert_eq!(mark.counter(), 0, "nothing was written");
    add_parties(&node).await;
    assert_eq!(mark.counter(), 1, "two commits, within a second");
    node.end_grants(&GrantFilter::default(), clock().now(), None).await.unwrap();
    assert_eq!(mark.counter(), 1, "there was nothing to end");
    for count in [2, 3] {
        node.change_user(&grant(1).subject, UserChange::RaiseCutoff).await.unwrap();
        assert_eq!(mark.counter(), count);
    }
    assert_eq!(database.sql("SELECT counter FROM regrant.high_water").trim(), "3");
    node.nodes().await.unwrap();
    assert_eq!(database.sql("SELECT counter FROM regrant.high_water").trim(), "3", "what only reads does not count");
}

#[tokio::test]
async fn who_counts_in_passing_waits_for_nobody() {
    let (database, mark) = (Postgres::shared().database(), Memory::default());
    let node = open_beside(&database, &mark).await.unwrap();
    let holder = "BEGIN; SELECT counter FROM regrant.high_water FOR UPDATE; SELECT pg_sleep(0.3); ROLLBACK";
    let name = database.name().to_owned();
    let held = std::thread::spawn(move || Postgres::shared().sql_in(&name, holder));
    while database.sql("SELECT count(*) FROM pg_locks WHERE relation = 'regrant.high_water'::regclass").trim() == "0" {}
    add_parties(&node).await;
    assert_eq!(mark.counter(), 0, "somebody else holds the row");
    assert!(!held.is_finished(), "the commits came first");
    held.join().unwrap();
    insert(&node, &grant(1)).await.unwrap();
    assert_eq!(mark.counter(), 1);
}

#[tokio::test]
async fn a_database_that_was_put_back_is_refused_at_the_start_and_by_every_other_node() {
    let (database, mark) = (Postgres::shared().database(), Memory::default());
    let copy = prepare(&database, &mark).await.unwrap();
    put_back(&database, &copy);
    // Its mark was never there, or is older.
    let ignorant = open(&database).await;
    assert!(read(&ignorant, grant(1).id).await.is_ok());
    let told = open_beside(&database, &mark).await.err().unwrap().to_string();
    assert!(
        told.contains("the high-water mark says that it had come to 2 of epoch 1, and it is at 1 of epoch 1"),
        "{told}"
    );
    assert!(told.ends_with("stop all nodes, and run `regrant restore`") && !told.contains('\n'), "{told}");
    ignorant.changes().await.unwrap();
    assert_eq!(advance(&ignorant, grant(1).id).await, Err(StoreError::RolledBack));
    let told = open_beside(&database, &Memory::default()).await.err().unwrap();
    assert!(matches!(told, OpenError::Halted { .. }), "{told}");
}

#[tokio::test]
async fn a_database_that_is_put_back_under_a_node_decides_nothing_any_more() {
    let (database, mark) = (Postgres::shared().database(), Memory::default());
    let copy = prepare(&database, &mark).await.unwrap();
    let node = open_beside(&database, &mark).await.unwrap();
    assert!(read(&node, grant(1).id).await.is_ok());
    put_back(&database, &copy);
    let mut told = read(&node, grant(1).id).await;
    if matches!(told, Err(StoreError::Unavailable(_))) {
        // The first to come hears that its connection has ended.
        told = read(&node, grant(1).id).await;
    }
    assert_eq!(told, Err(StoreError::RolledBack));
    assert_eq!(node.changes().await, Err(StoreError::RolledBack));
    assert_ne!(database.sql("SELECT halted_at FROM regrant.high_water").trim(), "", "every node is told");
}

#[tokio::test]
async fn a_store_that_was_restored_is_not_worked_on_by_who_opened_it_before() {
    let database = Postgres::shared().database();
    let node = open(&database).await;
    add_parties(&node).await;
    node.changes().await.unwrap();
    database.sql("INSERT INTO regrant.epochs (number, random) VALUES (2, gen_random_uuid())");
    assert_eq!(node.changes().await, Err(StoreError::RolledBack));
    disconnect(&database);
    let told = read(&node, grant(1).id).await.unwrap_err().to_string();
    let told = if told.contains("restored") { told } else { read(&node, grant(1).id).await.unwrap_err().to_string() };
    assert!(told.contains("was restored since it was opened here; start the process again"), "{told}");
    assert_eq!(open(&database).await.identity().epoch().number, EpochNumber(2));
}

#[tokio::test]
async fn what_one_node_was_shown_stops_every_node() {
    let database = Postgres::shared().database();
    let (one, other) = (open(&database).await, open(&database).await);
    add_parties(&one).await;
    insert(&one, &grant(1)).await.unwrap();
    other.changes().await.unwrap();
    let heard = other.hear(0).await;
    one.halt().await.unwrap();
    assert_eq!(advance(&one, grant(1).id).await, Err(StoreError::RolledBack));
    other.hear(heard).await;
    other.changes().await.unwrap();
    assert_eq!(advance(&other, grant(1).id).await, Err(StoreError::RolledBack));
    assert_eq!(database.sql("SELECT generation FROM regrant.grants").trim(), "0");
}

/// Or a restore beside this mark would take a journal that lacks what the others have ended.
#[tokio::test]
async fn the_mark_of_a_node_knows_the_records_of_all() {
    let (database, journal) = (Postgres::shared().database(), Postgres::shared().database());
    let settings = || Settings { journal: Some(address(&journal)), ..Settings::new(address(&database)) };
    let mark = Memory::default();
    let kept = mark.clone();
    let marked = PostgresStore::open_beside(settings(), GENESIS, clock(), |_| Ok(Some(Box::new(kept)))).await.unwrap();
    assert_eq!(mark.journalled.load(Ordering::SeqCst), 1, "that there is a journal");
    let other = PostgresStore::open(settings(), GENESIS, clock()).await.unwrap();
    add_parties(&other).await;
    for _ in 0..3 {
        other.change_user(&grant(1).subject, UserChange::RaiseCutoff).await.unwrap();
    }
    marked.changes().await.unwrap();
    assert_eq!(mark.journalled.load(Ordering::SeqCst), 4);
    other.change_user(&grant(1).subject, UserChange::RaiseCutoff).await.unwrap();
    disconnect(&database);
    let _ = marked.client(&grant(1).client).await;
    marked.client(&grant(1).client).await.unwrap();
    assert_eq!(mark.journalled.load(Ordering::SeqCst), 5, "a connection tells it too");
}

/// As what ends something does, for as long as the journal may take.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_note_that_stops_every_node_waits_for_who_holds_the_row() {
    let database = Postgres::shared().database();
    let node = open(&database).await;
    add_parties(&node).await;
    let holder = "BEGIN; SELECT counter FROM regrant.high_water FOR UPDATE; SELECT pg_sleep(1.5); ROLLBACK";
    let name = database.name().to_owned();
    let held = std::thread::spawn(move || Postgres::shared().sql_in(&name, holder));
    while database.sql("SELECT count(*) FROM pg_locks WHERE relation = 'regrant.high_water'::regclass").trim() == "0" {}
    node.halt().await.unwrap();
    held.join().unwrap();
    assert_ne!(database.sql("SELECT halted_at FROM regrant.high_water").trim(), "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_note_that_stops_every_node_is_written_as_soon_as_it_can_be() {
    let database = Postgres::shared().database();
    let node = open(&database).await;
    add_parties(&node).await;
    insert(&node, &grant(1)).await.unwrap();
    let holder = Holder::of(&database, "SELECT counter FROM regrant.high_water FOR UPDATE");
    node.halt().await.unwrap_err();
    assert_eq!(advance(&node, grant(1).id).await, Err(StoreError::RolledBack));
    node.changes().await.unwrap();
    let halted_at = || database.sql("SELECT halted_at FROM regrant.high_water").trim().to_owned();
    assert_eq!(halted_at(), "", "somebody is in the way still");
    holder.let_go();
    assert_eq!(advance(&node, grant(1).id).await, Err(StoreError::RolledBack));
    node.changes().await.unwrap();
    assert_ne!(halted_at(), "");
    node.changes().await.unwrap();
    assert_eq!(advance(&node, grant(1).id).await, Err(StoreError::RolledBack));
}
