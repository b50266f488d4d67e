use regrant_grant::{AccessVerdict, GrantId, Surroundings, Write, end_made_before};
use regrant_protocol::{ClientId, EpochNumber, Subject, Timestamp};
use regrant_store::stored::readable;
use regrant_store::{GrantFilter, ListedGrant, Page, SLICE_ROWS_MAX, StoreError};
use rusqlite::{Row, params};

use crate::columns::Columns;
use crate::family;
use crate::rows::grant::{self, GrantRow};
use crate::rows::session;
use crate::slice::{Slice, rows_max};
use crate::statements::grant::{SELECT_FAMILIES_PAGE, SELECT_FAMILIES_SLICE};
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
    let mut listed = Vec::new();
    for GrantRow { grant, client, user } in items {
        let Some(session_ends_at) = readable(session::find_end_for(transaction, &grant))? else { continue };
        let surroundings = Surroundings { epoch, client, user, root: None, session_ends_at };
        let state = grant.state(&surroundings, transaction.now());
        if filter.with_revoked || state != AccessVerdict::Revoked {
            listed.push(ListedGrant { grant, state });
        }
    }
    Ok(Page { items: listed, next })
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

/// Those of at most `count_max` rows that can be read.
fn find(
    transaction: &Transaction<'_>,
    filter: &GrantFilter,
    after: Option<GrantId>,
    count_max: u32,
) -> Result<Page<GrantRow, GrantId>, StoreError> {
    let GrantFilter { user, client, with_revoked } = filter;
    let (user, client) = (user.as_ref().map(Subject::as_str), client.as_ref().map(ClientId::as_str));
    let after = after.map_or(Vec::new(), |id| id.0.to_vec());
    let (rows, end) = if user.is_some() && !with_revoked {
        (transaction.all(SELECT_FAMILIES_PAGE, params![user, client, after, count_max], read)?, None)
    } else {
        let slice = Slice::of_grants(transaction, &after, SLICE_ROWS_MAX)?;
        let params = params![slice.after, slice.last(), with_revoked, client, user, count_max];
        (transaction.all(SELECT_FAMILIES_SLICE, params, read)?, slice.into_end())
    };
    let end = if rows.len() == count_max as usize { rows.last().map(|(id, _)| id.clone()) } else { end };
    Ok(Page { items: rows.into_iter().filter_map(|(_, row)| row).collect(), next: end.map(grant_id) })
}

/// A row's key, and the row if it can be read.
fn read(row: &Row<'_>) -> Result<(Vec<u8>, Option<GrantRow>), StoreError> {
    let id = Columns::new(row, "grants", &"of unreadable name").next("id")?;
    Ok((id, readable(grant::read(row))?))
}

/// Where to go on after a key. One of another length is damaged, and is left behind.
fn grant_id(mut key: Vec<u8>) -> GrantId {
    key.resize(size_of::<GrantId>(), u8::MAX);
    GrantId(key.try_into().expect("it has this length now"))
}
