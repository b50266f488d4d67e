//! The journal in a second database: what ends is there before anybody hears of it.

use std::sync::Arc;

use regrant_databases::{Database, Postgres};
use regrant_grant::{GrantId, Realm};
use regrant_protocol::{Kid, ManualClock, Timestamp};
use regrant_store::{
    AnnouncedKey, ClientChange, Ending, Node, NodeId, SharedStore, Store, StoreError, UserChange, UserStatus, stored,
};
use regrant_store_postgres::{Genesis, OpenError, PostgresStore, Settings};
use tokio::task::JoinSet;

use crate::faults::own;
use crate::node::{GENESIS, add_parties, address, advance, clock, grant, insert, read};

async fn open_beside(database: &Database<'_>, journal: &Database<'_>) -> Result<PostgresStore, OpenError> {
    open_as(database, journal, GENESIS).await
}

async fn open_as(
    database: &Database<'_>,
    journal: &Database<'_>,
    genesis: Genesis,
) -> Result<PostgresStore, OpenError> {
    let settings = Settings { journal: Some(address(journal)), ..Settings::new(address(database)) };
    PostgresStore::open(settings, genesis, clock()).await
}

/// What a journal has, in its order.
fn records(journal: &Database<'_>) -> Vec<Ending> {
    let found = journal.sql("SELECT ending FROM regrant_journal.records ORDER BY number");
    found.lines().map(|line| stored::ending::from_json(line).expect("it is an ending")).collect()
}

fn last(journal: &Database<'_>) -> String {
    journal.sql("SELECT max(number), max(counter) FROM regrant_journal.records").trim().to_owned()
}

fn place(database: &Database<'_>) -> String {
    database.sql("SELECT journalled, counter FROM regrant.high_water").trim().to_owned()
}

/// What a commit leaves that was journalled, and failed then.
fn leave(database: &Database<'_>, journal: &Database<'_>, ending: &Ending) {
    let counter = database.sql("SELECT counter + 1 FROM regrant.high_water");
    let json = stored::ending::to_json(ending);
    journal.sql(&format!(
        "INSERT INTO regrant_journal.records SELECT max(number) + 1, {counter}, 1, '{json}' FROM regrant_journal.records"
    ));
}

fn ended(number: u64) -> Ending {
    Ending::Grant { id: grant(number).id, at: clock().now() }
}

async fn is_revoked(node: &PostgresStore, id: GrantId) -> bool {
    read(node, id).await.expect("the store answers").expect("it was made").revoked_at.is_some()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_several_nodes_end_is_in_one_journal_in_the_order_of_their_commits() {
    const ENDINGS_OF_EACH: u32 = 20;
    let (database, journal) = (Postgres::shared().database(), Postgres::shared().database());
    let mut nodes = Vec::new();
    for _ in 0..3 {
        nodes.push(Arc::new(open_beside(&database, &journal).await.unwrap()));
    }
    add_parties(&nodes[0]).await;
    let mut endings = JoinSet::new();
    for node in &nodes {
        let node = Arc::clone(node);
        endings.spawn(async move {
            for _ in 0..ENDINGS_OF_EACH {
                node.change_user(&grant(1).subject, UserChange::RaiseCutoff).await.unwrap();
            }
        });
    }
    endings.join_all().await;
    let cutoffs: Vec<u32> = records(&journal)
        .iter()
        .filter_map(|ending| if let Ending::UserCutoff { cutoff, .. } = ending { Some(*cutoff) } else { None })
        .collect();
    assert_eq!(cutoffs, (1..=3 * ENDINGS_OF_EACH).collect::<Vec<_>>());
    // The first record says that there is a journal.
    assert!(matches!(records(&journal)[0], Ending::Epoch { .. }));
    assert_eq!(last(&journal), place(&database));
}

#[tokio::test]
async fn what_cannot_be_journalled_is_not_done_and_what_ends_nothing_goes_on() {
    let (database, journal) = (Postgres::shared().database(), Postgres::shared().database());
    let settings = Settings { journal: Some(address(&journal)), ..Settings::new(address(&database)) };
    let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(1)));
    let node = PostgresStore::open(settings, GENESIS, Arc::clone(&clock) as _).await.unwrap();
    add_parties(&node).await;
    insert(&node, &grant(1)).await.unwrap();
    journal.sql("ALTER TABLE regrant_journal.records RENAME TO away");
    let locked = async || node.change_user(&grant(1).subject, UserChange::Status(UserStatus::Locked)).await;
    let told = locked().await.unwrap_err().to_string();
    assert!(told.contains("the revocation journal at postgres://") && !told.contains('\n'), "{told}");
    assert_eq!(database.sql("SELECT status FROM regrant.users").trim(), "active");
    assert_eq!(advance(&node, grant(1).id).await, Ok(1));
    journal.sql("ALTER TABLE regrant_journal.away RENAME TO records");
    clock.advance_seconds(1);
    locked().await.unwrap();
    assert_eq!(database.sql("SELECT status FROM regrant.users").trim(), "locked");
    assert_eq!(last(&journal), place(&database));
}

#[tokio::test]
async fn what_a_commit_that_failed_has_left_in_the_journal_is_done_by_the_next_or_at_the_start() {
    let (database, journal) = (Postgres::shared().database(), Postgres::shared().database());
    let node = open_beside(&database, &journal).await.unwrap();
    add_parties(&node).await;
    for number in [1, 2] {
        insert(&node, &grant(number)).await.unwrap();
    }
    leave(&database, &journal, &ended(1));
    let raise = async || node.change_user(&grant(1).subject, UserChange::RaiseCutoff).await;
    let told = raise().await.unwrap_err().to_string();
    assert!(told.contains("the same request can be sent again"), "{told}");
    assert!(is_revoked(&node, grant(1).id).await && !is_revoked(&node, grant(2).id).await);
    raise().await.unwrap();
    assert_eq!(last(&journal), place(&database));

    leave(&database, &journal, &ended(2));
    let other = open_beside(&database, &journal).await.unwrap();
    assert!(is_revoked(&other, grant(2).id).await);
    assert_eq!(last(&journal), place(&database));
}

#[tokio::test]
async fn a_journal_that_is_ahead_by_more_than_a_commit_stops_every_node() {
    let (database, journal) = (Postgres::shared().database(), Postgres::shared().database());
    let node = open_beside(&database, &journal).await.unwrap();
    add_parties(&node).await;
    insert(&node, &grant(1)).await.unwrap();
    let ignorant = open_beside(&database, &journal).await.unwrap();
    for _ in 0..2 {
        leave(&database, &journal, &ended(1));
        database.sql("UPDATE regrant.high_water SET counter = counter + 1");
    }
    database.sql("UPDATE regrant.high_water SET counter = counter - 2");
    let told = node.change_user(&grant(1).subject, UserChange::RaiseCutoff).await.unwrap_err();
    assert_eq!(told, StoreError::RolledBack.into());
    assert_eq!(advance(&node, grant(1).id).await, Err(StoreError::RolledBack));
    ignorant.changes().await.unwrap();
    assert_eq!(advance(&ignorant, grant(1).id).await, Err(StoreError::RolledBack));

    database.sql("UPDATE regrant.high_water SET halted_at = NULL");
    let told = open_beside(&database, &journal).await.err().unwrap().to_string();
    assert!(told.contains("the journal was written when it had come to"), "{told}");
    assert_ne!(database.sql("SELECT halted_at FROM regrant.high_water").trim(), "");
}

#[tokio::test]
async fn a_journal_of_another_store_or_of_an_earlier_day_is_refused() {
    let (database, journal) = (Postgres::shared().database(), Postgres::shared().database());
    let node = open_beside(&database, &journal).await.unwrap();
    add_parties(&node).await;
    node.change_user(&grant(1).subject, UserChange::RaiseCutoff).await.unwrap();
    let other = Postgres::shared().database();
    let genesis = Genesis { realm: Realm([9; 16]), epoch_random: [9; 16] };
    let told = open_as(&other, &journal, genesis).await.err().unwrap().to_string();
    assert!(told.contains("is the journal of another store"), "{told}");
    journal.sql("DELETE FROM regrant_journal.records WHERE number = 2");
    let told = open_beside(&database, &journal).await.err().unwrap().to_string();
    assert!(told.contains("the journal ends with record 1, and the database has record 2"), "{told}");
    let told = node.change_user(&grant(1).subject, UserChange::RaiseCutoff).await.unwrap_err().to_string();
    assert!(told.contains("the journal ends with record 1"), "{told}");
    assert_eq!(database.sql("SELECT halted_at FROM regrant.high_water").trim(), "", "it is the journal that is old");
}

#[tokio::test]
async fn a_journal_that_lacks_a_record_is_told_and_not_taken_for_done() {
    for missing in [1, 2] {
        let (database, journal) = (Postgres::shared().database(), Postgres::shared().database());
        let node = open_beside(&database, &journal).await.unwrap();
        add_parties(&node).await;
        insert(&node, &grant(1)).await.unwrap();
        // As one commit leaves them that ended three grants, and failed.
        for record in [2, 3, 4] {
            leave(&database, &journal, &ended(record - 1));
        }
        journal.sql(&format!("DELETE FROM regrant_journal.records WHERE number = {}", missing + 1));
        let told = open_beside(&database, &journal).await.err().unwrap().to_string();
        let expected = format!("lacks record {} of 4; put it back from a copy", missing + 1);
        assert!(told.contains(&expected), "{told}");
        assert!(!is_revoked(&node, grant(1).id).await, "nothing of it was done");
    }
}

/// Who ends a grant has its row before that of the counter; a start that does again what the journal has, has them the other way round.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_meets_somebody_who_ends_something_begins_again() {
    let (database, journal) = (Postgres::shared().database(), Postgres::shared().database());
    let node = open_beside(&database, &journal).await.unwrap();
    add_parties(&node).await;
    insert(&node, &grant(1)).await.unwrap();
    leave(&database, &journal, &ended(1));
    let name = database.name().to_owned();
    let script = "
        SET deadlock_timeout = '1h';
        BEGIN;
        UPDATE regrant.grants SET version = version;
        DO $$ BEGIN
            WHILE NOT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid) LOOP
                PERFORM pg_sleep(0.01);
            END LOOP;
        END $$;
        SELECT counter FROM regrant.high_water FOR UPDATE;
        COMMIT;";
    let ending = std::thread::spawn(move || Postgres::shared().sql_in(&name, script));
    let held =
        "SELECT count(*) FROM pg_locks WHERE relation = 'regrant.grants'::regclass AND mode = 'RowExclusiveLock'";
    while database.sql(held).trim() == "0" {}
    let other = open_beside(&database, &journal).await.unwrap();
    ending.join().unwrap();
    assert!(is_revoked(&other, grant(1).id).await);
}

/// What a server shows that has crashed may be lost, and with it the only trace of what was done by it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_done_that_a_journal_shows_which_commits_nothing() {
    const TRIES_MAX: u32 = 100;
    let (database, postgres) = (Postgres::shared().database(), Postgres::start());
    let settings = || Settings { journal: Some(own(&postgres)), ..Settings::new(address(&database)) };
    let node = PostgresStore::open(settings(), GENESIS, clock()).await.unwrap();
    add_parties(&node).await;
    insert(&node, &grant(1)).await.unwrap();
    let json = stored::ending::to_json(&ended(1));
    postgres.sql(&format!("INSERT INTO regrant_journal.records VALUES (2, 2, 1, '{json}')"));
    postgres.let_commits_wait();
    for _ in 0..TRIES_MAX {
        // Where the server has not heard of the setting yet, it is believed.
        if let Err(told) = PostgresStore::open(settings(), GENESIS, clock()).await {
            assert!(told.to_string().starts_with("the revocation journal at"), "{told}");
            return;
        }
        database.sql("UPDATE regrant.high_water SET journalled = 1; UPDATE regrant.grants SET revoked_at = NULL");
    }
    panic!("it is believed");
}

/// A client that closes its connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_being_journalled_is_done_when_nobody_waits_for_it_any_more() {
    const WAITING: &str =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
    let (database, journal) = (Postgres::shared().database(), Postgres::shared().database());
    let node = Arc::new(open_beside(&database, &journal).await.unwrap());
    add_parties(&node).await;
    journal.sql(
        "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1); RETURN NEW; END';
         CREATE TRIGGER slowly BEFORE INSERT ON regrant_journal.records FOR EACH ROW EXECUTE FUNCTION slowly()",
    );
    let raising = Arc::clone(&node);
    let raising = tokio::spawn(async move { raising.change_user(&grant(1).subject, UserChange::RaiseCutoff).await });
    while journal.sql(WAITING).trim() == "0" {}
    raising.abort();
    assert!(raising.await.unwrap_err().is_cancelled());
    node.change_client(&grant(1).client, ClientChange::RaiseCutoff).await.unwrap();
    assert_eq!(database.sql("SELECT users.cutoff, clients.cutoff FROM regrant.users, regrant.clients").trim(), "1|1");
    assert_eq!(last(&journal), place(&database));
}

/// What ended at the one and at the other would be in neither journal as a whole.
#[tokio::test]
async fn all_nodes_name_the_journal_of_the_store_and_another_is_begun_when_none_is_there() {
    let (database, journal) = (Postgres::shared().database(), Postgres::shared().database());
    let another = Postgres::shared().database();
    let node = open_beside(&database, &journal).await.unwrap();
    add_parties(&node).await;
    let told =
        PostgresStore::open(Settings::new(address(&database)), GENESIS, clock()).await.err().unwrap().to_string();
    assert!(told.ends_with("Name it in store.journal, as every node has to") && !told.contains('\n'), "{told}");

    let newest_key = AnnouncedKey { kid: Kid::FIRST, check_value: [0; 8] };
    let seen = Node { id: NodeId([1; 16]), name: "web-1".to_owned(), version: "1".to_owned(), newest_key };
    node.note_node(&seen).await.unwrap();
    let told = open_beside(&database, &another).await.err().unwrap().to_string();
    let expected = "has no revocation journal in it; name the one of this store in store.journal (nodes that were there a moment ago: web-1;";
    assert!(told.contains(expected) && !told.contains('\n'), "{told}");
    assert_eq!(another.sql("SELECT to_regnamespace('regrant_journal')").trim(), "");
    open_beside(&database, &journal).await.unwrap();

    database.sql("UPDATE regrant.nodes SET seen_at = seen_at - 10000");
    let other = open_beside(&database, &another).await.unwrap();
    other.change_user(&grant(1).subject, UserChange::RaiseCutoff).await.unwrap();
    assert_eq!(last(&another), place(&database));
}

#[tokio::test]
async fn a_journal_that_cannot_be_reached_keeps_a_node_from_starting() {
    let database = Postgres::shared().database();
    let nowhere = tempfile::tempdir().unwrap();
    let url = format!("postgres://postgres@/journal?host={}", nowhere.path().display());
    let journal = regrant_store_postgres::Address::parse(&url, None).unwrap();
    let settings = Settings { journal: Some(journal), ..Settings::new(address(&database)) };
    let told = PostgresStore::open(settings, GENESIS, clock()).await.err().unwrap();
    assert!(matches!(told, OpenError::Outside(_)), "{told}");
    assert!(told.to_string().starts_with("the revocation journal"), "{told}");
}
