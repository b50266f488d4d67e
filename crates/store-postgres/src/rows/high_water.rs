use regrant_grant::Realm;
use regrant_protocol::EpochNumber;
use regrant_store::{HighWater, Place, StoreError};
use tokio_postgres::Row;

use crate::columns::{Columns, stored_count};
use crate::connection::Connection;
use crate::migration::Schema;
use crate::statements::high_water::{
    HALT, LOCK_HIGH_WATER, RAISE_HIGH_WATER, RESET_HIGH_WATER, SELECT_HIGH_WATER, SELECT_PLACE, WAIT_FOR_OTHERS,
};
use crate::transaction::Transaction;

pub(crate) const TABLE: &str = "high_water";

/// What a database says of itself.
pub(crate) struct FoundPlace {
    pub(crate) water: HighWater,
    pub(crate) epoch: EpochNumber,
    pub(crate) schema: Schema,
}

impl FoundPlace {
    /// How far it has come.
    pub(crate) fn place(&self) -> Place {
        Place { epoch: self.epoch, counter: self.water.counter }
    }

    /// The columns `counter` to `needed_schema`.
    pub(crate) fn read(columns: &mut Columns<'_>) -> Result<Self, StoreError> {
        let (counter, journalled) = (columns.count("counter")?, columns.count("journalled")?);
        let epoch = columns.small("epoch").map(EpochNumber)?;
        let water = HighWater { counter, journalled, halted_at: columns.optional_time("halted_at")? };
        let schema = Schema { number: columns.next("schema")?, needed: columns.next("needed_schema")? };
        Ok(Self { water, epoch, schema })
    }
}

/// How far the store has come.
pub(crate) async fn find(transaction: &Transaction) -> Result<HighWater, StoreError> {
    transaction.one(SELECT_HIGH_WATER, &[], read).await?.ok_or_else(missing)
}

/// Which store a connection leads to, and to which day of it.
pub(crate) async fn find_place(connection: &Connection) -> Result<(Realm, FoundPlace), StoreError> {
    let rows = connection.query(SELECT_PLACE, &[]).await?;
    let row = rows.first().ok_or_else(missing)?;
    let mut columns = Columns::new(row, TABLE, &"any");
    let realm = columns.id("realm").map(Realm)?;
    FoundPlace::read(&mut columns).map(|found| (realm, found))
}

/// The same, and from now on nobody else counts until the end of the transaction.
pub(crate) async fn lock(transaction: &Transaction) -> Result<HighWater, StoreError> {
    transaction.execute(WAIT_FOR_OTHERS, &[]).await?;
    transaction.one(LOCK_HIGH_WATER, &[], read).await?.ok_or_else(missing)
}

/// Writes down that the store has come as far as `water` says, which is further than before.
pub(crate) async fn raise(transaction: &Transaction, water: &HighWater) -> Result<(), StoreError> {
    move_on(transaction, RAISE_HIGH_WATER, water).await
}

/// The same of a store that was restored: it decides again.
pub(crate) async fn reset(transaction: &Transaction, water: &HighWater) -> Result<(), StoreError> {
    move_on(transaction, RESET_HIGH_WATER, water).await
}

async fn move_on(transaction: &Transaction, sql: &'static str, water: &HighWater) -> Result<(), StoreError> {
    match transaction.execute(sql, &[&stored_count(water.counter)?, &stored_count(water.journalled)?]).await? {
        1 => Ok(()),
        _ => Err(inconsistent("it is further than it was a moment ago: somebody uses the store")),
    }
}

/// Writes down that the store decides nothing any more, and tells every node. The first time stays.
pub(crate) async fn halt(connection: &Connection) -> Result<(), StoreError> {
    connection.commit_by(HALT).await.map(drop)
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
    inconsistent("there is none")
}

fn inconsistent(problem: &str) -> StoreError {
    StoreError::Inconsistent { table: TABLE, column: "counter", row: "any".to_owned(), problem: problem.to_owned() }
}
