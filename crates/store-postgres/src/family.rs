use std::collections::HashMap;

use regrant_grant::{Family, Grant, GrantId, Surroundings};
use regrant_protocol::EpochNumber;
use regrant_store::StoreError;
use regrant_store::stored::readable;
use tokio_postgres::Row;

use crate::columns::Columns;
use crate::id_bytes::IdBytes;
use crate::rows::grant::{self, GrantRow};
use crate::statements::grant::{COUNT_SIBLINGS, SELECT_LAST_USED_SIBLING};
use crate::transaction::Transaction;

/// The most siblings of a family that are looked at to find the one that was used last.
const SIBLINGS_READ_MAX: i64 = 100;

/// What is read of a family.
pub(crate) struct FamilyRows {
    pub(crate) root: GrantRow,
    last_used_sibling: Option<Grant>,
}

impl FamilyRows {
    /// Reads families from rows of their roots, and of the siblings of each the one that was used last: none when that one
    /// cannot be read. A family whose root cannot be read is passed over.
    pub(crate) async fn read_all(transaction: &Transaction, rows: &[Row]) -> Result<Vec<Self>, StoreError> {
        let mut families = Vec::new();
        for row in rows {
            let read = grant::read(row).and_then(|root| {
                let mut columns = Columns::beginning_at(root.columns, row, "grants", &root.grant.id);
                let has_siblings: bool = columns.next("has_siblings")?;
                Ok((root, has_siblings))
            });
            let Some((root, has_siblings)) = readable(read)? else { continue };
            let id = root.grant.id;
            let last_used_sibling = if has_siblings { find_last_used_sibling(transaction, id).await? } else { None };
            families.push(Self { root, last_used_sibling });
        }
        Ok(families)
    }

    /// A root of which it is not asked whether it lives.
    pub(crate) fn alone(root: GrantRow) -> Self {
        Self { root, last_used_sibling: None }
    }

    /// The family, as the rule sees it.
    pub(crate) fn family(&self, epoch: EpochNumber) -> Family<'_> {
        Family {
            root: &self.root.grant,
            surroundings: surroundings(&self.root, epoch, None),
            last_used_sibling: self.last_used_sibling.as_ref(),
        }
    }
}

/// What is around a grant that was read together with it.
pub(crate) fn surroundings<'a>(row: &GrantRow, epoch: EpochNumber, root: Option<&'a Grant>) -> Surroundings<'a> {
    Surroundings {
        epoch,
        client: row.client_party(),
        user: row.user_party(),
        root,
        session_ends_at: row.session_ends_at,
    }
}

/// Of how many others each of these grants is the root; those that are not missing here are of some.
pub(crate) async fn count_siblings(
    transaction: &Transaction,
    rows: &[GrantRow],
) -> Result<HashMap<GrantId, i64>, StoreError> {
    let ids: Vec<IdBytes> = rows.iter().map(|row| IdBytes(row.grant.id.0)).collect();
    let read = |row: &Row| {
        let mut columns = Columns::new(row, "grants", &"any");
        Ok((columns.id("root").map(GrantId)?, columns.next("count")?))
    };
    Ok(transaction.all(COUNT_SIBLINGS, &[&ids], read).await?.into_iter().collect())
}

async fn find_last_used_sibling(transaction: &Transaction, root: GrantId) -> Result<Option<Grant>, StoreError> {
    let values = transaction.rows(SELECT_LAST_USED_SIBLING, &[&IdBytes(root.0), &SIBLINGS_READ_MAX]).await?;
    let found = values.first().map(grant::read).transpose();
    Ok(readable(found)?.flatten().map(|row| row.grant))
}
