use regrant_grant::{Cap, Family, Grant, OPEN_CODES_MAX, Write};
use regrant_protocol::EpochNumber;
use regrant_store::StoreError;
use regrant_store::stored::readable;
use rusqlite::params;

use crate::family::FamilyRows;
use crate::rows::grant;
use crate::statements::grant::{SELECT_FAMILIES, SELECT_FAMILIES_NOT_REVOKED, SELECT_OPEN_CODES};
use crate::transaction::Transaction;

/// The most families of one user and client that are looked at: five times as many as there may be. There are more when they
/// were imported; one of these ends then.
const FAMILIES_READ_MAX: u32 = 1_000;

/// Ends the grant that has to make room for what `write` makes of the row `before`, if there is one.
pub(crate) fn make_room(
    transaction: &Transaction<'_>,
    epoch: EpochNumber,
    write: &Write,
    before: Option<&Grant>,
) -> Result<(), StoreError> {
    let (Some(cap), Write::Insert(row) | Write::Update(row)) = (Cap::on(write, before), write) else { return Ok(()) };
    // Most have far fewer, whatever state they are in: then none of them needs to be read.
    if count_families(transaction, row, cap.max())? < cap.max() {
        return Ok(());
    }
    let found = match cap {
        Cap::LiveGrants => find_families(transaction, epoch, row),
        Cap::OpenCodes => find_open_codes(transaction, row),
    }?;
    let families: Vec<Family<'_>> = found.iter().map(|rows| rows.family(epoch)).collect();
    let Write::Update(ended) = cap.make_room(&families, transaction.now()) else { return Ok(()) };
    tracing::info!(grant = %ended.id, client = %ended.client, user = %ended.subject, ?cap, "ended to make room");
    transaction.isolate()?;
    grant::update(transaction, &ended)
}

/// How many families the user and the client of `like` have that were not revoked, counted up to `count_max`.
fn count_families(transaction: &Transaction<'_>, like: &Grant, count_max: usize) -> Result<usize, StoreError> {
    let params = params![like.subject.as_str(), like.client.as_str()];
    Ok(transaction.some(SELECT_FAMILIES_NOT_REVOKED, params, count_max, |_| Ok(Some(())))?.len())
}

/// The families of the user and the client of `like` that may live.
fn find_families(
    transaction: &Transaction<'_>,
    epoch: EpochNumber,
    like: &Grant,
) -> Result<Vec<FamilyRows>, StoreError> {
    let (user, client, now) = (like.subject.as_str(), like.client.as_str(), transaction.now().milliseconds());
    let params = params![user, now, epoch.0, client, FAMILIES_READ_MAX];
    transaction.some(SELECT_FAMILIES, params, usize::MAX, |row| readable(FamilyRows::read(transaction, row)))
}

/// The codes of the user and the client of `like` that were not redeemed, the oldest first: as many as make one too many.
fn find_open_codes(transaction: &Transaction<'_>, like: &Grant) -> Result<Vec<FamilyRows>, StoreError> {
    let params = params![like.subject.as_str(), like.client.as_str()];
    transaction.some(SELECT_OPEN_CODES, params, OPEN_CODES_MAX, |row| readable(grant::read(row).map(FamilyRows::alone)))
}
