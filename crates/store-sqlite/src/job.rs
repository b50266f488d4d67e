use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use regrant_store::StoreError;
use tokio::sync::oneshot;

use crate::transaction::Transaction;

/// Work that waits for its turn in a transaction, together with whoever waits for its answer.
pub(crate) trait Job: Send {
    /// Does the work, once, and keeps its answer. `false` says that what it wrote is to be rolled back.
    fn run(&mut self, transaction: &Transaction<'_>, now: Instant) -> bool;

    /// Answers, now that it is known whether what was written is durable.
    fn answer(self: Box<Self>, committed: &Result<(), StoreError>);
}

/// A job of `work`, and where its answer will be. A job that is dropped unanswered closes that place.
pub(crate) fn job<T, E>(
    begin_before: Option<Instant>,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
) -> (Box<dyn Job>, oneshot::Receiver<Result<T, E>>)
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let (sender, receiver) = oneshot::channel();
    (Box::new(Task { begin_before, work: Some(work), result: None, sender }), receiver)
}

struct Task<W, T, E> {
    begin_before: Option<Instant>,
    work: Option<W>,
    result: Option<Result<T, E>>,
    sender: oneshot::Sender<Result<T, E>>,
}

impl<W, T, E> Job for Task<W, T, E>
where
    W: FnOnce(&Transaction<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn run(&mut self, transaction: &Transaction<'_>, now: Instant) -> bool {
        let Some(work) = self.work.take() else { return false };
        let result = if self.begin_before.is_some_and(|latest| now > latest) {
            Err(StoreError::TooLate.into())
        } else {
            // What the work wrote is rolled back when it panics, and what it held is never looked at again.
            catch_unwind(AssertUnwindSafe(|| work(transaction))).unwrap_or_else(|_| {
                tracing::error!("a step panicked and was rolled back");
                Err(StoreError::Unavailable("the step panicked, and was rolled back; report this".to_owned()).into())
            })
        };
        let is_kept = result.is_ok();
        self.result = Some(result);
        is_kept
    }

    fn answer(self: Box<Self>, committed: &Result<(), StoreError>) {
        let answer = match (committed, self.result) {
            (Ok(()), Some(result)) => result,
            (Ok(()), None) => Err(StoreError::Unavailable("the step was not begun".to_owned()).into()),
            (Err(error), _) => Err(error.clone().into()),
        };
        // Whoever gave up waiting does not need the answer; what was written stays.
        let _ = self.sender.send(answer);
    }
}
