//! What the database and its journal have of grants, in whose rows nobody of ours has a hand. `select` asks the one or the other.

use std::collections::{HashMap, HashSet};

use regrant_grant::GrantId;
use serde_json::Value;

const SELECT_GENERATIONS: &str = "SELECT replace(id::text, '-', ''), generation FROM regrant.grants";

const SELECT_REVOKED: &str = "SELECT replace(id::text, '-', '') FROM regrant.grants WHERE revoked_at IS NOT NULL";

const SELECT_RECORDS: &str = "SELECT ending FROM regrant_journal.records";

/// How far each grant has come by its row.
pub(crate) fn generations(select: impl FnOnce(&str) -> String) -> HashMap<GrantId, u32> {
    let rows = select(SELECT_GENERATIONS);
    let read = |row: &str| row.split_once('|').and_then(|(id, row)| Some((grant_of(id)?, row.parse().ok()?)));
    rows.lines().filter_map(read).collect()
}

/// How many of these grants were not revoked by their rows, or have none.
pub(crate) fn alive(grants: &[GrantId], select: impl FnOnce(&str) -> String) -> usize {
    let rows = select(SELECT_REVOKED);
    let revoked: HashSet<GrantId> = rows.lines().filter_map(grant_of).collect();
    grants.iter().filter(|grant| !revoked.contains(grant)).count()
}

/// Of how many of these grants the journal does not say that they have ended.
pub(crate) fn unrecorded(grants: &[GrantId], select: impl FnOnce(&str) -> String) -> usize {
    let records = select(SELECT_RECORDS);
    let ended: HashSet<String> = records.lines().filter_map(ended_by).collect();
    grants.iter().filter(|grant| !ended.contains(&grant.to_string())).count()
}

/// The id of the grant whose end a record tells, which is a line of JSON.
fn ended_by(record: &str) -> Option<String> {
    let record: Value = serde_json::from_str(record).ok()?;
    Some(record.get("grant")?.get("id")?.as_str()?.to_owned())
}

/// The grant of this id, which a row shows in hexadecimal digits.
fn grant_of(id: &str) -> Option<GrantId> {
    u128::from_str_radix(id, 16).ok().map(|id| GrantId(id.to_be_bytes()))
}
