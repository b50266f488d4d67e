use regrant_grant::Realm;
use regrant_protocol::{EpochNumber, Timestamp};
use regrant_store::{HighWater, Place, StoreError};
use tokio_postgres::Row;

use crate::columns::Columns;
use crate::connection::Connection;
use crate::statements::high_water::{HALT, SELECT_HIGH_WATER, SELECT_PLACE};
use crate::transaction::Transaction;

pub(crate) const TABLE: &str = "high_water";

/// What a database says of itself.
pub(crate) struct FoundPlace {
    pub(crate) realm: Realm,
    pub(crate) place: Place,
    pub(crate) halted_at: Option<Timestamp>,
}

/// How far the store has come.
pub(crate) async fn find(transaction: &Transaction) -> Result<HighWater, StoreError> {
    transaction.one(SELECT_HIGH_WATER, &[], read).await?.ok_or_else(missing)
}

/// Which store a connection leads to, and to which day of it.
pub(crate) async fn find_place(connection: &Connection) -> Result<FoundPlace, StoreError> {
    let rows = connection.query(SELECT_PLACE, &[]).await?;
    let row = rows.first().ok_or_else(missing)?;
    let mut columns = Columns::new(row, TABLE, &"any");
    let realm = columns.id("realm").map(Realm)?;
    let counter = columns.count("counter")?;
    let epoch = columns.small("epoch").map(EpochNumber)?;
    Ok(FoundPlace { realm, place: Place { epoch, counter }, halted_at: columns.optional_time("halted_at")? })
}

/// Writes down that the store decides nothing any more, and tells every node. The first time stays.
pub(crate) async fn halt(connection: &Connection) -> Result<(), StoreError> {
    connection.query(HALT, &[]).await.map(drop)
}

fn read(row: &Row) -> Result<HighWater, StoreError> {
    let mut columns = Columns::new(row, TABLE, &"any");
    Ok(HighWater {
        counter: columns.count("counter")?,
        journalled: columns.count("journalled")?,
        halted_at: columns.optional_time("halted_at")?,
    })
}

fn missing() -> StoreError {
    let problem = "there is none".to_owned();
    StoreError::Inconsistent { table: TABLE, column: "only_row", row: "any".to_owned(), problem }
}
