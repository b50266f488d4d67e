//! What nodes tell one another by the database.

use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use regrant_databases::Postgres;
use regrant_protocol::{Clock, Kid, ManualClock, SystemClock, Timestamp};
use regrant_store::{
    AnnouncedKey, Changes, ClientChange, NODE_REMEMBERED_SECONDS, NewKeys, Node, NodeId, SealedSigningKey, SharedStore,
    SigningKeyChange, Store,
};
use regrant_store_postgres::{PostgresStore, Settings, TimeOfDay};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::holder::Holder;
use crate::node::{GENESIS, add_parties, address, client, open};

/// Longer than any machine that runs tests needs.
const PATIENCE: Duration = Duration::from_secs(60);

fn signing_key(name: &str) -> SealedSigningKey {
    SealedSigningKey {
        key_id: name.to_owned(),
        algorithm: "ES256".to_owned(),
        sealed_under: Kid(1),
        sealed: vec![1],
        created_at: Timestamp::from_seconds(1),
        signs_from: Timestamp::from_seconds(1),
        withdrawn_at: None,
    }
}

const MASTER: AnnouncedKey = AnnouncedKey { kid: Kid(1), check_value: [1; 8] };

async fn hears(node: &PostgresStore, heard: u64) -> u64 {
    timeout(PATIENCE, node.hear(heard)).await.expect("it is told")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_hears_of_what_another_one_commits_and_counts_it() {
    let database = Postgres::shared().database();
    let (one, other) = (open(&database).await, open(&database).await);
    // That it has begun to listen.
    let mut heard = hears(&other, 0).await;
    let mut before = other.changes().await.unwrap();
    assert_eq!(before, Changes::default());
    let keys = Changes { keys: 1, ..Changes::default() };
    let clients = Changes { clients: 1, ..Changes::default() };
    let id = client("app", 1).id;
    for (number, expected) in [clients, clients, keys, keys, keys, keys, clients].into_iter().enumerate() {
        match number {
            0 => one.add_client(client("app", 1)).await.unwrap(),
            1 => one.change_client(&id, ClientChange::RaiseCutoff).await.unwrap(),
            2 => one.announce_key(MASTER).await.unwrap(),
            3 => one.add_signing_key(signing_key("a")).await.unwrap(),
            4 => {
                let withdraw = SigningKeyChange::Withdraw(Timestamp::from_seconds(2));
                one.change_signing_key("a", withdraw).await.unwrap();
            }
            5 => {
                let withdrawn_at = Timestamp::from_seconds(3);
                let master = AnnouncedKey { kid: Kid(2), ..MASTER };
                one.replace_keys(NewKeys { master, signing: Vec::new(), withdrawn_at }).await.unwrap();
            }
            _ => one.change_client(&id, ClientChange::Remove).await.unwrap(),
        }
        heard = hears(&other, heard).await;
        let after = other.changes().await.unwrap();
        let counted = (after.clients > before.clients, after.keys > before.keys);
        assert_eq!(counted, (expected.clients > 0, expected.keys > 0), "{number}");
        before = after;
    }
    // What failed is not told.
    one.announce_key(AnnouncedKey { check_value: [9; 8], kid: Kid(2) }).await.unwrap_err();
    assert_eq!(other.changes().await.unwrap(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_connection_was_lost_listens_again() {
    let postgres = Postgres::shared();
    let database = postgres.database();
    let (one, other) = (open(&database).await, open(&database).await);
    let heard = hears(&other, 0).await;
    let name = database.name();
    postgres.sql(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"));
    // It may have missed something, and says so.
    let heard = hears(&other, heard).await;
    let added = async { while one.add_signing_key(signing_key("a")).await.is_err() {} };
    timeout(PATIENCE, added).await.expect("a lost connection is made again");
    hears(&other, heard).await;
    assert_eq!(other.signing_keys().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_nodes_that_make_the_first_signing_key_together_one_does() {
    let database = Postgres::shared().database();
    let nodes = [open(&database).await, open(&database).await];
    let mut making = JoinSet::new();
    for number in 0..16 {
        let node = Arc::clone(&nodes[number % 2]);
        making.spawn(async move { node.add_first_signing_key(signing_key(&format!("key-{number}"))).await });
    }
    assert!(making.join_all().await.iter().all(Result::is_ok));
    let kept = nodes[0].signing_keys().await.unwrap();
    assert_eq!(kept.len(), 1);
    // One that was withdrawn is none, and one for something else hinders nobody.
    let withdraw = SigningKeyChange::Withdraw(Timestamp::from_seconds(2));
    nodes[0].change_signing_key(&kept[0].key_id, withdraw).await.unwrap();
    let other = SealedSigningKey { algorithm: "EdDSA".to_owned(), ..signing_key("other") };
    for key in [signing_key("next"), other] {
        nodes[1].add_first_signing_key(key).await.unwrap();
    }
    assert_eq!(nodes[0].signing_keys().await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_node_is_remembered_as_it_last_told_until_it_was_not_seen_for_long() {
    let database = Postgres::shared().database();
    let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(1_800_000_000)));
    let settings = Settings { time_of_day: TimeOfDay::Given, ..Settings::new(address(&database)) };
    let store = PostgresStore::open(settings, GENESIS, Arc::clone(&clock) as Arc<dyn Clock>).await.unwrap();
    add_parties(&store).await;
    let node = |number: u8, newest_key| Node {
        id: NodeId([number; 16]),
        name: format!("node-{number}"),
        version: "1.2.3".to_owned(),
        newest_key,
    };
    let newer = AnnouncedKey { kid: Kid(2), check_value: [2; 8] };
    store.note_node(&node(2, MASTER)).await.unwrap();
    clock.advance_milliseconds(500);
    store.note_node(&node(1, MASTER)).await.unwrap();
    clock.advance_milliseconds(500);
    store.note_node(&node(1, newer)).await.unwrap();
    let seen = async || {
        let nodes = store.nodes().await.unwrap();
        nodes.into_iter().map(|seen| (seen.node, seen.seen_milliseconds_ago)).collect::<Vec<_>>()
    };
    assert_eq!(seen().await, [(node(1, newer), 0), (node(2, MASTER), 1_000)]);
    clock.advance_seconds(NODE_REMEMBERED_SECONDS);
    store.note_node(&node(3, MASTER)).await.unwrap();
    let remembered = u64::from(NODE_REMEMBERED_SECONDS) * 1_000;
    assert_eq!(seen().await, [(node(1, newer), remembered), (node(3, MASTER), 0)]);
    // What a node tells of itself is no change that others would have to follow.
    let before = store.changes().await.unwrap();
    store.note_node(&node(4, MASTER)).await.unwrap();
    assert_eq!(store.changes().await.unwrap(), before);
}

/// Whoever is there tells so again by the clock of now; the others would be waited for until that time comes.
#[tokio::test]
async fn a_node_that_was_seen_in_the_future_is_not_there() {
    let database = Postgres::shared().database();
    let at = async |seconds| {
        let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(seconds)));
        let settings = Settings { time_of_day: TimeOfDay::Given, ..Settings::new(address(&database)) };
        PostgresStore::open(settings, GENESIS, clock as Arc<dyn Clock>).await.unwrap()
    };
    let (ahead, now) = (at(1_800_000_060).await, at(1_800_000_000).await);
    let node = |number: u8| Node {
        id: NodeId([number; 16]),
        name: format!("node-{number}"),
        version: "1.2.3".to_owned(),
        newest_key: MASTER,
    };
    for number in [1, 2] {
        ahead.note_node(&node(number)).await.unwrap();
    }
    let names = async |store: &PostgresStore| {
        store.nodes().await.unwrap().into_iter().map(|seen| seen.node.name).collect::<Vec<_>>()
    };
    assert_eq!(names(&ahead).await, ["node-1", "node-2"]);
    assert_eq!(names(&now).await, [""; 0]);
    now.note_node(&node(1)).await.unwrap();
    assert_eq!(names(&now).await, ["node-1"]);
    assert_eq!(names(&ahead).await, ["node-1"], "the other is forgotten");
}

/// Or a queue of other calls would be taken for a database that cannot be asked, and end what the node relies on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_for_changes_waits_for_nobody_else() {
    let database = Postgres::shared().database();
    let settings = Settings { other_connections: NonZeroU16::MIN, ..Settings::new(address(&database)) };
    let store = Arc::new(PostgresStore::open(settings, GENESIS, Arc::new(SystemClock)).await.unwrap());
    add_parties(&store).await;
    let holder = Holder::of(&database, "LOCK TABLE regrant.clients");
    let count = |rest: &str| Postgres::shared().sql(&format!("SELECT count(*) {rest}")).trim().to_owned();
    let mut reading = JoinSet::new();
    for _ in 0..6 {
        let store = Arc::clone(&store);
        reading.spawn(async move { store.client(&client("app", 1).id).await });
    }
    let waiting = format!("FROM pg_stat_activity WHERE datname = '{}' AND wait_event_type = 'Lock'", database.name());
    while count(&waiting) == "0" {}
    store.changes().await.unwrap();
    store.announced_keys().await.unwrap();
    store.signing_keys().await.unwrap();
    let answered = std::iter::from_fn(|| reading.try_join_next()).count();
    assert!(answered < 6, "the others wait still");
    holder.let_go();
    reading.abort_all();
}
