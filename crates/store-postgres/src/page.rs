use regrant_grant::{AccessVerdict, GrantId, Write, end_made_before};
use regrant_protocol::{ClientId, EpochNumber, Subject, Timestamp};
use regrant_store::stored::readable;
use regrant_store::{GrantFilter, ListedGrant, Page, SLICE_ROWS_MAX, StoreError};

use crate::connection::Value;
use tokio_postgres::Row;

use crate::columns::Columns;
use crate::family::{count_siblings, surroundings};
use crate::id_bytes::IdBytes;
use crate::rows::grant::{self, GrantRow};
use crate::statements::grant::{
    LOCK_FAMILIES_PAGE, LOCK_FAMILIES_SLICE, SELECT_FAMILIES_PAGE, SELECT_FAMILIES_SLICE, SELECT_GRANTS_SLICE_END,
};
use crate::transaction::Transaction;
use crate::write;

/// An id that no id comes after.
const LAST_ID: IdBytes = IdBytes([0xFF; 16]);

/// As many rows as a caller may have.
pub(crate) fn rows_max(asked_for: u32) -> u32 {
    asked_for.clamp(1, SLICE_ROWS_MAX)
}

/// The grants that `filter` means, and what has become of each.
pub(crate) async fn list(
    transaction: &Transaction,
    epoch: EpochNumber,
    filter: &GrantFilter,
    after: Option<GrantId>,
    count_max: u32,
) -> Result<Page<ListedGrant, GrantId>, StoreError> {
    let Page { items, next } = find(transaction, filter, after, rows_max(count_max), false).await?;
    let listed = items.into_iter().map(|row| {
        let state = row.grant.state(&surroundings(&row, epoch, None), transaction.now());
        ListedGrant { grant: row.grant, state }
    });
    let is_meant = |listed: &ListedGrant| filter.with_revoked || listed.state != AccessVerdict::Revoked;
    Ok(Page { items: listed.filter(is_meant).collect(), next })
}

/// Ends those of them that were made before a time, and tells which.
pub(crate) async fn end(
    transaction: &Transaction,
    filter: &GrantFilter,
    made_before: Timestamp,
    after: Option<GrantId>,
) -> Result<Page<GrantId, GrantId>, StoreError> {
    let filter = GrantFilter { with_revoked: false, ..filter.clone() };
    let Page { items, next } = find(transaction, &filter, after, SLICE_ROWS_MAX, true).await?;
    let siblings = count_siblings(transaction, &items).await?;
    let mut ended = Vec::new();
    for GrantRow { grant, .. } in &items {
        if let Write::Update(row) =
            end_made_before(grant, siblings.contains_key(&grant.id), made_before, transaction.now())
        {
            ended.push(row);
        }
    }
    let written = write::update(transaction, &ended.iter().collect::<Vec<_>>()).await?;
    match ended.iter().find(|row| !written.contains(&row.id)) {
        Some(missed) => Err(grant::inconsistent(missed, "version", "it changed while it was locked".to_owned())),
        None => Ok(Page { items: ended.into_iter().map(|row| row.id).collect(), next }),
    }
}

/// The id right after another: with it goes on what has come to that.
pub(crate) fn next_id(id: [u8; 16]) -> IdBytes {
    IdBytes(u128::from_be_bytes(id).saturating_add(1).to_be_bytes())
}

/// The last id of the slice of so many grants that begins with an id; `None` when it holds all that follow.
pub(crate) async fn slice_end(
    transaction: &Transaction,
    from: IdBytes,
    rows_max: u32,
) -> Result<Option<IdBytes>, StoreError> {
    let read = |row: &Row| Columns::new(row, "grants", &"of unreadable name").id("id");
    let end = transaction.one(SELECT_GRANTS_SLICE_END, &[&from, &i64::from(rows_max)], read).await?;
    Ok(end.map(IdBytes))
}

/// The last id that may be in a slice that ends there.
pub(crate) fn last_of(end: Option<IdBytes>) -> IdBytes {
    end.unwrap_or(LAST_ID)
}

/// Those of at most `count_max` rows that can be read.
async fn find(
    transaction: &Transaction,
    filter: &GrantFilter,
    after: Option<GrantId>,
    count_max: u32,
    is_to_lock: bool,
) -> Result<Page<GrantRow, GrantId>, StoreError> {
    let GrantFilter { user, client, with_revoked } = filter;
    let (user, client) = (user.as_ref().map(Subject::as_str), client.as_ref().map(ClientId::as_str));
    let limit = i64::from(count_max);
    let from = after.map_or(IdBytes([0; 16]), |id| next_id(id.0));
    let (rows, end) = if user.is_some() && !with_revoked {
        let sql = if is_to_lock { LOCK_FAMILIES_PAGE } else { SELECT_FAMILIES_PAGE };
        (transaction.rows(sql, &[&user, &client, &from, &limit]).await?, None)
    } else {
        let end = slice_end(transaction, from, SLICE_ROWS_MAX).await?;
        let sql = if is_to_lock { LOCK_FAMILIES_SLICE } else { SELECT_FAMILIES_SLICE };
        let values: [Value<'_>; 6] = [&from, &last_of(end), with_revoked, &client, &user, &limit];
        (transaction.rows(sql, &values).await?, end)
    };
    let is_full = rows.len() == count_max as usize;
    let last = rows.last().filter(|_| is_full).map(grant::read_id).transpose()?;
    let mut items = Vec::new();
    for row in &rows {
        items.extend(readable(grant::read(row))?);
    }
    Ok(Page { items, next: last.or(end.map(|id| GrantId(id.0))) })
}
