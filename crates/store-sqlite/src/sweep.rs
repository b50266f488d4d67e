use regrant_grant::{Grant, Kin, ended_long_ago, may_be_swept};
use regrant_protocol::Timestamp;
use regrant_store::{Removed, StoreError, Sweep, SweepError, SweepPosition, Swept};
use rusqlite::params;

use crate::columns::Columns;
use crate::family;
use crate::rows::grant;
use crate::slice::{Slice, rows_max};
use crate::statements::{
    DELETE_LISTED_ACCESS_TOKEN, DELETE_SESSION, SELECT_ENDED_SLICE, SELECT_LISTED_ACCESS_TOKENS_SLICE,
    SELECT_SESSIONS_SLICE,
};
use crate::transaction::Transaction;

/// Removes what may be removed of one slice.
pub(crate) fn sweep(transaction: &Transaction<'_>, sweep: &Sweep) -> Result<Swept, SweepError> {
    let (now, at_most) = (transaction.now(), sweep.clock_at_most);
    if now > at_most {
        return Err(SweepError::ClockAhead { now, at_most });
    }
    let rows_max = rows_max(sweep.rows_max);
    let mut removed = Removed::default();
    let next = match &sweep.from {
        SweepPosition::Grants(after) => {
            let (grants, end) = sweep_grants(transaction, after, rows_max)?;
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
            end.map(SweepPosition::Sessions)
        }
    };
    Ok(Swept { now, removed, next })
}

/// How many rows were removed, and the last key that was looked at, unless it was the last of the table.
type SliceSwept = (u64, Option<Vec<u8>>);

fn sweep_grants(transaction: &Transaction<'_>, after: &[u8], rows_max: u32) -> Result<SliceSwept, StoreError> {
    let slice = Slice::of_grants(transaction, after, rows_max)?;
    let params = params![slice.after, slice.last(), transaction.now().milliseconds()];
    let ended = transaction.all(SELECT_ENDED_SLICE, params, |row| readable(grant::read(row)))?;
    let mut removed = 0;
    for row in ended.into_iter().flatten() {
        if readable(may_go(transaction, &row.grant))?.unwrap_or(false) {
            grant::remove(transaction, &row.grant)?;
            removed += 1;
        }
    }
    Ok((removed, slice.into_end()))
}

fn may_go(transaction: &Transaction<'_>, row: &Grant) -> Result<bool, StoreError> {
    let root = row.root.map_or(Ok(None), |root| grant::find(transaction, root))?;
    let has_siblings = row.root.is_none() && family::has_siblings(transaction, row.id)?;
    let kin = Kin { root: root.as_ref().map(|root| &root.grant), has_siblings };
    Ok(may_be_swept(row, kin, transaction.now()))
}

/// What was read; nothing of a row that cannot be what it is, which is left for somebody to look at.
fn readable<T>(read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(problem @ StoreError::Inconsistent { .. }) => {
            tracing::error!(%problem, "a row is left by the sweep");
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
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

const SESSIONS: Ending =
    Ending { name: "sessions", end: "expires_at", select_slice: SELECT_SESSIONS_SLICE, delete: DELETE_SESSION };

impl Ending {
    fn sweep(&self, transaction: &Transaction<'_>, after: &[u8], rows_max: u32) -> Result<SliceSwept, StoreError> {
        let rows: Vec<(Vec<u8>, Option<Timestamp>)> =
            transaction.all(self.select_slice, params![after, rows_max], |row| {
                let mut columns = Columns::new(row, self.name, &"of unreadable name");
                Ok((columns.next("id")?, columns.optional_time(self.end)?))
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
