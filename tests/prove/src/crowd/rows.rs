use std::collections::{HashMap, HashSet};

use regrant_grant::GrantId;

const SELECT_GENERATIONS: &str = "SELECT replace(id::text, '-', ''), generation FROM regrant.grants";

const SELECT_REVOKED: &str = "SELECT replace(id::text, '-', '') FROM regrant.grants WHERE revoked_at IS NOT NULL";

/// How far each grant has come by its row. `select` asks the database.
pub(super) fn generations(select: impl FnOnce(&str) -> String) -> HashMap<GrantId, u32> {
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

/// The grant of this id, which a row shows in hexadecimal digits.
fn grant_of(id: &str) -> Option<GrantId> {
    u128::from_str_radix(id, 16).ok().map(|id| GrantId(id.to_be_bytes()))
}
