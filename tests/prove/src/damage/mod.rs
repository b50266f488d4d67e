//! Damaged files (`prove damage`): what is noticed, what is not, and that nothing dead comes alive beside the damage.
//!
//! A store is damaged in one place and opened again. It is refused with a message, or the damage is met by a request and
//! answered 503, or everything is served as it was. What SQLite cannot notice is counted and not hidden: a bit in a row
//! that stays a row, and commits that vanished with the log. Then a row is not what it was, and a token that fits the
//! changed row is good. While a row is what it was, nothing excuses a token that had been superseded or revoked.

mod examine;
mod kinds;
mod owners;
mod stores;

use anyhow::Result;
use regrant_crypto::SeededEntropy;
use regrant_data_directory::MARK_FILE;

use crate::instance::Instance;
use crate::report::{Entry, Report};
use crate::scale::Scale;
use examine::{Examined, First, examine, rows};
use kinds::{Allows, DAMAGES, Damage, Share};
use stores::{LOG, Stores, write_all};

/// The proof that dead tokens that are good again would be seen.
const UNEXCUSED: &str = "unexcused_must_be_caught";

/// The most violations that are shown.
const SHOWN_MAX: usize = 10;

/// Damages a store in every way, and takes away the right to use it.
pub(crate) fn run(scale: Scale, only: &str, seed: u64, report: &mut Report) -> Result<()> {
    let flips = match scale {
        Scale::Ci => 60,
        Scale::Night => 200,
        Scale::Gate => 1_000,
    };
    let stores = Stores::make()?;
    for damage in DAMAGES.iter().filter(|damage| damage.name.contains(only)) {
        inflict(damage, flips, seed, &stores, report)?;
    }
    if UNEXCUSED.contains(only) {
        notice_the_unexcused(&stores, report)?;
    }
    owners::run(only, report)
}

/// Takes log and mark away, and lets the rows of the earlier time pass for those from before the damage: tokens that were
/// superseded are then good without an excuse, and that must be seen.
fn notice_the_unexcused(stores: &Stores, report: &mut Report) -> Result<()> {
    let mut entry = Entry::begin("damage", UNEXCUSED);
    let folder = tempfile::tempdir()?;
    let mut files = stores.killed.clone();
    files.remove(LOG);
    files.remove(MARK_FILE);
    let (data, copy) = (folder.path().join("data"), folder.path().join("copy"));
    write_all(&data, &files)?;
    write_all(&copy, &files)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let examined = runtime.block_on(async {
        let earlier = rows(&Instance::open(&copy, 72).await?, &stores.ledger).await?;
        anyhow::Ok(examine(data, stores.ledger.clone(), earlier, First::Superseded).await)
    })?;
    entry.add("caught", examined.violations.len());
    report.close(entry, 1, usize::from(examined.violations.is_empty()));
    Ok(())
}

fn inflict(damage: &Damage, flips: usize, seed: u64, stores: &Stores, report: &mut Report) -> Result<()> {
    let mut entry = Entry::begin("damage", damage.name);
    let count = match damage.share {
        Share::All => flips,
        Share::Quarter => flips.div_ceil(4),
        Share::Once => 1,
    };
    let chance = SeededEntropy::new(seed);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let mut tally = Tally::default();
    for _ in 0..count {
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("data");
        let mut files = if damage.closed { stores.closed.clone() } else { stores.killed.clone() };
        (damage.act)(&mut files, stores, &chance);
        write_all(&data, &files)?;
        let task = runtime.spawn(examine(data, stores.ledger.clone(), stores.before.clone(), First::Newest));
        match runtime.block_on(task) {
            Ok(examined) => tally.add(examined, damage.allows),
            Err(panic) => tally.violations.push(panic.to_string()),
        }
    }
    entry.add("seed", seed);
    entry.add("refused_at_start", tally.refused);
    entry.add("met_by_a_request", tally.detected);
    entry.add("rolled_back", tally.rolled_back);
    entry.add("unnoticed", tally.unnoticed);
    entry.add("as_it_was", tally.sound);
    entry.add("tokens_ahead_answered_503", tally.tokens_ahead);
    entry.add("superseded_tokens_good_again", tally.revived);
    entry.add("grants_gone", tally.gone);
    if let Some(message) = &tally.message {
        entry.add("refused_with", message.as_str());
    }
    if !tally.violations.is_empty() {
        entry.add("found", tally.violations[..tally.violations.len().min(SHOWN_MAX)].to_vec());
    }
    report.close(entry, count, tally.violations.len());
    Ok(())
}

#[derive(Default)]
struct Tally {
    refused: usize,
    detected: usize,
    rolled_back: usize,
    unnoticed: usize,
    sound: usize,
    tokens_ahead: usize,
    revived: usize,
    gone: usize,
    message: Option<String>,
    violations: Vec<String>,
}

impl Tally {
    /// Counts a directory by the worst that was seen in it: what nobody noticed, then what only a client could.
    fn add(&mut self, examined: Examined, allows: Allows) {
        let Examined { refused, detected, rolled_back, revived, gone, unnoticed, violations } = examined;
        self.violations.extend(violations);
        self.tokens_ahead += rolled_back;
        self.revived += revived;
        self.gone += gone;
        let is_rolled_back = rolled_back > 0;
        // Where rows are of an earlier time, younger grants are gone, and what was good at that time is good.
        let is_explained = is_rolled_back && allows == Allows::RolledBack;
        let is_unnoticed = unnoticed > 0 || revived + gone > 0 && !is_explained;
        let outcome = if refused.is_some() {
            &mut self.refused
        } else if is_unnoticed {
            &mut self.unnoticed
        } else if is_rolled_back {
            &mut self.rolled_back
        } else if detected > 0 {
            &mut self.detected
        } else {
            &mut self.sound
        };
        *outcome += 1;
        if allows == Allows::Nothing && (refused.is_some() || is_unnoticed || is_rolled_back || detected > 0) {
            self.violations.push(format!("not everything is as it was: {refused:?}"));
        }
        self.message = self.message.take().or(refused);
    }
}
