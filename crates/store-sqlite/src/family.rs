use regrant_grant::{Family, Grant, GrantId, Surroundings};
use regrant_protocol::{EpochNumber, Timestamp};
use regrant_store::StoreError;
use regrant_store::stored::readable;
use rusqlite::{Row, params};

use crate::columns::Columns;
use crate::rows::grant::{self, GrantRow};
use crate::statements::grant::{SELECT_LAST_USED_SIBLING, SELECT_SIBLING};
use crate::transaction::Transaction;

/// The most siblings of a family that are looked at to find the one that was used last.
const SIBLINGS_READ_MAX: u32 = 100;

/// What is read of a family.
pub(crate) struct FamilyRows {
    pub(crate) root: GrantRow,
    session_ends_at: Option<Timestamp>,
    last_used_sibling: Option<Grant>,
}

impl FamilyRows {
    /// Reads a family from a row of its root, and of its siblings the one that was used last: none when that one cannot be
    /// read.
    pub(crate) fn read(transaction: &Transaction<'_>, row: &Row<'_>) -> Result<Self, StoreError> {
        let root = grant::read(row)?;
        let mut columns = Columns::beginning_at("session_ends_at", row, "sessions", &root.grant.id);
        let session_ends_at = columns.optional_time("session_ends_at")?;
        let has_siblings: bool = columns.next("has_siblings")?;
        let last_used_sibling = if has_siblings { find_last_used_sibling(transaction, root.grant.id)? } else { None };
        Ok(Self { root, session_ends_at, last_used_sibling })
    }

    /// A root of which it is not asked whether it lives.
    pub(crate) fn alone(root: GrantRow) -> Self {
        Self { root, session_ends_at: None, last_used_sibling: None }
    }

    /// The family, as the rule sees it.
    pub(crate) fn family(&self, epoch: EpochNumber) -> Family<'_> {
        let GrantRow { grant, client, user } = &self.root;
        let session_ends_at = self.session_ends_at;
        let surroundings = Surroundings { epoch, client: *client, user: *user, root: None, session_ends_at };
        Family { root: grant, surroundings, last_used_sibling: self.last_used_sibling.as_ref() }
    }
}

/// Whether a grant is the root of others.
pub(crate) fn has_siblings(transaction: &Transaction<'_>, root: GrantId) -> Result<bool, StoreError> {
    Ok(transaction.one(SELECT_SIBLING, [&root.0], |_| Ok(()))?.is_some())
}

fn find_last_used_sibling(transaction: &Transaction<'_>, root: GrantId) -> Result<Option<Grant>, StoreError> {
    let found = transaction.one(SELECT_LAST_USED_SIBLING, params![root.0, SIBLINGS_READ_MAX], grant::read);
    Ok(readable(found)?.flatten().map(|row| row.grant))
}
