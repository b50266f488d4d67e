use regrant_grant::{GrantId, ImportedToken};
use regrant_protocol::{Scope, Timestamp};
use regrant_store::{FoundToken, ImportedAccessToken, StoreError};
use tokio_postgres::Row;

use crate::columns::Columns;
use crate::connection::Value;
use crate::id_bytes::IdBytes;
use crate::statements::imported_token::{
    INSERT_IMPORTED_ACCESS_TOKEN, INSERT_IMPORTED_REFRESH_TOKEN, SELECT_ANY_IMPORTED_TOKEN,
    SELECT_IMPORTED_ACCESS_TOKEN, SELECT_IMPORTED_REFRESH_TOKEN,
};
use crate::transaction::Transaction;

/// This token, of either kind.
pub(crate) async fn find(transaction: &Transaction, token: &ImportedToken) -> Result<Option<FoundToken>, StoreError> {
    if let Some(grant) = find_refresh(transaction, token).await? {
        return Ok(Some(FoundToken::Refresh(grant)));
    }
    let access_token = find_access(transaction, token).await?;
    Ok(access_token.map(|(grant, found)| FoundToken::Access(grant, Box::new(found))))
}

/// The grant of this refresh token.
pub(crate) async fn find_refresh(
    transaction: &Transaction,
    token: &ImportedToken,
) -> Result<Option<GrantId>, StoreError> {
    let read = |row: &Row| Columns::new(row, REFRESH_TABLE, &UNNAMED).id("grant_id").map(GrantId);
    transaction.one(SELECT_IMPORTED_REFRESH_TOKEN, &[&&token.0[..]], read).await
}

/// Writes down the refresh token of a grant, which is remembered until `ends_at` at least.
pub(crate) async fn add_refresh(
    transaction: &Transaction,
    grant: GrantId,
    token: &ImportedToken,
    ends_at: Timestamp,
) -> Result<(), StoreError> {
    let ends_at = ends_at.milliseconds();
    transaction.execute(INSERT_IMPORTED_REFRESH_TOKEN, &[&&token.0[..], &IdBytes(grant.0), &ends_at]).await.map(drop)
}

/// This access token and its grant.
pub(crate) async fn find_access(
    transaction: &Transaction,
    token: &ImportedToken,
) -> Result<Option<(GrantId, ImportedAccessToken)>, StoreError> {
    let read = |row: &Row| {
        let mut columns = Columns::new(row, ACCESS_TABLE, &UNNAMED);
        let grant = columns.id("grant_id").map(GrantId)?;
        let access_token = ImportedAccessToken {
            token: *token,
            scope: columns.next_as("scope", Scope::parse)?,
            issued_at: columns.time("issued_at")?,
            expires_at: columns.time("ends_at")?,
        };
        Ok((grant, access_token))
    };
    transaction.one(SELECT_IMPORTED_ACCESS_TOKEN, &[&&token.0[..]], read).await
}

/// Writes down an access token of a grant that exists.
pub(crate) async fn add_access(
    transaction: &Transaction,
    grant: GrantId,
    added: &ImportedAccessToken,
) -> Result<(), StoreError> {
    let ImportedAccessToken { token, scope, issued_at, expires_at } = added;
    let (issued_at, expires_at) = (issued_at.milliseconds(), expires_at.milliseconds());
    let values: [Value<'_>; 5] = [&&token.0[..], &IdBytes(grant.0), &scope.as_str(), &issued_at, &expires_at];
    transaction.execute(INSERT_IMPORTED_ACCESS_TOKEN, &values).await.map(drop)
}

/// Whether there is one of either kind.
pub(crate) async fn is_any(transaction: &Transaction) -> Result<bool, StoreError> {
    Ok(transaction.one(SELECT_ANY_IMPORTED_TOKEN, &[], |_| Ok(())).await?.is_some())
}

pub(crate) const REFRESH_TABLE: &str = "imported_refresh_tokens";
pub(crate) const ACCESS_TABLE: &str = "imported_access_tokens";

/// Digests are not for logs.
const UNNAMED: &str = "of a digest that is not told";
