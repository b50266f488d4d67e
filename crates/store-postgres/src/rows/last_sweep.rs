use regrant_protocol::Timestamp;
use regrant_store::StoreError;

use crate::columns::Columns;
use crate::statements::database::{NOTE_SWEEP, SELECT_LAST_SWEEP, SET_LAST_SWEEP};
use crate::transaction::Transaction;

/// When the store was swept last; `None` when it never was.
pub(crate) async fn find(transaction: &Transaction) -> Result<Option<Timestamp>, StoreError> {
    transaction.one(SELECT_LAST_SWEEP, &[], |row| Columns::new(row, "last_sweep", &"1").time("swept_at")).await
}

/// Notes that it is swept now, unless what is noted is later or less than a minute older.
pub(crate) async fn note(transaction: &Transaction) -> Result<(), StoreError> {
    transaction.execute(NOTE_SWEEP, &[&transaction.now().milliseconds()]).await.map(drop)
}

/// Notes now as the last sweep, whatever is noted.
pub(crate) async fn set(transaction: &Transaction) -> Result<(), StoreError> {
    transaction.execute(SET_LAST_SWEEP, &[&transaction.now().milliseconds()]).await.map(drop)
}
