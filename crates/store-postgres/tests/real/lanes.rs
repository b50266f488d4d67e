//! Which steps travel together.

use std::num::NonZeroU16;

use regrant_databases::Postgres;
use regrant_store_postgres::{PostgresStore, Settings};
use tokio::task::yield_now;

use crate::node::{GENESIS, add_parties, address, advance, clock, grant, insert};

/// Though the lane was free when the first came: whoever can run hands over what it has before the lane begins.
#[tokio::test]
async fn a_step_that_comes_a_turn_later_travels_with_the_first() {
    let database = Postgres::shared().database();
    let settings = Settings { step_connections: NonZeroU16::MIN, ..Settings::new(address(&database)) };
    let node = PostgresStore::open(settings, GENESIS, clock()).await.unwrap();
    add_parties(&node).await;
    for number in [1, 2] {
        insert(&node, &grant(number)).await.unwrap();
    }
    let transactions = || database.sql("SELECT count(DISTINCT xmin::text) FROM regrant.grants");
    assert_eq!(transactions().trim(), "2");
    let later = async {
        yield_now().await;
        advance(&node, grant(2).id).await
    };
    let (first, second) = tokio::join!(advance(&node, grant(1).id), later);
    assert_eq!((first, second), (Ok(1), Ok(1)));
    assert_eq!(transactions().trim(), "1");
}
