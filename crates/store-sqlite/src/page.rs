use regrant_grant::{GrantId, Surroundings, Write, end_made_before};
use regrant_protocol::{ClientId, EpochNumber, Subject, Timestamp};
use regrant_store::{GrantFilter, ListedGrant, Page, SLICE_ROWS_MAX, StoreError};
use rusqlite::params;

use crate::family;
use crate::rows::grant::{self, GrantRow};
use crate::rows::session;
use crate::slice::{Slice, rows_max};
use crate::statements::{SELECT_FAMILIES_PAGE, SELECT_FAMILIES_SLICE};
use crate::transaction::Transaction;

/// The grants that `filter` means, and what has become of each.
pub(crate) fn list(
    transaction: &Transaction<'_>,
    epoch: EpochNumber,
    filter: &GrantFilter,
    after: Option<GrantId>,
    count_max: u32,
) -> Result<Page<ListedGrant, GrantId>, StoreError> {
    let Page { items, next } = find(transaction, filter, after, rows_max(count_max))?;
    let listed = |GrantRow { grant, client, user }| {
        let session_ends_at = session::find_end_for(transaction, &grant)?;
        let surroundings = Surroundings { epoch, client, user, root: None, session_ends_at };
        Ok(ListedGrant { state: grant.state(&surroundings, transaction.now()), grant })
    };
    Ok(Page { items: items.into_iter().map(listed).collect::<Result<_, StoreError>>()?, next })
}

/// Ends those of them that were made before a time, and tells which.
pub(crate) fn end(
    transaction: &Transaction<'_>,
    filter: &GrantFilter,
    made_before: Timestamp,
    after: Option<GrantId>,
) -> Result<Page<GrantId, GrantId>, StoreError> {
    let filter = GrantFilter { with_revoked: false, ..filter.clone() };
    let Page { items, next } = find(transaction, &filter, after, SLICE_ROWS_MAX)?;
    let mut ended = Vec::new();
    for GrantRow { grant, .. } in items {
        let has_siblings = family::has_siblings(transaction, grant.id)?;
        if let Write::Update(row) = end_made_before(&grant, has_siblings, made_before, transaction.now()) {
            grant::update(transaction, &row)?;
            ended.push(row.id);
        }
    }
    Ok(Page { items: ended, next })
}

fn find(
    transaction: &Transaction<'_>,
    filter: &GrantFilter,
    after: Option<GrantId>,
    count_max: u32,
) -> Result<Page<GrantRow, GrantId>, StoreError> {
    let GrantFilter { user, client, with_revoked } = filter;
    let (user, client) = (user.as_ref().map(Subject::as_str), client.as_ref().map(ClientId::as_str));
    let after = after.map_or(Vec::new(), |id| id.0.to_vec());
    let (items, end) = if user.is_some() && !with_revoked {
        (transaction.all(SELECT_FAMILIES_PAGE, params![user, client, after, count_max], grant::read)?, None)
    } else {
        let slice = Slice::of_grants(transaction, &after, SLICE_ROWS_MAX)?;
        let params = params![slice.after, slice.last(), with_revoked, client, user, count_max];
        (transaction.all(SELECT_FAMILIES_SLICE, params, grant::read)?, slice.into_end())
    };
    let next = match items.last() {
        Some(last) if items.len() == count_max as usize => Some(last.grant.id),
        _ => end.and_then(|id| id.try_into().ok()).map(GrantId),
    };
    Ok(Page { items, next })
}
