use std::collections::HashSet;

use regrant_grant::Write;
use regrant_protocol::Timestamp;
use regrant_store::StoreError;

use crate::alone::grant_of;
use crate::decision::{decide, meets_cap};
use crate::lane::{Lane, Waiting};
use crate::look_up::{Found, look_up};
use crate::node_journal::NodeJournal;
use crate::pool::Lease;
use crate::statements::grant::{INSERT_GRANTS, INSERT_LISTED_ACCESS_TOKENS, SELECT_WITNESSES, UPDATE_GRANTS};
use crate::transaction::{Transaction, time_of};
use crate::witness::{Witness, are_so};
use crate::write;

/// Runs steps on different grants together, and answers those that are done or have failed. Those that are given back have
/// written nothing, and are to travel alone.
///
/// What ends something has to wait for the journal, where there is one: it is written after the others and without them, or goes on
/// in the lane for that.
pub(crate) async fn run(lane: &Lane, steps: Vec<Waiting>) -> Vec<Waiting> {
    if steps.is_empty() {
        return steps;
    }
    let lease = match lease_to_decide(lane).await {
        Ok(lease) => lease,
        Err(error) => return answer_all(steps, &error),
    };
    let has_journal = journal_of(lane).is_some();
    let reading = Transaction::reading(lease);
    let targets: Vec<_> = steps.iter().map(|step| &step.target).collect();
    // The time is asked for right behind the first statement, in one round trip with it.
    let (looked_up, now) = tokio::join!(biased; look_up(&reading, &targets), time_of(reading.lease(), &lane.clock));
    let (found, now) = match (looked_up, now) {
        (Ok(found), Ok(now)) => (found, now),
        (Err(error), _) | (_, Err(error)) => return answer_all(steps, &error),
    };
    let (mut writing, mut ending, mut alone) = (Batch::default(), Batch::default(), Vec::new());
    let mut names = HashSet::new();
    for (mut step, found) in steps.into_iter().zip(found) {
        match judge(&mut step, found, lane, now) {
            Ok(None) => step.answer(Ok(())),
            Ok(Some(decided)) if decided.is_alone || !names.insert(decided.name()) => alone.push(step),
            Ok(Some(decided)) if has_journal && decided.ends() => match &lane.ending {
                Some(elsewhere) => elsewhere.take(step),
                None => ending.push(step, decided),
            },
            Ok(Some(decided)) => writing.push(step, decided),
            Err(error) => step.answer(Err(error)),
        }
    }
    if writing.is_empty() {
        drop(reading);
    } else {
        alone.extend(write_together(reading.announce(now), writing).await);
    }
    if !ending.is_empty() {
        alone.extend(write_endings(lane, now, ending).await);
    }
    alone
}

async fn lease_to_decide(lane: &Lane) -> Result<Lease, StoreError> {
    let lease = lane.pool.lease().await?;
    lease.may_decide()?;
    Ok(lease)
}

fn journal_of(lane: &Lane) -> Option<&NodeJournal> {
    lane.pool.guard()?.journal()
}

/// Steps, and what each of them is to write.
#[derive(Default)]
struct Batch {
    steps: Vec<Waiting>,
    decisions: Vec<Decided>,
}

impl Batch {
    fn push(&mut self, step: Waiting, decided: Decided) {
        self.steps.push(step);
        self.decisions.push(decided);
    }

    fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

/// What a step is to write.
struct Decided {
    write: Write,
    witness: Witness,
    is_alone: bool,
}

impl Decided {
    /// What no two steps may write in one statement.
    fn name(&self) -> Vec<u8> {
        match &self.write {
            Write::Update(row) | Write::Insert(row) => row.id.0.to_vec(),
            Write::ListAccessToken { id, .. } => id.to_bytes().to_vec(),
            Write::Nothing => Vec::new(),
        }
    }

    /// Whether something has ended with it.
    fn ends(&self) -> bool {
        match &self.write {
            Write::Update(row) => row.revoked_at.is_some(),
            Write::ListAccessToken { .. } => true,
            Write::Insert(_) | Write::Nothing => false,
        }
    }
}

fn judge(
    step: &mut Waiting,
    found: Result<Found, StoreError>,
    lane: &Lane,
    now: Timestamp,
) -> Result<Option<Decided>, StoreError> {
    step.in_time(&lane.clock)?;
    let found = found?;
    let write = decide(&mut step.rule, &found.scene(lane.epoch, now), &found)?;
    if write == Write::Nothing {
        return Ok(None);
    }
    let is_alone = meets_cap(&write, &found).is_some();
    let witness = Witness::new(&found, &write)?;
    Ok(Some(Decided { write, witness, is_alone }))
}

/// The same as [`write_together`] of what ends something, once the journal can be waited for: until then nothing is locked.
async fn write_endings(lane: &Lane, now: Timestamp, batch: Batch) -> Vec<Waiting> {
    let ready = match journal_of(lane) {
        Some(journal) => journal.ready().await,
        None => Ok(()),
    };
    let lease = match ready {
        Ok(()) => lease_to_decide(lane).await,
        Err(error) => Err(error),
    };
    match lease {
        Ok(lease) => write_together(Transaction::reading(lease).announce(now), batch).await,
        Err(error) => answer_all(batch.steps, &error),
    }
}

/// Writes what these steps ask for and looks at what they relied on, in one go, and commits. Whoever was overtaken is given
/// back; if one relied on something that is so no longer, or somebody else was in the way, all are.
async fn write_together(transaction: Transaction, batch: Batch) -> Vec<Waiting> {
    let Batch { steps, decisions } = batch;
    let written = match try_to_write(&transaction, &decisions).await {
        Ok(Some(written)) => written,
        Ok(None) => {
            transaction.roll_back().await;
            return steps;
        }
        Err(error) => {
            let is_contention = transaction.met_contention();
            transaction.roll_back().await;
            return if is_contention { steps } else { answer_all(steps, &error) };
        }
    };
    let committed = transaction.commit().await;
    let mut overtaken = Vec::new();
    for (step, is_written) in steps.into_iter().zip(written) {
        if is_written { step.answer(committed.clone()) } else { overtaken.push(step) }
    }
    overtaken
}

/// For each step whether it was written; `None` when one of those relied on something that is so no longer.
async fn try_to_write(transaction: &Transaction, decisions: &[Decided]) -> Result<Option<Vec<bool>>, StoreError> {
    let (mut updates, mut inserts, mut listed) = (Vec::new(), Vec::new(), Vec::new());
    for decided in decisions {
        match &decided.write {
            Write::Update(row) => updates.push(row),
            Write::Insert(row) => inserts.push(row),
            Write::ListAccessToken { id, until } => listed.push((*id, *until)),
            Write::Nothing => {}
        }
    }
    // What is prepared leaves at once and in this order, so that all of it is one round trip.
    for sql in [UPDATE_GRANTS, INSERT_GRANTS, INSERT_LISTED_ACCESS_TOKENS, SELECT_WITNESSES] {
        transaction.prepare(sql).await?;
    }
    let witnesses: Vec<_> = decisions.iter().map(|decided| &decided.witness).collect();
    let (begun, updated, inserted, listed, so) = tokio::join!(
        biased;
        transaction.send_begin(),
        write::update(transaction, &updates),
        write::insert(transaction, &inserts),
        write::list_access_tokens(transaction, &listed),
        are_so(transaction, &witnesses),
    );
    begun?;
    let (updated, inserted, so) = (updated?, inserted?, {
        listed?;
        so?
    });
    let mut written = Vec::new();
    for (decided, is_so) in decisions.iter().zip(so) {
        let is_written = match &decided.write {
            Write::Update(row) => updated.contains(&row.id),
            Write::Insert(row) => inserted.contains(&row.id),
            Write::ListAccessToken { .. } | Write::Nothing => true,
        };
        if is_written && !is_so {
            return Ok(None);
        }
        written.push(is_written);
    }
    Ok(Some(written))
}

fn answer_all(steps: Vec<Waiting>, error: &StoreError) -> Vec<Waiting> {
    for step in steps {
        step.answer(Err(error.clone()));
    }
    Vec::new()
}

/// The first of these steps for each grant, at most `count_max`; the others stay, in their order.
pub(crate) fn take_different(waiting: &mut Vec<Waiting>, count_max: usize) -> Vec<Waiting> {
    let mut grants = HashSet::new();
    let (mut taken, mut left) = (Vec::new(), Vec::new());
    for step in waiting.drain(..) {
        let is_first = grant_of(&step.target).is_none_or(|grant| grants.insert(grant));
        if is_first && taken.len() < count_max { taken.push(step) } else { left.push(step) }
    }
    *waiting = left;
    taken
}
