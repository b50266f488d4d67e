use regrant_store::{Standing, StoreError};

use crate::rows::{high_water, key};
use crate::transaction::Transaction;

/// What the store says of itself.
pub(crate) async fn find(transaction: &Transaction) -> Result<Standing, StoreError> {
    Ok(Standing {
        identity: key::identity(transaction).await?,
        high_water: high_water::find(transaction).await?,
        announced_keys: key::announced(transaction).await?,
    })
}
