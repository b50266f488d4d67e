use regrant_grant::{Kin, Surroundings, Write, ended_long_ago, may_be_swept, record_end};
use regrant_protocol::{EpochNumber, Timestamp};
use regrant_store::stored::readable;
use regrant_store::{Removed, StoreError, Sweep, SweepError, SweepPosition, Swept};
use rusqlite::params;

use crate::columns::Columns;
use crate::family;
use crate::rows::grant::{self, GrantRow};
use crate::rows::{imported_token, last_sweep, session};
use crate::slice::{Slice, rows_max};
use crate::statements::grant::{DELETE_LISTED_ACCESS_TOKEN, SELECT_ENDED_SLICE, SELECT_LISTED_ACCESS_TOKENS_SLICE};
use crate::statements::imported_token::{
    DELETE_IMPORTED_ACCESS_TOKEN, DELETE_IMPORTED_REFRESH_TOKEN, SELECT_IMPORTED_ACCESS_TOKENS_SLICE,
    SELECT_IMPORTED_REFRESH_TOKENS_SLICE,
};
use crate::statements::session::{DELETE_SESSION, SELECT_SESSIONS_SLICE};
use crate::transaction::Transaction;

/// Removes what may be removed of one slice, and writes down what ended for good.
pub(crate) fn sweep(transaction: &Transaction<'_>, epoch: EpochNumber, sweep: &Sweep) -> Result<Swept, SweepError> {
    let (now, at_most) = (transaction.now(), sweep.clock_at_most);
    if now > at_most {
        return Err(SweepError::ClockAhead { now, at_most });
    }
    last_sweep::note(transaction)?;
    let rows_max = rows_max(sweep.rows_max);
    let mut removed = Removed::default();
    let next =
        match &sweep.from {
            SweepPosition::Grants(after) => {
                let (grants, end) = sweep_grants(transaction, epoch, after, rows_max)?;
                removed.grants = grants;
                Some(end.map_or_else(|| SweepPosition::AccessTokens(Vec::new()), SweepPosition::Grants))
            }
            SweepPosition::AccessTokens(after) => {
                let (access_tokens, end) = LISTED_ACCESS_TOKENS.sweep(transaction, after, rows_max)?;
                removed.access_tokens = access_tokens;
                Some(end.map_or_else(|| SweepPosition::Sessions(Vec::new()), SweepPosition::AccessTokens))
            }
            SweepPosition::Sessions(after) => {
                let (sessions, end) = SESSIONS.sweep(transaction, after, rows_max)?;
                removed.sessions = sessions;
                Some(end.map_or_else(|| SweepPosition::ImportedAccessTokens(Vec::new()), SweepPosition::Sessions))
            }
            SweepPosition::ImportedAccessTokens(after) => {
                let (access_tokens, end) = IMPORTED_ACCESS_TOKENS.sweep(transaction, after, rows_max)?;
                removed.access_tokens = access_tokens;
                Some(end.map_or_else(
                    || SweepPosition::ImportedRefreshTokens(Vec::new()),
                    SweepPosition::ImportedAccessTokens,
                ))
            }
            SweepPosition::ImportedRefreshTokens(after) => {
                let (_, end) = IMPORTED_REFRESH_TOKENS.sweep(transaction, after, rows_max)?;
                end.map(SweepPosition::ImportedRefreshTokens)
            }
        };
    Ok(Swept { now, removed, next })
}

/// How many rows were removed, and the last key that was looked at, unless it was the last of the table.
type SliceSwept = (u64, Option<Vec<u8>>);

fn sweep_grants(
    transaction: &Transaction<'_>,
    epoch: EpochNumber,
    after: &[u8],
    rows_max: u32,
) -> Result<SliceSwept, StoreError> {
    let slice = Slice::of_grants(transaction, after, rows_max)?;
    let params = params![slice.after, slice.last(), transaction.now().milliseconds()];
    let ended = transaction.some(SELECT_ENDED_SLICE, params, usize::MAX, |row| readable(grant::read(row)))?;
    let mut removed = 0;
    for row in ended {
        let is_removed = readable(settle(transaction, epoch, row))?.unwrap_or(false);
        removed += u64::from(is_removed);
    }
    Ok((removed, slice.into_end()))
}

/// Removes a grant, or revokes it, if its time has come; whether it was removed.
fn settle(transaction: &Transaction<'_>, epoch: EpochNumber, row: GrantRow) -> Result<bool, StoreError> {
    let GrantRow { grant, client, user } = row;
    let root = grant.root.map_or(Ok(None), |root| grant::find(transaction, root))?.map(|row| row.grant);
    let root = root.as_ref();
    let has_siblings = grant.root.is_none() && family::has_siblings(transaction, grant.id)?;
    if may_be_swept(&grant, Kin { root, has_siblings }, transaction.now()) {
        grant::remove(transaction, &grant)?;
        return Ok(true);
    }
    let session_ends_at = session::find_end_for(transaction, &grant)?;
    let surroundings = Surroundings { epoch, client, user, root, session_ends_at };
    if let Write::Update(revoked) = record_end(&grant, has_siblings, &surroundings, transaction.now()) {
        grant::update(transaction, &revoked)?;
        tracing::debug!(grant = %revoked.id, "it had ended for good, and is revoked");
    }
    Ok(false)
}

/// A table of things that end at a time that stands in their row.
struct Ending {
    name: &'static str,
    end: &'static str,
    select_slice: &'static str,
    delete: &'static str,
}

const LISTED_ACCESS_TOKENS: Ending = Ending {
    name: "listed_access_tokens",
    end: "ends_at",
    select_slice: SELECT_LISTED_ACCESS_TOKENS_SLICE,
    delete: DELETE_LISTED_ACCESS_TOKEN,
};

const IMPORTED_ACCESS_TOKENS: Ending = Ending {
    name: imported_token::ACCESS_TABLE,
    end: "ends_at",
    select_slice: SELECT_IMPORTED_ACCESS_TOKENS_SLICE,
    delete: DELETE_IMPORTED_ACCESS_TOKEN,
};

const IMPORTED_REFRESH_TOKENS: Ending = Ending {
    name: imported_token::REFRESH_TABLE,
    end: "ends_at",
    select_slice: SELECT_IMPORTED_REFRESH_TOKENS_SLICE,
    delete: DELETE_IMPORTED_REFRESH_TOKEN,
};

const SESSIONS: Ending =
    Ending { name: "sessions", end: "expires_at", select_slice: SELECT_SESSIONS_SLICE, delete: DELETE_SESSION };

impl Ending {
    fn sweep(&self, transaction: &Transaction<'_>, after: &[u8], rows_max: u32) -> Result<SliceSwept, StoreError> {
        let rows: Vec<(Vec<u8>, Option<Timestamp>)> =
            transaction.all(self.select_slice, params![after, rows_max], |row| {
                let mut columns = Columns::new(row, self.name, &"of unreadable name");
                Ok((columns.next("id")?, readable(columns.optional_time(self.end))?.flatten()))
            })?;
        let mut removed = 0;
        for (id, _) in rows.iter().filter(|(_, end)| ended_long_ago(*end, transaction.now())) {
            transaction.execute(self.delete, [id])?;
            removed += 1;
        }
        let is_full = rows.len() == rows_max as usize;
        Ok((removed, rows.into_iter().next_back().map(|(id, _)| id).filter(|_| is_full)))
    }
}
