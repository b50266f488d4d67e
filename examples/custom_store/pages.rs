use std::cmp::Reverse;
use std::ops::Bound;

use regrant::store::{
    AccessVerdict, GRANTS_LISTED_MAX, Grant, GrantFilter, GrantId, ListedGrant, Page, SLICE_ROWS_MAX, Subject,
    Timestamp, Write, end_made_before,
};

use crate::tables::Tables;

/// What users and operators see of grants, and what operators end.
impl Tables {
    pub(crate) fn grants_of(&self, user: &Subject, now: Timestamp) -> Vec<Grant> {
        let is_theirs = |root: &&Grant| root.root.is_none() && root.revoked_at.is_none() && root.subject == *user;
        let lives = |root: &&Grant| self.family(root).lives(now);
        let mut living: Vec<Grant> = self.grants.values().filter(is_theirs).filter(lives).cloned().collect();
        living.sort_by_key(|root| (Reverse(root.created_at), root.id));
        living.truncate(GRANTS_LISTED_MAX);
        living
    }

    pub(crate) fn grants_page(
        &self,
        filter: &GrantFilter,
        after: Option<GrantId>,
        count_max: usize,
        now: Timestamp,
    ) -> Page<ListedGrant, GrantId> {
        let Page { items, next } = self.slice(filter, after, count_max);
        let listed = |grant: Grant| ListedGrant { state: grant.state(&self.surroundings(&grant), now), grant };
        let is_meant = |listed: &ListedGrant| filter.with_revoked || listed.state != AccessVerdict::Revoked;
        Page { items: items.into_iter().map(listed).filter(is_meant).collect(), next }
    }

    pub(crate) fn end_grants(
        &mut self,
        filter: &GrantFilter,
        made_before: Timestamp,
        after: Option<GrantId>,
        now: Timestamp,
    ) -> Page<GrantId, GrantId> {
        let filter = GrantFilter { with_revoked: false, ..filter.clone() };
        let Page { items, next } = self.slice(&filter, after, SLICE_ROWS_MAX as usize);
        let mut ended = Vec::new();
        for grant in items {
            if let Write::Update(row) = end_made_before(&grant, self.has_siblings(grant.id), made_before, now) {
                ended.push(row.id);
                self.grants.insert(row.id, row);
            }
        }
        Page { items: ended, next }
    }

    pub(crate) fn has_siblings(&self, root: GrantId) -> bool {
        self.siblings.get(&root).is_some_and(|siblings| !siblings.is_empty())
    }

    /// Those that `filter` means of the next rows, at most so many.
    fn slice(&self, filter: &GrantFilter, after: Option<GrantId>, count_max: usize) -> Page<Grant, GrantId> {
        let is_meant = |root: &Grant| {
            root.root.is_none()
                && (filter.with_revoked || root.revoked_at.is_none())
                && filter.user.as_ref().is_none_or(|user| *user == root.subject)
                && filter.client.as_ref().is_none_or(|client| *client == root.client)
        };
        let mut items = Vec::new();
        let rows_after = after.map_or(Bound::Unbounded, Bound::Excluded);
        for (place, row) in (1..).zip(self.grants.range((rows_after, Bound::Unbounded)).map(|(_, row)| row)) {
            if is_meant(row) {
                items.push(row.clone());
            }
            if items.len() == count_max || place == SLICE_ROWS_MAX {
                return Page { items, next: Some(row.id) };
            }
        }
        Page { items, next: None }
    }
}
