use std::convert::Infallible;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use std::{io, iter};

use regrant_store::StoreError;
use tokio::sync::oneshot;

use crate::database::{Database, STEPS_PER_COMMIT_MAX};
use crate::failpoint::Failpoint;
use crate::job::{Job, job};
use crate::transaction::Transaction;

/// The most steps that wait; those that come then are refused.
pub const WAITING_STEPS_MAX: usize = 4096;

/// How long dropping a store waits for the steps that wait and for the file to be closed.
pub const CLOSING_MILLISECONDS_MAX: u64 = 2_000;

/// The thread that owns the database, seen from outside. Dropping it ends the thread after what waits was done.
pub(crate) struct Writer {
    queue: Option<SyncSender<Box<dyn Job>>>,
    closed: Mutex<Receiver<Infallible>>,
}

impl Writer {
    /// Starts the thread.
    pub(crate) fn start(database: Database) -> io::Result<Self> {
        let (queue, waiting) = sync_channel(WAITING_STEPS_MAX);
        let (closing, closed) = channel();
        thread::Builder::new().name("regrant-store".to_owned()).spawn(move || {
            serve(database, &waiting);
            drop(closing);
        })?;
        Ok(Self { queue: Some(queue), closed: Mutex::new(closed) })
    }

    /// Runs `work` in its turn, and answers when what it wrote is durable. When it fails, what it wrote is undone.
    pub(crate) async fn run<T, E>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let isolated = move |transaction: &Transaction<'_>| {
            transaction.isolate()?;
            work(transaction)
        };
        self.run_step(None, isolated).await
    }

    /// As [`run`](Self::run), for `work` that asks to be [isolated](Transaction::isolate) itself before it writes twice, unless it
    /// would begin after `begin_before`.
    pub(crate) async fn run_step<T, E>(
        &self,
        begin_before: Option<Instant>,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let answer = self.submit(begin_before, work)?;
        answer.await.unwrap_or_else(|_| Err(ended().into()))
    }

    /// Lets `work` wait for its turn, and says where its answer will be.
    fn submit<T, E>(
        &self,
        begin_before: Option<Instant>,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T, E>>, StoreError>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (job, answer) = job(begin_before, work);
        let queue = self.queue.as_ref().ok_or_else(ended)?;
        queue.try_send(job).map_err(|refused| match refused {
            TrySendError::Full(_) => StoreError::Overloaded(WAITING_STEPS_MAX),
            TrySendError::Disconnected(_) => ended(),
        })?;
        Failpoint::StepQueued.reach();
        Ok(answer)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        let closed = self.closed.get_mut().unwrap_or_else(PoisonError::into_inner);
        let waited = closed.recv_timeout(Duration::from_millis(CLOSING_MILLISECONDS_MAX));
        if waited == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("the store is still writing, and is left to finish by itself");
        }
    }
}

fn serve(mut database: Database, waiting: &Receiver<Box<dyn Job>>) {
    while let Ok(first) = waiting.recv() {
        let mut batch: Vec<_> = iter::once(first).chain(waiting.try_iter()).take(STEPS_PER_COMMIT_MAX).collect();
        Failpoint::BatchTaken.reach();
        let committed = database.commit_together(&mut batch);
        // By this thread, so that nobody is answered after a later sync has failed.
        for job in batch {
            job.answer(&committed);
            Failpoint::FirstAnswered.reach();
        }
        Failpoint::AllAnswered.reach();
        database.checkpoint_if_due();
    }
}

fn ended() -> StoreError {
    StoreError::Unavailable("the thread of the store has ended; start the process again".to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Genesis;
    use crate::rows::key;
    use regrant_grant::Realm;
    use regrant_protocol::{Kid, SystemClock, Timestamp};
    use regrant_store::SealedSigningKey;
    use tempfile::TempDir;

    fn start(directory: &TempDir) -> Writer {
        let genesis = Genesis { realm: Realm([1; 16]), epoch_random: [2; 16] };
        let path = directory.path().join("regrant.db");
        Writer::start(Database::open(&path, &genesis, Arc::new(SystemClock)).unwrap()).unwrap()
    }

    /// Stops the thread inside a step, and gives what lets it go on.
    fn stop(writer: &Writer) -> SyncSender<()> {
        let (release, released) = sync_channel::<()>(0);
        let (begin, begun) = sync_channel::<()>(0);
        drop(writer.submit(None, move |_| -> Result<(), StoreError> {
            begin.send(()).unwrap();
            released.recv().unwrap();
            Ok(())
        }));
        begun.recv().unwrap();
        release
    }

    fn signing_key(number: usize) -> SealedSigningKey {
        SealedSigningKey {
            key_id: number.to_string(),
            algorithm: "ES256".to_owned(),
            sealed_under: Kid(1),
            sealed: Vec::new(),
            created_at: Timestamp::from_seconds(1),
            signs_from: Timestamp::from_seconds(1),
            withdrawn_at: None,
        }
    }

    #[tokio::test]
    async fn when_as_many_steps_wait_as_may_the_next_is_refused_and_the_others_are_done() {
        let directory = tempfile::tempdir().unwrap();
        let writer = start(&directory);
        let release = stop(&writer);
        let submit = || writer.submit(None, |_| Ok::<_, StoreError>(()));
        let waiting: Vec<_> = (0..WAITING_STEPS_MAX).map(|_| submit().unwrap()).collect();
        assert_eq!(submit().unwrap_err(), StoreError::Overloaded(WAITING_STEPS_MAX));
        release.send(()).unwrap();
        for answer in waiting {
            assert_eq!(answer.await.unwrap(), Ok(()));
        }
        assert_eq!(writer.run(|_| Ok::<_, StoreError>(())).await, Ok(()));
    }

    #[tokio::test]
    async fn steps_that_wait_are_committed_as_many_together_as_may() {
        const LOG_BYTES_OF_TWO_COMMITS: u64 = 32 + 2 * (24 + 4096);
        let directory = tempfile::tempdir().unwrap();
        let writer = start(&directory);
        let release = stop(&writer);
        let change =
            |transaction: &Transaction<'_>| transaction.execute("UPDATE epochs SET random = randomblob(16)", []);
        let waiting: Vec<_> = (0..=STEPS_PER_COMMIT_MAX).map(|_| writer.submit(None, change).unwrap()).collect();
        release.send(()).unwrap();
        for answer in waiting {
            assert_eq!(answer.await.unwrap(), Ok(1));
        }
        let log = directory.path().join("regrant.db-wal").metadata().unwrap();
        assert_eq!(log.len(), LOG_BYTES_OF_TWO_COMMITS);
    }

    #[tokio::test]
    async fn what_waits_when_the_store_is_dropped_is_done_before_the_file_is_closed() {
        let directory = tempfile::tempdir().unwrap();
        let writer = start(&directory);
        let release = stop(&writer);
        let count = 3 * STEPS_PER_COMMIT_MAX;
        for number in 0..count {
            let add = move |transaction: &Transaction<'_>| key::add_signing(transaction, &signing_key(number));
            drop(writer.submit(None, add).unwrap());
        }
        release.send(()).unwrap();
        drop(writer);
        assert!(!directory.path().join("regrant.db-wal").exists(), "the file was closed");
        let keys = start(&directory).run(key::signing).await.unwrap();
        assert_eq!(keys.len(), count);
    }
}
