use regrant_grant::{Cap, Family, Grant, Write};
use regrant_protocol::EpochNumber;
use regrant_store::StoreError;

use crate::family::{self, FamilyRows};
use crate::rows::grant;
use crate::transaction::Transaction;

/// The most families of one user and client that are looked at: those that a cap lets there be, and those that ended by
/// themselves since the last sweep.
const FAMILIES_READ_MAX: u32 = 1_000;

/// Ends the grant that has to make room for what `write` makes of the row `before`, if there is one.
pub(crate) fn make_room(
    transaction: &Transaction<'_>,
    epoch: EpochNumber,
    write: &Write,
    before: Option<&Grant>,
) -> Result<(), StoreError> {
    let (Some(cap), Write::Insert(row) | Write::Update(row)) = (Cap::on(write, before), write) else { return Ok(()) };
    let found = family::find_all(transaction, &row.subject, &row.client, FAMILIES_READ_MAX)?;
    let families: Vec<Family<'_>> = found.iter().map(|rows: &FamilyRows| rows.family(epoch)).collect();
    let Write::Update(ended) = cap.make_room(&families, transaction.now()) else { return Ok(()) };
    tracing::info!(grant = %ended.id, client = %ended.client, user = %ended.subject, ?cap, "ended to make room");
    grant::update(transaction, &ended)
}
