//! Rows that are copied past the rules.

use std::time::Duration;

use regrant_databases::Postgres;
use regrant_store::MovedTable;
use regrant_store_postgres::BulkRows;
use tokio::task::yield_now;
use tokio::time::timeout;

use crate::holder::Holder;
use crate::node::{add_parties, address, grant, insert, open};

/// A server looks after a table by itself once much has changed in it, and keeps others from doing that meanwhile.
#[tokio::test]
async fn the_end_of_many_rows_waits_for_who_looks_after_a_table() {
    let postgres = Postgres::shared();
    let database = postgres.database();
    let node = open(&database).await;
    add_parties(&node).await;
    insert(&node, &grant(1)).await.unwrap();
    let holder = Holder::of(&database, "ANALYZE regrant.grants");

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
    holder.let_go();
    ending.await.unwrap().unwrap();
}
