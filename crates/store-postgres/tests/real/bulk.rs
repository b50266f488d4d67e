//! Rows that are copied past the rules.

use std::panic::catch_unwind;
use std::thread;
use std::time::Duration;

use regrant_databases::Postgres;
use regrant_store::MovedTable;
use regrant_store_postgres::BulkRows;
use tokio::task::yield_now;
use tokio::time::timeout;

use crate::node::{add_parties, address, grant, insert, open};

/// A server looks after a table by itself once much has changed in it, and keeps others from doing that meanwhile.
#[tokio::test]
async fn the_end_of_many_rows_waits_for_who_looks_after_a_table() {
    let postgres = Postgres::shared();
    let database = postgres.database();
    let node = open(&database).await;
    add_parties(&node).await;
    insert(&node, &grant(1)).await.unwrap();
    let name = database.name().to_owned();
    let holder = thread::spawn(move || {
        let script = format!("BEGIN; ANALYZE regrant.grants; /* {name} */ SELECT pg_sleep(600)");
        let _ = catch_unwind(|| Postgres::shared().sql_in(&name, &script));
    });
    let of_holder = format!("FROM pg_stat_activity WHERE query LIKE '/* {} */%'", database.name());
    while !holder.is_finished() && postgres.sql(&format!("SELECT count(*) {of_holder}")).trim() == "0" {}

    let bulk = BulkRows::open(address(&database)).await.unwrap();
    bulk.copy(MovedTable::Grants, &[]).await.unwrap();
    let ending = tokio::spawn(async move { bulk.end().await });
    // For longer than any other statement waits.
    let waits = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND wait_event_type = 'Lock'
         AND clock_timestamp() - query_start > interval '1 second'",
        database.name()
    );
    let is_waiting = async {
        while !ending.is_finished() && postgres.sql(&waits).trim() == "0" {
            yield_now().await;
        }
    };
    timeout(Duration::from_secs(60), is_waiting).await.expect("it waits, or has ended");
    assert!(!ending.is_finished(), "it was given up: {:?}", ending.await);
    postgres.sql(&format!("SELECT pg_terminate_backend(pid, 60000) {of_holder}"));
    holder.join().unwrap();
    ending.await.unwrap().unwrap();
}
