use regrant_protocol::Timestamp;
use regrant_store::{HighWater, StoreError};
use rusqlite::params;

use crate::columns::{Columns, stored_count};
use crate::statements::high_water::{HALT, RAISE_HIGH_WATER, RESET_HIGH_WATER, SELECT_HIGH_WATER};
use crate::transaction::Transaction;

const TABLE: &str = "high_water";

/// How far the store has come.
pub(crate) fn find(transaction: &Transaction<'_>) -> Result<HighWater, StoreError> {
    let found = transaction.one(SELECT_HIGH_WATER, [], |row| {
        let mut columns = Columns::new(row, TABLE, &1);
        Ok(HighWater {
            counter: columns.count("counter")?,
            journalled: columns.count("journalled")?,
            halted_at: columns.optional_time("halted_at")?,
        })
    })?;
    found.ok_or_else(|| inconsistent("there is none"))
}

/// Writes down that the store has come as far as `water` says, which is further than before.
pub(crate) fn raise(transaction: &Transaction<'_>, water: &HighWater) -> Result<(), StoreError> {
    move_on(transaction, RAISE_HIGH_WATER, water)
}

/// The same of a store that was restored: it decides again.
pub(crate) fn reset(transaction: &Transaction<'_>, water: &HighWater) -> Result<(), StoreError> {
    move_on(transaction, RESET_HIGH_WATER, water)
}

/// Writes down that the store decides nothing any more. The first time stays.
pub(crate) fn halt(transaction: &Transaction<'_>, at: Timestamp) -> Result<(), StoreError> {
    transaction.execute(HALT, [at.milliseconds()]).map(drop)
}

fn move_on(transaction: &Transaction<'_>, sql: &str, water: &HighWater) -> Result<(), StoreError> {
    let moved = transaction.execute(sql, params![stored_count(water.counter)?, stored_count(water.journalled)?])?;
    if moved == 1 { Ok(()) } else { Err(inconsistent("it is further than this process has brought it")) }
}

fn inconsistent(problem: &str) -> StoreError {
    StoreError::Inconsistent { table: TABLE, column: "counter", row: "1".to_owned(), problem: problem.to_owned() }
}
