use std::collections::HashMap;

use regrant_grant::{Grant, GrantId, Kin, Write, ended_long_ago, may_be_swept, record_end};
use regrant_protocol::{EpochNumber, Timestamp};
use regrant_store::stored::readable;
use regrant_store::{Removed, StoreError, Sweep, SweepError, SweepPosition, Swept};
use tokio_postgres::Row;

use crate::columns::Columns;
use crate::family::{count_siblings, surroundings};
use crate::id_bytes::IdBytes;
use crate::page::{last_of, next_id, rows_max, slice_end};
use crate::rows::grant::{self, GrantRow};
use crate::rows::{imported_token, last_sweep};
use crate::statements::grant::{
    DELETE_GRANTS, DELETE_LISTED_ACCESS_TOKENS, SELECT_ENDED_SLICE, SELECT_GRANTS, SELECT_LISTED_ACCESS_TOKENS_SLICE,
};
use crate::statements::imported_token::{
    DELETE_IMPORTED_ACCESS_TOKENS, DELETE_IMPORTED_REFRESH_TOKENS, SELECT_IMPORTED_ACCESS_TOKENS_SLICE,
    SELECT_IMPORTED_REFRESH_TOKENS_SLICE,
};
use crate::statements::session::{DELETE_SESSIONS, SELECT_SESSIONS_SLICE};
use crate::transaction::Transaction;
use crate::write;

/// Removes what may be removed of one slice, and writes down what ended for good.
pub(crate) async fn sweep(transaction: &Transaction, epoch: EpochNumber, sweep: &Sweep) -> Result<Swept, SweepError> {
    let (now, at_most) = (transaction.now(), sweep.clock_at_most);
    if now > at_most {
        return Err(SweepError::ClockAhead { now, at_most });
    }
    last_sweep::note(transaction).await?;
    let rows_max = rows_max(sweep.rows_max);
    let mut removed = Removed::default();
    let next = match &sweep.from {
        SweepPosition::Grants(after) => {
            let (grants, end) = sweep_grants(transaction, epoch, after, rows_max).await?;
            removed.grants = grants;
            Some(end.map_or_else(|| SweepPosition::AccessTokens(Vec::new()), SweepPosition::Grants))
        }
        SweepPosition::AccessTokens(after) => {
            let (access_tokens, end) = LISTED_ACCESS_TOKENS.sweep(transaction, after, rows_max).await?;
            removed.access_tokens = access_tokens;
            Some(end.map_or_else(|| SweepPosition::Sessions(Vec::new()), SweepPosition::AccessTokens))
        }
        SweepPosition::Sessions(after) => {
            let (sessions, end) = sweep_sessions(transaction, after, rows_max).await?;
            removed.sessions = sessions;
            Some(end.map_or_else(|| SweepPosition::ImportedAccessTokens(Vec::new()), SweepPosition::Sessions))
        }
        SweepPosition::ImportedAccessTokens(after) => {
            let (access_tokens, end) = IMPORTED_ACCESS_TOKENS.sweep(transaction, after, rows_max).await?;
            removed.access_tokens = access_tokens;
            let done = || SweepPosition::ImportedRefreshTokens(Vec::new());
            Some(end.map_or_else(done, SweepPosition::ImportedAccessTokens))
        }
        SweepPosition::ImportedRefreshTokens(after) => {
            let (_, end) = IMPORTED_REFRESH_TOKENS.sweep(transaction, after, rows_max).await?;
            end.map(SweepPosition::ImportedRefreshTokens)
        }
    };
    Ok(Swept { now, removed, next })
}

/// How many rows were removed, and the last key that was looked at, unless it was the last of the table.
type SliceSwept = (u64, Option<Vec<u8>>);

async fn sweep_grants(
    transaction: &Transaction,
    epoch: EpochNumber,
    after: &[u8],
    rows_max: u32,
) -> Result<SliceSwept, StoreError> {
    let from = id_after(after);
    let end = slice_end(transaction, from, rows_max).await?;
    let now = transaction.now();
    let mut ended = Vec::new();
    for row in transaction.rows(SELECT_ENDED_SLICE, &[&from, &last_of(end), &now.milliseconds()]).await? {
        ended.extend(readable(grant::read(&row))?);
    }
    let mut siblings = count_siblings(transaction, &ended).await?;
    let roots = find_roots(transaction, &ended).await?;
    let (mut swept, mut revoked) = (Vec::new(), Vec::new());
    for row in &ended {
        let grant = &row.grant;
        let root = grant.root.and_then(|id| roots.get(&id));
        let has_siblings = siblings.get(&grant.id).is_some_and(|count| *count > 0);
        if may_be_swept(grant, Kin { root, has_siblings }, now) {
            swept.push(IdBytes(grant.id.0));
            grant.root.and_then(|root| siblings.get_mut(&root)).into_iter().for_each(|count| *count -= 1);
        } else if let Write::Update(row) = record_end(grant, has_siblings, &surroundings(row, epoch, root), now) {
            tracing::debug!(grant = %row.id, "it had ended for good, and is revoked");
            revoked.push(row);
        }
    }
    // Their rows are locked, and nobody else can have changed them.
    let written = write::update(transaction, &revoked.iter().collect::<Vec<_>>()).await?.len();
    let removed = transaction.execute(DELETE_GRANTS, &[&swept]).await?;
    if (written, removed) != (revoked.len(), swept.len() as u64) {
        return Err(StoreError::Unavailable("locked rows were changed by somebody else; report this".to_owned()));
    }
    Ok((removed, end.map(|id| id.0.to_vec())))
}

async fn find_roots(transaction: &Transaction, rows: &[GrantRow]) -> Result<HashMap<GrantId, Grant>, StoreError> {
    let ids: Vec<IdBytes> = rows.iter().filter_map(|row| row.grant.root).map(|id| IdBytes(id.0)).collect();
    let mut roots = HashMap::new();
    if ids.is_empty() {
        return Ok(roots);
    }
    for row in transaction.rows(SELECT_GRANTS, &[&ids]).await? {
        roots.extend(readable(grant::read(&row))?.map(|row| (row.grant.id, row.grant)));
    }
    Ok(roots)
}

async fn sweep_sessions(transaction: &Transaction, after: &[u8], rows_max: u32) -> Result<SliceSwept, StoreError> {
    let read = |row: &Row| {
        let mut columns = Columns::new(row, "sessions", &"of unreadable name");
        Ok((IdBytes(columns.id("id")?), columns.time("expires_at")?))
    };
    let rows = transaction.all(SELECT_SESSIONS_SLICE, &[&id_after(after), &i64::from(rows_max)], read).await?;
    let is_over = |end: Timestamp| ended_long_ago(Some(end), transaction.now());
    let over: Vec<IdBytes> = rows.iter().filter(|(_, end)| is_over(*end)).map(|(id, _)| *id).collect();
    let removed = transaction.execute(DELETE_SESSIONS, &[&over]).await?;
    let is_full = rows.len() == rows_max as usize;
    Ok((removed, rows.last().filter(|_| is_full).map(|(id, _)| id.0.to_vec())))
}

/// The first id after a key, which is empty before the first.
fn id_after(key: &[u8]) -> IdBytes {
    key.try_into().map_or(IdBytes([0; 16]), next_id)
}

/// A table of tokens that end at a time that stands in their row.
struct Ending {
    name: &'static str,
    select_slice: &'static str,
    delete: &'static str,
}

const LISTED_ACCESS_TOKENS: Ending = Ending {
    name: "listed_access_tokens",
    select_slice: SELECT_LISTED_ACCESS_TOKENS_SLICE,
    delete: DELETE_LISTED_ACCESS_TOKENS,
};

const IMPORTED_ACCESS_TOKENS: Ending = Ending {
    name: imported_token::ACCESS_TABLE,
    select_slice: SELECT_IMPORTED_ACCESS_TOKENS_SLICE,
    delete: DELETE_IMPORTED_ACCESS_TOKENS,
};

const IMPORTED_REFRESH_TOKENS: Ending = Ending {
    name: imported_token::REFRESH_TABLE,
    select_slice: SELECT_IMPORTED_REFRESH_TOKENS_SLICE,
    delete: DELETE_IMPORTED_REFRESH_TOKENS,
};

impl Ending {
    async fn sweep(&self, transaction: &Transaction, after: &[u8], rows_max: u32) -> Result<SliceSwept, StoreError> {
        let read = |row: &Row| {
            let mut columns = Columns::new(row, self.name, &"of unreadable name");
            Ok((columns.next::<&[u8]>("id")?.to_vec(), columns.optional_time("ends_at")?))
        };
        let rows = transaction.all(self.select_slice, &[&after, &i64::from(rows_max)], read).await?;
        let over: Vec<&[u8]> =
            rows.iter().filter(|(_, end)| ended_long_ago(*end, transaction.now())).map(|(id, _)| &id[..]).collect();
        let removed = transaction.execute(self.delete, &[&over]).await?;
        let is_full = rows.len() == rows_max as usize;
        Ok((removed, rows.last().filter(|_| is_full).map(|(id, _)| id.clone())))
    }
}
