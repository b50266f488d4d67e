use regrant_protocol::{EpochNumber, Kid};
use regrant_store::{Ending, HighWater, JournalSpan, OutsideError, Reached, RolledBack, StoreError};

use crate::endings::apply;
use crate::journal::JournalDatabase;
use crate::rows::{high_water, shared};
use crate::transaction::Transaction;

/// Why a journal and the store were not brought together.
pub(crate) enum ReplayError {
    /// One of them was put back to an earlier day.
    RolledBack(RolledBack),
    /// The journal cannot be used.
    Journal(OutsideError),
    /// The store cannot be used.
    Store(StoreError),
}

impl From<OutsideError> for ReplayError {
    fn from(error: OutsideError) -> Self {
        Self::Journal(error)
    }
}

impl From<StoreError> for ReplayError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Does what the journal has and the store has not, as a commit leaves it that failed after it was journalled. Nobody else ends anything
/// until the end of the transaction. How far the store has come with it.
pub(crate) async fn catch_up(
    transaction: &Transaction,
    journal: &JournalDatabase,
    epoch: EpochNumber,
) -> Result<HighWater, ReplayError> {
    let mut water = high_water::lock(transaction).await?;
    let span = journal.span().await?;
    RolledBack::check(&HighWater { halted_at: None, ..water }, epoch, None, Some(span))
        .map_err(ReplayError::RolledBack)?;
    let begun = begin(journal, epoch, &water, &span).await?;
    let replayed = replay(transaction, journal, water.journalled, begun.unwrap_or(span.last)).await?;
    let journalled = replayed.last;
    if journalled > water.journalled {
        let counter = span.reached.map_or(0, |reached| reached.counter).max(water.counter.saturating_add(1));
        water = HighWater { counter, journalled, ..water };
        high_water::raise(transaction, &water).await?;
    }
    Ok(water)
}

/// So that a copy of the store says that there is a journal, whether anything has ended or not, the first record is of nothing.
async fn begin(
    journal: &JournalDatabase,
    epoch: EpochNumber,
    water: &HighWater,
    span: &JournalSpan,
) -> Result<Option<u64>, OutsideError> {
    if (water.journalled, span.last) != (0, 0) {
        return Ok(None);
    }
    let reached = Reached { counter: water.counter.saturating_add(1), epoch };
    journal.append(0, reached, &[Ending::Epoch { number: epoch }]).await
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

/// Applies every record after `number` up to `last`.
pub(crate) async fn replay(
    transaction: &Transaction,
    journal: &JournalDatabase,
    number: u64,
    last: u64,
) -> Result<Replayed, ReplayError> {
    let mut replayed = Replayed::up_to(number);
    while replayed.last < last {
        let next = replayed.last + 1;
        let missing = |number| ReplayError::Journal(OutsideError::record_missing(number, last));
        let records = journal.read_after(replayed.last).await?;
        if records.is_empty() {
            return Err(missing(next));
        }
        for (expected, record) in (next..).zip(&records) {
            if record.number != expected {
                return Err(missing(expected));
            }
            apply(transaction, &record.ending).await?;
            if let Ending::MasterKeysRetired { oldest } = record.ending {
                replayed.retired_below = replayed.retired_below.max(Some(oldest));
            }
            replayed.last = expected;
        }
    }
    if replayed.last > number {
        shared::count_client_change(transaction).await?;
        shared::count_key_change(transaction).await?;
    }
    Ok(replayed)
}
