use regrant_protocol::Timestamp;
use regrant_store::StoreError;

use crate::columns::Columns;
use crate::statements::database::{NOTE_SWEEP, SELECT_LAST_SWEEP, SET_LAST_SWEEP};
use crate::transaction::Transaction;

/// When the store was swept last; `None` when it never was.
pub(crate) fn find(transaction: &Transaction<'_>) -> Result<Option<Timestamp>, StoreError> {
    transaction.one(SELECT_LAST_SWEEP, [], |row| Columns::new(row, "last_sweep", &"1").time("swept_at"))
}

/// Notes that it is swept now, unless what is noted is later or less than a minute older.
pub(crate) fn note(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    transaction.execute(NOTE_SWEEP, [transaction.now().milliseconds()]).map(drop)
}

/// Notes now as the last sweep, whatever is noted.
pub(crate) fn set(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    transaction.execute(SET_LAST_SWEEP, [transaction.now().milliseconds()]).map(drop)
}
