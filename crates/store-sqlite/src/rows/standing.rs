use regrant_store::{Standing, StoreError};

use crate::rows::{high_water, key};
use crate::transaction::Transaction;

/// What the store says of itself.
pub(crate) fn find(transaction: &Transaction<'_>) -> Result<Standing, StoreError> {
    Ok(Standing {
        identity: key::identity(transaction)?,
        high_water: high_water::find(transaction)?,
        announced_keys: key::announced(transaction)?,
    })
}
