//! How a transaction is committed: counted, and journalled where something has ended.

use regrant_store::{Ending, Reached, StoreError};

use crate::guard::{Guard, Raise};
use crate::node_journal::NodeJournal;
use crate::replay::{ReplayError, catch_up};
use crate::rows::high_water;
use crate::statements::high_water::{RAISE_AND_COMMIT, RAISE_IF_FREE_AND_COMMIT, raise_to_and_commit};
use crate::transaction::Transaction;

/// Commits a transaction that has ended these. On an error it is undone, or nobody knows.
pub(crate) async fn commit(transaction: &mut Transaction, guard: &Guard, endings: &[Ending]) -> Result<(), StoreError> {
    let raise = guard.raise(!endings.is_empty());
    let committed = match (raise, guard.journal()) {
        (Raise::No, _) => return transaction.lease().commit().await,
        (Raise::IfFree, _) => transaction.lease().commit_by(RAISE_IF_FREE_AND_COMMIT).await,
        (Raise::Surely, None) => transaction.lease().commit_by(RAISE_AND_COMMIT).await,
        (Raise::Surely, Some(journal)) => commit_journalled(transaction, guard, journal, endings).await,
    };
    guard.raised(committed.as_ref().ok().copied().flatten());
    committed.map(drop)
}

/// The row that says which record is the last is held until the commit: so records have the order of commits, and the store that has
/// one of them has all before it.
async fn commit_journalled(
    transaction: &mut Transaction,
    guard: &Guard,
    journal: &NodeJournal,
    endings: &[Ending],
) -> Result<Option<u64>, StoreError> {
    let added = async {
        journal.ready().await?;
        let water = high_water::lock(transaction).await?;
        let reached = Reached { counter: water.counter.saturating_add(1), epoch: guard.epoch() };
        Ok((reached.counter, journal.append(water.journalled, reached, endings).await?))
    };
    match added.await {
        Ok((counter, Some(journalled))) => {
            let counter = transaction.lease().commit_by(&raise_to_and_commit(counter, journalled)).await?;
            guard.journalled(journalled);
            Ok(counter)
        }
        Ok((_, None)) => {
            transaction.undo().await;
            mend(transaction, guard, journal).await?;
            let told =
                "a commit before this one had failed after it was journalled; the same request can be sent again";
            Err(StoreError::Unavailable(told.to_owned()))
        }
        Err(error) => {
            transaction.undo().await;
            Err(error)
        }
    }
}

/// Does what a failed commit has left in the journal.
async fn mend(transaction: &mut Transaction, guard: &Guard, journal: &NodeJournal) -> Result<(), StoreError> {
    transaction.begin_again().await?;
    let outcome = match catch_up(transaction, journal.database(), guard.epoch()).await {
        Ok(water) => {
            transaction.lease().commit().await?;
            transaction.has_ended();
            guard.reached_by_any(&water);
            return Ok(());
        }
        Err(outcome) => outcome,
    };
    transaction.undo().await;
    match outcome {
        ReplayError::RolledBack(how) if how.needs_restore() => {
            tracing::error!(%how, "the database was put back to an earlier day, and decides nothing any more");
            guard.halt(transaction.lease().generation());
            high_water::halt(transaction.lease()).await?;
            guard.noted();
            Err(StoreError::RolledBack)
        }
        ReplayError::RolledBack(how) => Err(StoreError::Unavailable(how.to_string())),
        ReplayError::Journal(error) => Err(StoreError::Unavailable(error.to_string())),
        ReplayError::Store(error) => Err(error),
    }
}
