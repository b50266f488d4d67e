use regrant_grant::AccessTokenId;
use regrant_protocol::Timestamp;
use regrant_store::{Ending, StoreError};
use rusqlite::params;

use crate::statements::grant::{INSERT_LISTED_ACCESS_TOKEN, SELECT_LISTED_ACCESS_TOKEN};
use crate::transaction::Transaction;

/// Whether this access token was revoked alone.
pub(crate) fn is_listed(transaction: &Transaction<'_>, id: &AccessTokenId) -> Result<bool, StoreError> {
    Ok(transaction.one(SELECT_LISTED_ACCESS_TOKEN, [&id.to_bytes()], |_| Ok(()))?.is_some())
}

/// Lists an access token until its end. One that is listed stays as it is.
pub(crate) fn list(
    transaction: &Transaction<'_>,
    id: &AccessTokenId,
    until: Option<Timestamp>,
) -> Result<(), StoreError> {
    insert(transaction, id, until)?;
    transaction.ended(Ending::AccessToken { id: *id, until });
    Ok(())
}

/// The same, where a journal says that it was done before.
pub(crate) fn insert(
    transaction: &Transaction<'_>,
    id: &AccessTokenId,
    until: Option<Timestamp>,
) -> Result<(), StoreError> {
    let ends_at = until.map(Timestamp::milliseconds);
    transaction.execute(INSERT_LISTED_ACCESS_TOKEN, params![id.to_bytes(), ends_at])?;
    Ok(())
}
