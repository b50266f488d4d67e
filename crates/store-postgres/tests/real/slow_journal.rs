//! A journal that is silent: what ends waits for it or fails, and nobody else does.

use std::num::NonZeroU16;
use std::pin::Pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Waker};

use regrant_databases::{Database, Postgres};
use regrant_grant::{Grant, Write};
use regrant_protocol::{Clock, ManualClock, Timestamp};
use regrant_store::{Scene, Store, StoreError, Target, UserChange, decide_in};
use regrant_store_postgres::{Address, PostgresStore, Settings};
use tokio::sync::oneshot;

use crate::gate::Gate;
use crate::node::{GENESIS, add_parties, address, advance, clock, grant, insert, read};

/// A node with one lane.
async fn open(database: &Database<'_>, journal: Address, clock: Arc<dyn Clock>) -> PostgresStore {
    let settings =
        Settings { journal: Some(journal), step_connections: NonZeroU16::MIN, ..Settings::new(address(database)) };
    PostgresStore::open(settings, GENESIS, clock).await.expect("both are there")
}

async fn revoke(store: &PostgresStore, number: u64) -> Result<(), StoreError> {
    decide_in(store, Target::Grant(grant(number).id), None, |scene| {
        let row = scene.grant.expect("it was made");
        ((), Write::Update(Grant { version: row.version + 1, revoked_at: Some(scene.now), ..row.clone() }))
    })
    .await
}

/// Lets a future do what it does before it waits.
fn begin<T>(future: &mut Pin<Box<impl Future<Output = T> + ?Sized>>) {
    let begun = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(begun.is_pending(), "it has to wait");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_beside_what_ends_something_does_not_wait_for_the_journal() {
    let (database, journal, gate) = (Postgres::shared().database(), Postgres::shared().database(), Gate::open().await);
    let node = open(&database, Gate::address(&gate, false, &journal), clock()).await;
    add_parties(&node).await;
    for number in 0..6 {
        insert(&node, &grant(number)).await.unwrap();
    }
    // All of them wait in the lane while the first is decided, and are decided together.
    let ((begun, has_begun), (go_on, may_go_on)) = (oneshot::channel(), mpsc::channel());
    let mut begun = Some(begun);
    let holding = decide_in(&node, Target::Grant(grant(0).id), None, move |_: &Scene<'_>| {
        let _ = begun.take().map(|begun| begun.send(()));
        (may_go_on.recv().expect("it is told"), Write::Nothing)
    });
    let mut holding = Box::pin(holding);
    begin(&mut holding);
    has_begun.await.unwrap();
    let mut ending = Box::pin(revoke(&node, 1));
    begin(&mut ending);
    let mut refreshes: Vec<_> = (2..6).map(|number| Box::pin(advance(&node, grant(number).id))).collect();
    refreshes.iter_mut().for_each(begin);
    gate.close();
    go_on.send(()).unwrap();
    holding.await.unwrap();
    for refresh in refreshes {
        assert_eq!(refresh.await, Ok(1));
    }
    // Whoever comes then waits for nothing either, and for no row that is held.
    assert_eq!(advance(&node, grant(2).id).await, Ok(2));
    begin(&mut ending);
    let told = ending.await.unwrap_err().to_string();
    assert!(told.contains("the revocation journal at postgres://"), "{told}");
    assert_eq!(read(&node, grant(1).id).await.unwrap().unwrap().revoked_at, None);
}

#[tokio::test]
async fn who_ends_something_right_after_the_journal_has_failed_hears_so_at_once() {
    let (database, journal, gate) = (Postgres::shared().database(), Postgres::shared().database(), Gate::open().await);
    let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(1)));
    let node = open(&database, Gate::address(&gate, false, &journal), Arc::clone(&clock) as _).await;
    add_parties(&node).await;
    insert(&node, &grant(1)).await.unwrap();
    gate.close();
    let raise = async || node.change_user(&grant(1).subject, UserChange::RaiseCutoff).await;
    let told = raise().await.unwrap_err().to_string();
    assert!(told.contains("it did not answer in time"), "{told}");
    let connections = gate.connections();
    for _ in 0..8 {
        let told = raise().await.unwrap_err().to_string();
        assert!(told.contains("it did not answer a moment ago"), "{told}");
        let told = revoke(&node, 1).await.unwrap_err().to_string();
        assert!(told.contains("it did not answer a moment ago"), "{told}");
    }
    assert_eq!(gate.connections(), connections, "nobody asked it");
    gate.open_again();
    clock.advance_seconds(1);
    raise().await.unwrap();
    revoke(&node, 1).await.unwrap();
}

#[tokio::test]
async fn a_host_of_the_journal_that_is_silent_does_not_keep_us_from_the_next() {
    /// One for each second that the silent one may take, and some more.
    const TRIES_MAX: u32 = 8;
    let (database, journal, gate) = (Postgres::shared().database(), Postgres::shared().database(), Gate::open().await);
    let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(1)));
    let both = || Gate::address(&gate, true, &journal);
    let node = open(&database, both(), Arc::clone(&clock) as _).await;
    add_parties(&node).await;
    gate.close();
    let mut tried = 0;
    while let Err(told) = node.change_user(&grant(1).subject, UserChange::RaiseCutoff).await {
        tried += 1;
        assert!(tried < TRIES_MAX, "{told}");
        clock.advance_seconds(3);
    }
    drop(node);
    // At the start everybody waits for as long as it takes.
    open(&database, both(), clock).await;
}
