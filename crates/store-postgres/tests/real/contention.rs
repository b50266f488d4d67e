//! Steps in whose way somebody else is.

use std::num::NonZeroU16;
use std::panic::catch_unwind;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use regrant_databases::{Database, Postgres};
use regrant_grant::{Generation, Write};
use regrant_store::{StoreError, Target, decide_in};
use regrant_store_postgres::{PostgresStore, Settings};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::timeout;

use crate::holder::Holder;
use crate::node::{GENESIS, add_parties, address, advance, clock, grant, insert, next, open, read};

/// A row that somebody holds is waited for 200 ms at a time, in the batch and alone. Then the same request may come again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_somebody_holds_is_not_waited_for_for_ever() {
    const PATIENCE: Duration = Duration::from_secs(5);
    let postgres = Postgres::shared();
    let database = postgres.database();
    let node = open(&database).await;
    add_parties(&node).await;
    for number in [1, 2] {
        insert(&node, &grant(number)).await.unwrap();
    }
    let hold = format!("UPDATE regrant.grants SET version = version WHERE id = '{}'", uuid(1));
    let holder = Holder::of(&database, &hold);
    let (held, free) =
        tokio::join!(timeout(PATIENCE, advance(&node, grant(1).id)), timeout(PATIENCE, advance(&node, grant(2).id)),);
    let told = held.expect("it is answered").unwrap_err();
    assert!(matches!(told, StoreError::Unavailable(_)), "{told}");
    assert_eq!(free, Ok(Ok(1)), "another grant is not in the way");
    holder.let_go();
    assert_eq!(advance(&node, grant(1).id).await, Ok(1));
}

/// Steps that travel together lock rows in one order. With somebody who locks them in another, such as an operator by hand, they meet in
/// a deadlock, which the server ends by refusing the steps: each goes on alone.
#[tokio::test]
async fn steps_that_meet_a_deadlock_together_are_done_one_by_one() {
    /// The node gives up a lock after 200 ms: on a machine that stands still meanwhile nobody looks for a deadlock before.
    const MEETINGS_MAX: u32 = 10;
    let postgres = Postgres::shared();
    let database = postgres.database();
    let name = database.name();
    // The node is who finds it: later than the other has come to wait, sooner than it gives up a lock, and the other never looks.
    postgres.sql(&format!("ALTER DATABASE {name} SET deadlock_timeout = '150ms'"));
    let settings = Settings { step_connections: NonZeroU16::MIN, ..Settings::new(address(&database)) };
    let open = async || PostgresStore::open(settings.clone(), GENESIS, clock()).await.unwrap();
    {
        let node = open().await;
        add_parties(&node).await;
        for number in [1, 2] {
            insert(&node, &grant(number)).await.unwrap();
        }
    }
    let mut has_met = false;
    for meeting in 1..=MEETINGS_MAX {
        let node = open().await;
        let lock = |number| format!("UPDATE regrant.grants SET version = version WHERE id = '{}'", uuid(number));
        let other = stand_in_the_way(&database, &lock(2), &lock(1));
        // On one thread, so that both wait before the only connection begins; in another order than that of their rows.
        let (second, first) = tokio::join!(advance(&node, grant(2).id), advance(&node, grant(1).id));
        assert_eq!((first, second), (Ok(meeting), Ok(meeting)));
        other.join().unwrap();
        drop(node);
        has_met = counts_a_deadlock(&database).await;
        if has_met {
            break;
        }
    }
    assert!(has_met, "{MEETINGS_MAX} times nobody saw a deadlock");
}

/// Whether one was met. A session tells what it has counted when it ends, and that may take a moment.
async fn counts_a_deadlock(database: &Database<'_>) -> bool {
    /// A question takes some milliseconds.
    const QUESTIONS_MAX: u32 = 500;
    let deadlocks = format!("SELECT deadlocks FROM pg_stat_database WHERE datname = '{}'", database.name());
    for _ in 0..QUESTIONS_MAX {
        if Postgres::shared().sql(&deadlocks).trim() != "0" {
            return true;
        }
        yield_now().await;
    }
    false
}

/// The row is taken first, and what was relied on looked at then: what changes while the row is waited for is seen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_while_a_row_is_waited_for_is_seen() {
    let database = Postgres::shared().database();
    let node = open(&database).await;
    add_parties(&node).await;
    insert(&node, &grant(1)).await.unwrap();
    let hold = format!("PERFORM FROM regrant.grants WHERE id = '{}' FOR UPDATE", uuid(1));
    let change = "UPDATE regrant.clients SET cutoff = cutoff + 1, version = version + 1";
    let other = stand_in_the_way(&database, &format!("DO $$ BEGIN {hold}; END $$"), change);
    let mut calls = 0;
    let calls = decide_in(node.as_ref(), Target::Grant(grant(1).id), None, move |scene| {
        calls += 1;
        // The second time it would be refused.
        (calls, if calls == 1 { Write::Update(next(scene)) } else { Write::Nothing })
    });
    assert_eq!(calls.await, Ok(2));
    other.join().unwrap();
    assert_eq!(read(&node, grant(1).id).await.unwrap().unwrap().generation, Generation(0));
}

/// However many steps want it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_somebody_holds_keeps_one_connection_waiting() {
    const LOOKS: u32 = 20;
    let postgres = Postgres::shared();
    let database = postgres.database();
    let node = open(&database).await;
    add_parties(&node).await;
    insert(&node, &grant(1)).await.unwrap();
    let name = database.name();
    let hold = format!("UPDATE regrant.grants SET version = version WHERE id = '{}'", uuid(1));
    let other = stand_in_the_way(&database, &hold, "DO 'BEGIN PERFORM pg_sleep(600); END'");
    let steps: Vec<_> = (0..24)
        .map(|_| {
            let node = Arc::clone(&node);
            tokio::spawn(async move { advance(&node, grant(1).id).await })
        })
        .collect();
    let wait = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}' AND wait_event_type = 'Lock'");
    let mut seen = 0;
    while seen < LOOKS && !steps.iter().all(JoinHandle::is_finished) {
        match postgres.sql(&wait).trim() {
            "0" => {}
            count => {
                assert_eq!(count, "1");
                seen += 1;
            }
        }
    }
    assert!(seen > 0, "none waited");
    postgres.sql(&format!(
        "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = '{name}' AND query LIKE 'DO %'"
    ));
    for step in steps {
        // Those whose turn had come before have given up.
        let _ = step.await.unwrap();
    }
    let _ = other.join();
    assert!(advance(&node, grant(1).id).await.is_ok());
}

/// Somebody who does `first`, and `then` once somebody waits for them; returned when the first is done.
fn stand_in_the_way(database: &Database<'_>, first: &str, then: &str) -> thread::JoinHandle<()> {
    let script = format!(
        "SET deadlock_timeout = '1h';
         BEGIN;
         {first};
         DO $$ BEGIN
             WHILE NOT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid) LOOP
                 PERFORM pg_sleep(0.01);
             END LOOP;
         END $$;
         {then};
         COMMIT;"
    );
    let name = database.name().to_owned();
    let stands = format!(
        "SELECT count(*) FROM pg_stat_activity
         WHERE datname = '{name}' AND query LIKE 'DO %pg_locks%' AND state = 'active'"
    );
    let standing = thread::spawn(move || {
        let _ = catch_unwind(|| Postgres::shared().sql_in(&name, &script));
    });
    while Postgres::shared().sql(&stands).trim() == "0" {
        assert!(!standing.is_finished(), "it holds nothing");
    }
    standing
}

/// The id of a grant as the database writes it.
fn uuid(number: u64) -> String {
    format!("{number:032x}")
}
