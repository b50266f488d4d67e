//! What becomes of steps when the database fails, and that nothing is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use regrant_databases::Postgres;
use regrant_grant::{Grant, Realm, Write};
use regrant_protocol::{Clock, ManualClock, Timestamp};
use regrant_store::{Scene, SharedStore, Store, StoreError, Target, UserChange, decide_in};
use regrant_store_postgres::{Address, COMMIT_MILLISECONDS_MAX, Genesis, PostgresStore, Settings};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::node::{GENESIS, add_parties, address, advance, client, clock, grant, insert, open, open_at, read};
use crate::rollback::Memory;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_before_a_crash_is_there_after_it() {
    const CHAINS: u64 = 32;
    const STEPS_BEFORE_CRASH: u32 = 400;
    let mut postgres = Postgres::start();
    let node = Arc::new(open_at(own(&postgres)).await.unwrap());
    add_parties(&node).await;
    let done = Arc::new(AtomicU32::new(0));
    let (begin_crash, crash_begins) = oneshot::channel();
    let mut begin_crash = Some(begin_crash);
    let mut chains = JoinSet::new();
    for number in 0..CHAINS {
        insert(&node, &grant(number)).await.unwrap();
        let (node, done, begin_crash) = (Arc::clone(&node), Arc::clone(&done), begin_crash.take());
        chains.spawn(async move {
            let (mut acknowledged, mut begin_crash) = (0, begin_crash);
            loop {
                match advance(&node, grant(number).id).await {
                    Ok(generation) => acknowledged = generation,
                    Err(error) => break (number, acknowledged, error),
                }
                if done.fetch_add(1, Ordering::Relaxed) > STEPS_BEFORE_CRASH {
                    let _ = begin_crash.take().map(|begin| begin.send(()));
                }
            }
        });
    }
    crash_begins.await.unwrap();
    postgres.crash();
    let chains = chains.join_all().await;
    postgres.restart();
    for (number, acknowledged, error) in chains {
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
        let found = read(&node, grant(number).id).await.unwrap().unwrap().generation.0;
        // The step that was under way may have been committed, and nobody was told.
        assert!((acknowledged..=acknowledged + 1).contains(&found), "{number}: {acknowledged}, {found}");
        assert_eq!(advance(&node, grant(number).id).await, Ok(found + 1));
    }
}

#[tokio::test]
async fn another_store_in_the_place_of_the_one_that_was_opened_is_left_alone() {
    let postgres = Postgres::shared();
    let (ours, theirs) = (postgres.database(), postgres.database());
    let node = open(&ours).await;
    add_parties(&node).await;
    insert(&node, &grant(1)).await.unwrap();
    let genesis = Genesis { realm: Realm([9; 16]), epoch_random: [9; 16] };
    let other = PostgresStore::open(Settings::new(address(&theirs)), genesis, clock()).await.unwrap();
    add_parties(&other).await;
    insert(&other, &grant(1)).await.unwrap();
    drop(other);
    let (ours, theirs) = (ours.name(), theirs.name());
    let swapped = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN ('{ours}', '{theirs}');
         ALTER DATABASE {ours} RENAME TO aside; ALTER DATABASE {theirs} RENAME TO {ours};"
    );
    postgres.sql(&swapped);
    // The first to come may hear that its connection has ended.
    let mut refused = advance(&node, grant(1).id).await.unwrap_err().to_string();
    if !refused.contains("another store") {
        refused = advance(&node, grant(1).id).await.unwrap_err().to_string();
    }
    assert!(refused.contains("another store"), "{refused}");
    assert_eq!(postgres.sql_in(ours, "SELECT sum(version) FROM regrant.grants").trim(), "1");
    postgres.sql(&format!("ALTER DATABASE {ours} RENAME TO {theirs}; ALTER DATABASE aside RENAME TO {ours}"));
    assert_eq!(advance(&node, grant(1).id).await, Ok(1));
}

#[tokio::test]
async fn a_pooler_that_gives_sessions_to_others_is_named() {
    let postgres = Postgres::shared();
    let database = postgres.database();
    let node = open(&database).await;
    add_parties(&node).await;
    insert(&node, &grant(1)).await.unwrap();
    // As PgBouncer makes the server say it, by pool_mode = transaction.
    for code in ["26000", "42P05"] {
        database.sql(&format!(
            "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION 'prepared statement \"s0\" is another' USING ERRCODE = '{code}'; END $$;
             CREATE OR REPLACE TRIGGER refuse BEFORE UPDATE ON regrant.grants EXECUTE FUNCTION refuse()"
        ));
        let told = advance(&node, grant(1).id).await.unwrap_err().to_string();
        assert!(told.contains("is another (a pooler in between") && told.contains("pool_mode = session"), "{told}");
    }
}

/// A commit that an operator cancels while it waits for its standby has happened, and may be lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_hears_that_a_commit_without_its_standby_is_durable() {
    let postgres = Postgres::start();
    let node = node_with_grant(&postgres).await;
    postgres.let_commits_wait();
    let step = || {
        let node = Arc::clone(&node);
        tokio::spawn(async move { advance(&node, grant(1).id).await })
    };
    let mut waiting = step();
    let mut acknowledged = 0;
    while !postgres.cancel_commits_that_wait() {
        // The server has not heard of the setting yet.
        if waiting.is_finished() {
            acknowledged = waiting.await.unwrap().unwrap();
            waiting = step();
        }
    }
    let told = waiting.await.unwrap().unwrap_err().to_string();
    assert!(told.contains("without its standby"), "{told}");
    postgres.let_commits_wait_no_more();
    // It has happened all the same: a retry finds it.
    assert_eq!(read(&node, grant(1).id).await.unwrap().unwrap().generation.0, acknowledged + 1);
}

/// A statement is cancelled by the server after 4 seconds. A commit that waits for its standby for longer is not, and counts when that is
/// back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_waits_for_longer_than_a_statement_may_take_is_not_cancelled() {
    let postgres = Postgres::start();
    let node = node_with_grant(&postgres).await;
    postgres.let_commits_wait();
    let mut last = 0;
    let waiting = loop {
        let stepping = Arc::clone(&node);
        let step = tokio::spawn(async move { advance(&stepping, grant(1).id).await });
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'
                     AND clock_timestamp() - query_start > interval '4.5 s'";
        while !step.is_finished() && postgres.sql(waits).trim() == "0" {}
        if !step.is_finished() {
            break step;
        }
        // The server has not heard of the setting yet.
        last = step.await.unwrap().unwrap();
    };
    postgres.let_commits_wait_no_more();
    assert_eq!(waiting.await.unwrap(), Ok(last + 1));
}

/// It may have been cut off together with this node, while its standby has become the primary.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_commits_nothing_tells_nobody_that_nothing_has_changed() {
    const TRIES_MAX: u32 = 1_000;
    let postgres = Postgres::start();
    let node = Arc::new(open_at(own(&postgres)).await.unwrap());
    node.changes().await.unwrap();
    postgres.let_commits_wait();
    for _ in 0..TRIES_MAX {
        let asking = Arc::clone(&node);
        let asking = tokio::spawn(async move { asking.changes().await });
        while !asking.is_finished() {
            postgres.cancel_commits_that_wait();
        }
        // Or the server has not heard of the setting yet.
        if let Err(told) = asking.await.unwrap() {
            assert!(told.to_string().contains("without its standby"), "{told}");
            return;
        }
    }
    panic!("it is answered from what may be old for ever");
}

/// What it had not acknowledged before it crashed is there after it, and on no standby yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_read_at_a_server_that_was_restarted_before_a_commit_is_durable_there() {
    let mut postgres = Postgres::start();
    let node = node_with_grant(&postgres).await;
    postgres.let_commits_wait();
    let step = || {
        let node = Arc::clone(&node);
        tokio::spawn(async move { advance(&node, grant(1).id).await })
    };
    let mut waiting = step();
    while postgres.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'").trim() == "0" {
        if waiting.is_finished() {
            waiting.await.unwrap().unwrap();
            waiting = step();
        }
    }
    postgres.crash();
    waiting.await.unwrap().unwrap_err();
    postgres.restart();
    loop {
        let reading = Arc::clone(&node);
        let reading = tokio::spawn(async move { read(&reading, grant(1).id).await });
        while !reading.is_finished() {
            postgres.cancel_commits_that_wait();
        }
        let told = reading.await.unwrap().expect_err("it may be lost").to_string();
        // The first to come may hear that its connection has ended.
        if told.contains("without its standby") {
            break;
        }
    }
}

/// It may be lost, and nothing that was acknowledged with it: a standby that has not got it was not put back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_far_a_server_says_it_has_come_is_not_believed_before_a_commit_is_durable_there() {
    let mut postgres = Postgres::start();
    let mark = Memory::default();
    let address = own(&postgres);
    let open = async |mark: &Memory| {
        let kept = mark.clone();
        PostgresStore::open_beside(Settings::new(address.clone()), GENESIS, clock(), |_| Ok(Some(Box::new(kept)))).await
    };
    let node = Arc::new(open(&mark).await.unwrap());
    add_parties(&node).await;
    let acknowledged = mark.counter();
    postgres.let_commits_wait();
    let mut ending = JoinSet::new();
    let of_counter = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE '%high_water%'";
    let mut acknowledged_since = 0;
    loop {
        let node = Arc::clone(&node);
        ending.spawn(async move { node.change_user(&grant(1).subject, UserChange::RaiseCutoff).await });
        while !ending.is_empty() && postgres.sql(of_counter).trim() == "0" {
            // Or the server has not heard of the setting yet.
            while let Some(Ok(ended)) = ending.try_join_next() {
                ended.unwrap();
                acknowledged_since += 1;
            }
        }
        if !ending.is_empty() {
            break;
        }
    }
    let acknowledged = acknowledged + acknowledged_since;
    postgres.crash();
    ending.join_next().await.unwrap().unwrap().unwrap_err();
    postgres.restart();
    let shown = postgres.sql("SELECT counter FROM regrant.high_water").trim().parse::<u64>().unwrap();
    assert!(shown > acknowledged, "{shown}");
    for _ in 0..3 {
        let asking = Arc::clone(&node);
        let asking = tokio::spawn(async move { asking.changes().await });
        while !asking.is_finished() {
            postgres.cancel_commits_that_wait();
        }
        asking.await.unwrap().unwrap_err();
    }
    assert_eq!(mark.counter(), acknowledged);
    let is_open = AtomicU32::new(0);
    let opening = async {
        let told = open(&Memory::default()).await.err().map(|error| error.to_string());
        is_open.store(1, Ordering::SeqCst);
        told
    };
    let cancelling = async {
        while is_open.load(Ordering::SeqCst) == 0 {
            postgres.cancel_commits_that_wait();
            tokio::task::yield_now().await;
        }
    };
    let (told, ()) = tokio::join!(opening, cancelling);
    assert!(told.is_some_and(|told| told.contains("without its standby")), "a node that begins believes it no more");
}

/// As one that was cut off from its standby and is reached by this node still: it takes every connection, and commits nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_does_not_commit_is_left_for_the_next_host() {
    let former = Postgres::start();
    let new = former.standby();
    let node = Arc::new(open_at(Address::parse(&former.url_beside(&new), None).unwrap()).await.unwrap());
    add_parties(&node).await;
    insert(&node, &grant(1)).await.unwrap();
    assert!(!node.changes().await.unwrap().waits_for_standby);
    former.sql("ALTER SYSTEM SET synchronous_standby_names = '*'");
    former.sql("SELECT pg_reload_conf()");
    while former.sql("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'").trim() == "0" {}
    // It is there by now that commits wait.
    let acknowledged = advance(&node, grant(1).id).await.unwrap();
    assert!(node.changes().await.unwrap().waits_for_standby);
    let behind = "SELECT count(*) FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn()";
    while former.sql(behind).trim() != "1" {}
    new.sql("SELECT pg_promote()");
    let stepping = Arc::clone(&node);
    let stepping = tokio::spawn(async move { advance(&stepping, grant(1).id).await });
    while !stepping.is_finished() {
        former.cancel_commits_that_wait();
    }
    stepping.await.unwrap().unwrap_err();
    // Sooner than the former one would be given up again.
    let next = timeout(Duration::from_millis(COMMIT_MILLISECONDS_MAX - 2_000), advance(&node, grant(1).id)).await;
    assert_eq!(next.expect("it does not go back"), Ok(acknowledged + 1), "at the new one");
}

/// Or the server would hold a session for each one who has given up, until its standby is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_waits_for_any_more_holds_no_session_of_a_server_without_its_standby() {
    const TRIES_MAX: u32 = 1_000;
    let postgres = Postgres::start();
    let node = Arc::new(open_at(own(&postgres)).await.unwrap());
    postgres.let_commits_wait();
    let waiting = || postgres.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
    for _ in 0..TRIES_MAX {
        let asking = Arc::clone(&node);
        let asking = tokio::spawn(async move { asking.changes().await });
        while !asking.is_finished() && waiting().trim() == "0" {}
        // Or the server has not heard of the setting yet.
        if !asking.is_finished() {
            asking.abort();
            break;
        }
    }
    let mut tries = 0..TRIES_MAX;
    while waiting().trim() != "0" {
        assert!(tries.next().is_some(), "it waits for ever");
    }
}

/// A node on a server of the test's own, where there is a grant.
async fn node_with_grant(postgres: &Postgres) -> Arc<PostgresStore> {
    let node = Arc::new(open_at(own(postgres)).await.expect("the server is ours"));
    add_parties(&node).await;
    insert(&node, &grant(1)).await.expect("there is none yet");
    node
}

/// The database of a server of the test's own.
pub(crate) fn own(postgres: &Postgres) -> Address {
    Address::parse(&postgres.socket_url("postgres", "postgres"), None).expect("it is a URL")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_fail_over_steps_go_on_at_the_new_primary() {
    let mut primary = Postgres::start();
    let standby = primary.standby();
    primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'");
    primary.sql("SELECT pg_reload_conf()");
    while primary.sql("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'").trim() == "0" {}
    let node = open_at(Address::parse(&primary.url_beside(&standby), None).unwrap()).await.unwrap();
    add_parties(&node).await;
    insert(&node, &grant(1)).await.unwrap();
    let acknowledged = advance(&node, grant(1).id).await.unwrap();
    primary.crash();
    let refused = advance(&node, grant(1).id).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "nobody can be written: {refused:?}");
    standby.sql("SELECT pg_promote()");
    assert_eq!(advance(&node, grant(1).id).await, Ok(acknowledged + 1));
}

/// Its sender has given up by then, and may have sent the same to another node.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_was_overtaken_is_not_decided_again_when_it_is_late() {
    let postgres = Postgres::shared();
    let database = postgres.database();
    let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(1)));
    let node = PostgresStore::open(Settings::new(address(&database)), GENESIS, Arc::clone(&clock) as _).await.unwrap();
    add_parties(&node).await;
    insert(&node, &grant(1)).await.unwrap();
    let decided = Arc::new(AtomicU32::new(0));
    let (name, late, count) = (database.name().to_owned(), Arc::clone(&clock), Arc::clone(&decided));
    let begin_before = Some(clock.monotonic() + Duration::from_secs(10));
    let rule = move |scene: &Scene<'_>| {
        count.fetch_add(1, Ordering::Relaxed);
        Postgres::shared().sql_in(&name, "UPDATE regrant.grants SET version = version + 1");
        late.advance_seconds(11);
        let row = scene.grant.unwrap();
        ((), Write::Update(Grant { version: row.version + 1, ..row.clone() }))
    };
    let outcome = decide_in(&node, Target::Grant(grant(1).id), begin_before, rule).await;
    assert_eq!((outcome, decided.load(Ordering::Relaxed)), (Err(StoreError::TooLate), 1));
}

/// The former primary runs on, as one does that was paused and that nobody has fenced.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_read_at_the_former_primary_once_anything_has_reached_the_new_one() {
    let former = Postgres::start();
    let new = former.standby();
    let node = open_at(Address::parse(&former.url_beside(&new), None).unwrap()).await.unwrap();
    add_parties(&node).await;
    insert(&node, &grant(1)).await.unwrap();
    assert_eq!(node.changes().await.unwrap().server, 0);
    fail_over(&former, &new);
    let app = client("app", 1).id;
    let version = async || node.client(&app).await.map(|found| found.unwrap().party.version);
    assert_eq!(version().await, Ok(1), "where it has always been read");

    new.sql("UPDATE regrant.clients SET version = 2");
    // All but the connection that has just read the client.
    former.sql_in(
        "template1",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = 'postgres' AND query NOT LIKE '%FROM clients WHERE id%'",
    );
    let _ = advance(&node, grant(1).id).await;
    assert_eq!(advance(&node, grant(1).id).await.map(|generation| generation > 0), Ok(true), "at the new one");
    assert_eq!(version().await, Ok(2));
    let _ = node.changes().await;
    assert_eq!(node.changes().await.unwrap().server, 1, "whose numbers may be of other changes");

    former.sql_in("template1", "ALTER DATABASE postgres ALLOW_CONNECTIONS true");
    drop(new);
    let _ = version().await;
    let refused = version().await.unwrap_err().to_string();
    assert!(refused.contains("was the primary before another server was promoted"), "{refused}");
}

/// A token that the new primary has issued is ahead of its row at the former one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_shown_to_the_former_primary_stops_nobody_once_there_is_a_new_one() {
    let former = Postgres::start();
    let new = former.standby();
    let node = open_at(Address::parse(&former.url_beside(&new), None).unwrap()).await.unwrap();
    add_parties(&node).await;
    insert(&node, &grant(1)).await.unwrap();
    fail_over(&former, &new);
    node.halt().await.unwrap_err();
    assert_eq!(advance(&node, grant(1).id).await, Ok(1), "at the new one");
    for server in [&new, &former] {
        assert_eq!(server.sql_in("postgres", "SELECT halted_at FROM regrant.high_water").trim(), "");
        former.sql_in("template1", "ALTER DATABASE postgres ALLOW_CONNECTIONS true");
    }
}

/// Promotes the standby, which has everything. The former primary takes no new connection, and leaves those that there are alone.
fn fail_over(former: &Postgres, new: &Postgres) {
    let behind = "SELECT count(*) FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn()";
    while former.sql(behind).trim() != "1" {}
    new.sql("SELECT pg_promote()");
    former.sql_in("template1", "ALTER DATABASE postgres ALLOW_CONNECTIONS false");
}
