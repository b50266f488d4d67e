use regrant_grant::{GrantId, ImportedToken};
use regrant_protocol::{Scope, Timestamp};
use regrant_store::{FoundToken, ImportedAccessToken, StoreError};
use rusqlite::params;

use crate::columns::Columns;
use crate::statements::imported_token::{
    INSERT_IMPORTED_ACCESS_TOKEN, INSERT_IMPORTED_REFRESH_TOKEN, SELECT_ANY_IMPORTED_TOKEN,
    SELECT_IMPORTED_ACCESS_TOKEN, SELECT_IMPORTED_REFRESH_TOKEN,
};
use crate::transaction::Transaction;

/// This token, of either kind.
pub(crate) fn find(transaction: &Transaction<'_>, token: &ImportedToken) -> Result<Option<FoundToken>, StoreError> {
    if let Some(grant) = find_refresh(transaction, token)? {
        return Ok(Some(FoundToken::Refresh(grant)));
    }
    let access_token = find_access(transaction, token)?;
    Ok(access_token.map(|(grant, found)| FoundToken::Access(grant, Box::new(found))))
}

/// The grant of this refresh token.
pub(crate) fn find_refresh(
    transaction: &Transaction<'_>,
    token: &ImportedToken,
) -> Result<Option<GrantId>, StoreError> {
    transaction.one(SELECT_IMPORTED_REFRESH_TOKEN, [&token.0], |row| {
        Columns::new(row, REFRESH_TABLE, &UNNAMED).next("grant").map(GrantId)
    })
}

/// Writes down the refresh token of a grant, which is remembered until `ends_at` at least.
pub(crate) fn add_refresh(
    transaction: &Transaction<'_>,
    grant: GrantId,
    token: &ImportedToken,
    ends_at: Timestamp,
) -> Result<(), StoreError> {
    transaction.execute(INSERT_IMPORTED_REFRESH_TOKEN, params![token.0, grant.0, ends_at.milliseconds()]).map(drop)
}

/// This access token and its grant.
pub(crate) fn find_access(
    transaction: &Transaction<'_>,
    token: &ImportedToken,
) -> Result<Option<(GrantId, ImportedAccessToken)>, StoreError> {
    transaction.one(SELECT_IMPORTED_ACCESS_TOKEN, [&token.0], |row| {
        let mut columns = Columns::new(row, ACCESS_TABLE, &UNNAMED);
        let grant = columns.next("grant").map(GrantId)?;
        let access_token = ImportedAccessToken {
            token: *token,
            scope: columns.next_as("scope", |text: String| Scope::parse(&text))?,
            issued_at: columns.time("issued_at")?,
            expires_at: columns.time("ends_at")?,
        };
        Ok((grant, access_token))
    })
}

/// Writes down an access token of a grant that exists.
pub(crate) fn add_access(
    transaction: &Transaction<'_>,
    grant: GrantId,
    added: &ImportedAccessToken,
) -> Result<(), StoreError> {
    let ImportedAccessToken { token, scope, issued_at, expires_at } = added;
    let (issued_at, expires_at) = (issued_at.milliseconds(), expires_at.milliseconds());
    let row = params![token.0, grant.0, scope.as_str(), issued_at, expires_at];
    transaction.execute(INSERT_IMPORTED_ACCESS_TOKEN, row).map(drop)
}

/// Whether there is one of either kind.
pub(crate) fn is_any(transaction: &Transaction<'_>) -> Result<bool, StoreError> {
    Ok(transaction.one(SELECT_ANY_IMPORTED_TOKEN, [], |_| Ok(()))?.is_some())
}

pub(crate) const REFRESH_TABLE: &str = "imported_refresh_tokens";
pub(crate) const ACCESS_TABLE: &str = "imported_access_tokens";

/// Digests are not for logs.
const UNNAMED: &str = "of a digest that is not told";
