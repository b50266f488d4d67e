//! Whether a data directory still holds what a workload was told.

use std::path::Path;

use regrant_engine::TokenError;
use regrant_grant::{Generation, Grant, REFRESH_PREFIX, TokenParts, Verdict};
use regrant_store_sqlite::check_integrity;

use crate::instance::Instance;
use crate::ledger::{Account, Ledger, Revocation, sender_of};
use crate::workload::open;

/// What was found in a data directory.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// How many acknowledgements were looked for.
    pub(crate) acknowledgements: u64,
    /// Those that are not there.
    pub(crate) lost: Vec<String>,
    /// What else should not be: it does not open, it is damaged, there is more than was asked for.
    pub(crate) broken: Vec<String>,
}

/// Opens `data`, looks every acknowledgement of `ledger` up, refreshes with every token that it holds, and lets SQLite
/// look for damage.
pub(crate) async fn verify(data: &Path, ledger: &Ledger, seed: u64) -> Found {
    let mut found = Found::default();
    match open(data, seed).await {
        Ok(instance) => {
            for (&number, account) in &ledger.accounts {
                look_up(&instance, ledger, number, account, &mut found).await;
            }
        }
        // Mark and journal have more than the database.
        Err(error) if format!("{error:#}").contains("is not what it was") => found.lost.push(format!("{error:#}")),
        Err(error) => found.broken.push(format!("it does not open: {error:#}")),
    }
    match check_integrity(&data.join("regrant.db")) {
        Ok(faults) => found.broken.extend(faults),
        Err(error) => found.broken.push(error.to_string()),
    }
    found
}

async fn look_up(instance: &Instance, ledger: &Ledger, number: u32, account: &Account, found: &mut Found) {
    let Some(last) = account.tokens.last() else { return };
    let is_revoked = account.revocation == Revocation::Acknowledged;
    found.acknowledgements += account.tokens.len() as u64 + u64::from(is_revoked);
    let acknowledged = account.acknowledged();
    let row = match instance.row(last).await {
        Ok(Some(row)) => row,
        Ok(None) => return found.lost.push(format!("grant {number}: there is no row")),
        Err(error) => return found.broken.push(format!("grant {number}: {error:#}")),
    };
    if row.generation.0 < acknowledged {
        let generation = row.generation.0;
        return found.lost.push(format!("grant {number}: generation {generation} of {acknowledged} received"));
    }
    if is_revoked && row.revoked_at.is_none() {
        return found.lost.push(format!("grant {number}: its revocation"));
    }
    let attempted = account.attempted.max(acknowledged);
    if row.generation.0 > attempted {
        let generation = row.generation.0;
        found.broken.push(format!("grant {number}: generation {generation}, though only {attempted} was asked for"));
    }
    if row.revoked_at.is_some() && account.revocation == Revocation::None {
        found.broken.push(format!("grant {number}: revoked, though nobody asked for it"));
    }
    let answer = instance.refresh(sender_of(number), ledger.secret.as_deref().unwrap_or_default(), last).await;
    if let Err(problem) = judge(&row, acknowledged, &answer) {
        found.broken.push(format!("grant {number}: {problem}"));
    }
}

/// A token that was received refreshes, and gives the one generation that follows; that of a revoked grant does not.
fn judge(row: &Grant, acknowledged: u32, answer: &Result<String, TokenError>) -> Result<(), String> {
    match answer {
        Ok(token) if row.revoked_at.is_none() => match TokenParts::parse(REFRESH_PREFIX, token) {
            Ok(parts) if parts.head.generation == Generation(acknowledged + 1) => Ok(()),
            Ok(parts) => Err(format!("generation {} follows {acknowledged}", parts.head.generation.0)),
            Err(error) => Err(error.to_string()),
        },
        Ok(_) => Err("a revoked grant was refreshed".to_owned()),
        Err(TokenError::Refresh { verdict: Verdict::Revoked, .. }) if row.revoked_at.is_some() => Ok(()),
        Err(error) => Err(format!("generation {acknowledged}, which was received, is refused: {error}")),
    }
}
