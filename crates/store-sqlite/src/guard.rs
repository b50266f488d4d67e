use std::path::Path;
use std::time::{Duration, Instant};

use regrant_protocol::{EpochNumber, Kid};
use regrant_store::{Ending, HighWater, Journal, Outside, OutsideError, Reached, RolledBack, StoreError};

use crate::OpenError;
use crate::endings::apply;
use crate::rows::high_water;
use crate::transaction::Transaction;

/// How long what is written may be ahead of the counter that tells of it: a second. A copy that lacks less is not noticed by it.
const RAISED_EVERY: Duration = Duration::from_secs(1);

/// What is outside the database, seen from the thread that writes: it hears of every ending before the commit, and of how far the
/// store has come after it.
pub(crate) struct Guard {
    outside: Outside,
    epoch: EpochNumber,
    /// As it is in the file.
    water: HighWater,
    /// The last record of the journal that the transaction that goes on has.
    replayed: u64,
    /// As it is in the file when the transaction that goes on is committed.
    coming: Option<HighWater>,
    /// When the counter was raised last; `None` when it is to be raised with the next chance.
    raised_at: Option<Instant>,
    /// Something was written that the counter does not tell of.
    is_behind: bool,
}

impl Guard {
    /// Compares the store at `path`, which says `water` of itself, with what is outside it.
    ///
    /// # Errors
    /// When one of them was put back to an earlier day.
    pub(crate) fn new(path: &Path, epoch: EpochNumber, water: HighWater, outside: Outside) -> Result<Self, OpenError> {
        let seen = outside.mark.as_ref().and_then(|mark| mark.seen());
        let span = outside.journal.as_ref().map(|journal| journal.span());
        RolledBack::check(&water, epoch, seen, span)
            .map_err(|how| OpenError::RolledBack { path: path.to_owned(), how })?;
        if outside.journal.is_none() && water.journalled > 0 {
            tracing::warn!(path = %path.display(), "the store had a journal, and is told of none: what ends now is in none");
        }
        // The first commit says that the store was opened.
        let is_behind = outside.mark.is_some() || outside.journal.is_some();
        let replayed = water.journalled;
        Ok(Self { outside, epoch, water, replayed, coming: None, raised_at: None, is_behind })
    }

    /// Does what the journal has of a commit that failed, or that a crash prevented, before anything else in the transaction: what
    /// comes now is the later word.
    pub(crate) fn begun(&mut self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        self.replayed = match &mut self.outside.journal {
            Some(journal) => replay(transaction, &mut **journal, self.water.journalled).map_err(replay_failed)?.last,
            None => self.water.journalled,
        };
        Ok(())
    }

    /// Writes down what the transaction has ended, outside the database and durably, and how far it brings the store.
    pub(crate) fn before_commit(
        &mut self,
        transaction: &Transaction<'_>,
        endings: &[Ending],
        has_written: bool,
        now: Instant,
    ) -> Result<(), StoreError> {
        if self.outside.mark.is_none() && self.outside.journal.is_none() {
            return Ok(());
        }
        self.is_behind |= has_written;
        let is_due = self.is_behind && self.raised_at.is_none_or(|at| now.duration_since(at) >= RAISED_EVERY);
        let counter = self.water.counter.saturating_add(1);
        let mut coming = HighWater { counter, journalled: self.replayed, ..self.water };
        if let Some(journal) = &mut self.outside.journal {
            // So that a copy of the store says that there is a journal, whether anything has ended or not.
            let first = [Ending::Epoch { number: self.epoch }];
            let endings = if coming.journalled == 0 && endings.is_empty() { &first } else { endings };
            if !endings.is_empty() {
                let reached = Reached { counter, epoch: self.epoch };
                coming.journalled = journal.append(reached, endings).map_err(|error| not_journalled(&error))?;
            }
        }
        if is_due || coming.journalled > self.water.journalled {
            high_water::raise(transaction, &coming)?;
            self.raised_at = Some(now);
            self.coming = Some(coming);
        }
        Ok(())
    }

    /// The transaction is durable.
    pub(crate) fn committed(&mut self) {
        let Some(water) = self.coming.take() else { return };
        (self.water, self.is_behind) = (water, false);
        if let Some(mark) = &self.outside.mark {
            mark.journalled(water.journalled);
            mark.raise(Reached { counter: water.counter, epoch: self.epoch });
        }
    }

    /// The transaction came to nothing, or nobody knows.
    pub(crate) fn failed(&mut self) {
        self.coming = None;
        self.raised_at = None;
    }

    /// The store is opened again after a failure: what became of its last transaction is known now.
    pub(crate) fn reopened(&mut self, water: HighWater) {
        self.water = water;
    }

    /// Whether a last transaction has to tell what the counter does not.
    pub(crate) fn has_to_close(&mut self) -> bool {
        self.raised_at = None;
        self.is_behind
    }
}

/// Why the records of a journal could not be applied.
pub(crate) enum ReplayError {
    /// They cannot be read.
    Journal(OutsideError),
    /// They cannot be written.
    Store(StoreError),
}

/// What was replayed of a journal.
pub(crate) struct Replayed {
    /// The last record that is done now.
    pub(crate) last: u64,
    /// Below which the master keys were retired, where one of the records says so.
    pub(crate) retired_below: Option<Kid>,
}

impl Replayed {
    /// Nothing, as everything up to the record `last` was done before.
    pub(crate) fn up_to(last: u64) -> Self {
        Self { last, retired_below: None }
    }
}

/// Applies every record after `number`.
pub(crate) fn replay(
    transaction: &Transaction<'_>,
    journal: &mut dyn Journal,
    number: u64,
) -> Result<Replayed, ReplayError> {
    let mut replayed = Replayed::up_to(number);
    let last = journal.span().last;
    while replayed.last < last {
        let next = replayed.last + 1;
        let missing = |number| ReplayError::Journal(OutsideError::record_missing(number, last));
        let records = journal.read_after(replayed.last).map_err(ReplayError::Journal)?;
        if records.is_empty() {
            return Err(missing(next));
        }
        for (expected, record) in (next..).zip(&records) {
            if record.number != expected {
                return Err(missing(expected));
            }
            apply(transaction, &record.ending).map_err(ReplayError::Store)?;
            if let Ending::MasterKeysRetired { oldest } = record.ending {
                replayed.retired_below = replayed.retired_below.max(Some(oldest));
            }
            replayed.last = expected;
        }
    }
    Ok(replayed)
}

fn replay_failed(error: ReplayError) -> StoreError {
    match error {
        ReplayError::Journal(error) => not_journalled(&error),
        ReplayError::Store(error) => error,
    }
}

fn not_journalled(error: &OutsideError) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

#[cfg(test)]
mod tests;
