use std::collections::BTreeMap;
use std::ops::Bound;

use regrant::store::{
    Grant, GrantId, Kin, Removed, SLICE_ROWS_MAX, SessionId, Surroundings, Sweep, SweepError, SweepPosition, Swept,
    Timestamp, Write, ended_long_ago, may_be_swept, record_end,
};

use crate::tables::Tables;

/// Removing what ended long ago.
impl Tables {
    pub(crate) fn sweep(&mut self, sweep: &Sweep, now: Timestamp) -> Result<Swept, SweepError> {
        if now > sweep.clock_at_most {
            return Err(SweepError::ClockAhead { now, at_most: sweep.clock_at_most });
        }
        self.swept_at = self.swept_at.max(Some(now));
        let rows_max = sweep.rows_max.clamp(1, SLICE_ROWS_MAX) as usize;
        let mut removed = Removed::default();
        let next = match &sweep.from {
            SweepPosition::Grants(after) => {
                let slice = keys_after(&self.grants, GrantId, after, rows_max);
                removed.grants = slice.iter().map(|id| u64::from(self.settle(*id, now))).sum();
                let end = end_of(&slice, rows_max).map(|id| SweepPosition::Grants(id.0.to_vec()));
                Some(end.unwrap_or_else(|| SweepPosition::AccessTokens(Vec::new())))
            }
            SweepPosition::AccessTokens(after) => {
                let slice = keys_after(&self.listed_access_tokens, |id| id, after, rows_max);
                let before = self.listed_access_tokens.len();
                self.listed_access_tokens.retain(|id, end| !slice.contains(id) || !ended_long_ago(*end, now));
                removed.access_tokens = (before - self.listed_access_tokens.len()) as u64;
                let end = end_of(&slice, rows_max).map(|id| SweepPosition::AccessTokens(id.to_vec()));
                Some(end.unwrap_or_else(|| SweepPosition::Sessions(Vec::new())))
            }
            SweepPosition::Sessions(after) => {
                let slice = keys_after(&self.sessions, SessionId, after, rows_max);
                let before = self.sessions.len();
                let is_over = |end| ended_long_ago(Some(end), now);
                self.sessions.retain(|id, session| !slice.contains(id) || !is_over(session.expires_at));
                removed.sessions = (before - self.sessions.len()) as u64;
                let end = end_of(&slice, rows_max).map(|id| SweepPosition::Sessions(id.0.to_vec()));
                Some(end.unwrap_or_else(|| SweepPosition::ImportedAccessTokens(Vec::new())))
            }
            SweepPosition::ImportedAccessTokens(after) => {
                let slice = keys_after(&self.imported_access_tokens, |digest| digest, after, rows_max);
                let before = self.imported_access_tokens.len();
                let is_over = |end| ended_long_ago(Some(end), now);
                self.imported_access_tokens
                    .retain(|digest, (_, token)| !slice.contains(digest) || !is_over(token.expires_at));
                removed.access_tokens = (before - self.imported_access_tokens.len()) as u64;
                let end = end_of(&slice, rows_max).map(|digest| SweepPosition::ImportedAccessTokens(digest.to_vec()));
                Some(end.unwrap_or_else(|| SweepPosition::ImportedRefreshTokens(Vec::new())))
            }
            SweepPosition::ImportedRefreshTokens(after) => {
                let slice = keys_after(&self.imported_refresh_tokens, |digest| digest, after, rows_max);
                let Self { imported_refresh_tokens, grants, .. } = self;
                imported_refresh_tokens.retain(|digest, (grant, end)| {
                    !slice.contains(digest) || grants.contains_key(grant) || !ended_long_ago(Some(*end), now)
                });
                end_of(&slice, rows_max).map(|digest| SweepPosition::ImportedRefreshTokens(digest.to_vec()))
            }
        };
        Ok(Swept { now, removed, next })
    }

    /// Removes a grant, or revokes it, if its time has come; whether it was removed.
    fn settle(&mut self, id: GrantId, now: Timestamp) -> bool {
        let Some(grant) = self.grants.get(&id).cloned() else { return false };
        let root: Option<Grant> = grant.root.and_then(|root| self.grants.get(&root).cloned());
        let has_siblings = self.has_siblings(id);
        if may_be_swept(&grant, Kin { root: root.as_ref(), has_siblings }, now) {
            self.grants.remove(&id);
            self.forget_imported(id);
            if let Some(siblings) = grant.root.and_then(|root| self.siblings.get_mut(&root)) {
                siblings.retain(|sibling| *sibling != id);
            }
            return true;
        }
        let surroundings = Surroundings { root: root.as_ref(), ..self.surroundings(&grant) };
        if let Write::Update(revoked) = record_end(&grant, has_siblings, &surroundings, now) {
            self.grants.insert(id, revoked);
        }
        false
    }
}

/// The next keys of a table, in their order.
fn keys_after<K: Copy + Ord, V, const BYTES: usize>(
    table: &BTreeMap<K, V>,
    key: impl Fn([u8; BYTES]) -> K,
    after: &[u8],
    rows_max: usize,
) -> Vec<K> {
    let after = after.try_into().map_or(Bound::Unbounded, |after| Bound::Excluded(key(after)));
    table.range((after, Bound::Unbounded)).map(|(key, _)| *key).take(rows_max).collect()
}

/// Where the next slice goes on after a full one.
fn end_of<K: Copy>(slice: &[K], rows_max: usize) -> Option<K> {
    slice.last().copied().filter(|_| slice.len() == rows_max)
}
