use regrant_grant::{Family, Grant, GrantId, Surroundings};
use regrant_protocol::{ClientId, EpochNumber, Subject, Timestamp};
use regrant_store::StoreError;
use rusqlite::params;

use crate::rows::grant::{self, GrantRow};
use crate::rows::session;
use crate::statements::{SELECT_FAMILIES, SELECT_LAST_USED_SIBLING, SELECT_SIBLING};
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
    /// Reads what belongs to a root.
    pub(crate) fn of(transaction: &Transaction<'_>, root: GrantRow) -> Result<Self, StoreError> {
        let session_ends_at = session::find_end_for(transaction, &root.grant)?;
        let last_used_sibling = transaction
            .one(SELECT_LAST_USED_SIBLING, params![root.grant.id.0, SIBLINGS_READ_MAX], grant::read)?
            .map(|row| row.grant);
        Ok(Self { root, session_ends_at, last_used_sibling })
    }

    /// The family, as the rule sees it.
    pub(crate) fn family(&self, epoch: EpochNumber) -> Family<'_> {
        let GrantRow { grant, client, user } = &self.root;
        let session_ends_at = self.session_ends_at;
        let surroundings = Surroundings { epoch, client: *client, user: *user, root: None, session_ends_at };
        Family { root: grant, surroundings, last_used_sibling: self.last_used_sibling.as_ref() }
    }
}

/// The families of `user` and `client` that were not revoked, at most `count_max`.
pub(crate) fn find_all(
    transaction: &Transaction<'_>,
    user: &Subject,
    client: &ClientId,
    count_max: u32,
) -> Result<Vec<FamilyRows>, StoreError> {
    let roots = transaction.all(SELECT_FAMILIES, params![user.as_str(), client.as_str(), count_max], grant::read)?;
    roots.into_iter().map(|root| FamilyRows::of(transaction, root)).collect()
}

/// Whether a grant is the root of others.
pub(crate) fn has_siblings(transaction: &Transaction<'_>, root: GrantId) -> Result<bool, StoreError> {
    Ok(transaction.one(SELECT_SIBLING, [&root.0], |_| Ok(()))?.is_some())
}
