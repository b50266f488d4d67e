use regrant_grant::{Cap, Family, Grant, OPEN_CODES_MAX, Write};
use regrant_protocol::EpochNumber;
use regrant_store::StoreError;
use regrant_store::stored::readable;

use crate::family::FamilyRows;
use crate::rows::grant;
use crate::statements::database::LOCK_CLIENT_AND_USER;
use crate::statements::grant::{SELECT_FAMILIES, SELECT_OPEN_CODES};
use crate::transaction::Transaction;

/// The most families of one user and client that are looked at: five times as many as there may be. There are more when they
/// were imported; one of these ends then.
const FAMILIES_READ_MAX: i64 = 1_000;

/// What becomes of the grant that has to make room for what `write` asks for, if there is one. Whoever else makes a grant of the
/// same user and client waits until the end of the transaction, and counts this one.
pub(crate) async fn make_room(
    transaction: &Transaction,
    epoch: EpochNumber,
    cap: Cap,
    write: &Write,
) -> Result<Option<Grant>, StoreError> {
    let (Write::Insert(row) | Write::Update(row)) = write else { return Ok(None) };
    transaction.rows(LOCK_CLIENT_AND_USER, &[&row.client.as_str(), &row.subject.as_str()]).await?;
    let found = match cap {
        Cap::LiveGrants => find_families(transaction, epoch, row).await,
        Cap::OpenCodes => find_open_codes(transaction, row).await,
    }?;
    let families: Vec<Family<'_>> = found.iter().map(|rows| rows.family(epoch)).collect();
    let Write::Update(ended) = cap.make_room(&families, transaction.now()) else { return Ok(None) };
    tracing::info!(grant = %ended.id, client = %ended.client, user = %ended.subject, ?cap, "ended to make room");
    Ok(Some(ended))
}

/// The families of the user and the client of `like` that may live.
async fn find_families(
    transaction: &Transaction,
    epoch: EpochNumber,
    like: &Grant,
) -> Result<Vec<FamilyRows>, StoreError> {
    let (user, client, now) = (like.subject.as_str(), like.client.as_str(), transaction.now().milliseconds());
    let epoch = i16::from(epoch.0);
    let rows = transaction.rows(SELECT_FAMILIES, &[&user, &now, &epoch, &client, &FAMILIES_READ_MAX]).await?;
    FamilyRows::read_all(transaction, &rows).await
}

/// The codes of the user and the client of `like` that were not redeemed, the oldest first: as many as make one too many.
async fn find_open_codes(transaction: &Transaction, like: &Grant) -> Result<Vec<FamilyRows>, StoreError> {
    let mut found = Vec::new();
    for row in transaction.rows(SELECT_OPEN_CODES, &[&like.subject.as_str(), &like.client.as_str()]).await? {
        found.extend(readable(grant::read(&row).map(FamilyRows::alone))?);
        if found.len() == OPEN_CODES_MAX {
            break;
        }
    }
    Ok(found)
}
