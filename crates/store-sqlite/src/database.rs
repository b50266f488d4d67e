use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use regrant_protocol::Clock;
use regrant_store::{HighWater, Identity, Outside, OutsideError, StoreError};
use rusqlite::{Connection, ffi};

use crate::connection::{check_length, check_library, connect, copy_log_on_close, create, directory_of, sync_names};
use crate::failpoint::Failpoint;
use crate::guard::Guard;
use crate::job::Job;
use crate::migration::{MIGRATIONS, migrate};
use crate::rows::{high_water, key};
use crate::statements::database::{BEGIN, CHECKPOINT, CHECKPOINT_AT_START, COMMIT, ROLLBACK};
use crate::transaction::Transaction;
use crate::{Genesis, OpenError};

/// The most steps that are committed together.
pub const STEPS_PER_COMMIT_MAX: usize = 256;

/// How many rows may change before the write-ahead log is copied into the file: some megabytes of log.
const ROWS_PER_CHECKPOINT_MAX: u64 = 1_000;

/// The file, the only connection to it, and what becomes of it when the disk fails.
pub(crate) struct Database {
    path: PathBuf,
    identity: Identity,
    clock: Arc<dyn Clock>,
    state: State,
    rows_at_checkpoint: u64,
    guard: Guard,
}

enum State {
    Open(Connection),
    /// It failed and was closed; the next batch opens it again.
    Lost,
    /// A sync failed. The kernel may have dropped what it could not write, and would call a second one a success.
    Poisoned(String),
}

impl Database {
    /// Opens the file at `path`, or makes it from `genesis`, with nothing outside it.
    #[cfg(test)]
    pub(crate) fn open(path: &Path, genesis: &Genesis, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        Self::open_beside(path, genesis, clock, |_, _| Ok(Outside::default()))
    }

    /// Opens the file at `path`, or makes it from `genesis`, and compares it with what is outside it.
    pub(crate) fn open_beside(
        path: &Path,
        genesis: &Genesis,
        clock: Arc<dyn Clock>,
        outside: impl FnOnce(&Identity, &HighWater) -> Result<Outside, OutsideError>,
    ) -> Result<Self, OpenError> {
        check_library(rusqlite::version_number())?;
        create(path)?;
        let failed = |error: rusqlite::Error| OpenError::of_sqlite(path, &error);
        let mut connection = connect(path)?;
        copy_log_on_close(&connection, false).map_err(failed)?;
        migrate(&mut connection, path, MIGRATIONS, genesis, clock.now())?;
        Failpoint::Migrated.reach();
        // Before anything is copied into the file: half of it there, and the name of the log lost, is no database.
        sync_names(path)?;
        copy_log_on_close(&connection, true).map_err(failed)?;
        // After a failed sync the log may be in the kernel's cache and not on the disk. Copying it writes it anew.
        let has_reader = connection.query_row(CHECKPOINT_AT_START, [], |row| row.get::<_, bool>(0)).map_err(failed)?;
        Failpoint::CheckpointedAtStart.reach();
        if has_reader {
            tracing::warn!(path = %path.display(), "another process reads the store, whose file is not checked now");
        } else {
            check_length(&connection, path)?;
        }
        let transaction = Transaction::new(&connection, clock.now());
        let damaged = |error: StoreError| OpenError::Damaged { path: path.to_owned(), cause: error.to_string() };
        let identity = key::identity(&transaction).map_err(damaged)?;
        let water = high_water::find(&transaction).map_err(damaged)?;
        let outside = outside(&identity, &water)?;
        let guard = Guard::new(path, identity.epoch().number, water, outside)?;
        let state = State::Open(connection);
        let mut opened = Self { path: path.to_owned(), identity, clock, state, rows_at_checkpoint: 0, guard };
        // What the journal has and the file has not is done before anybody is answered.
        opened
            .commit_together(&mut [])
            .map_err(|error| OpenError::Unavailable { path: path.to_owned(), cause: error.to_string() })?;
        Ok(opened)
    }

    /// What makes this store different from every other.
    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Runs `jobs` in one transaction, in which each is kept or undone alone, and commits. `Ok` says that it is durable. On an
    /// error nothing was written, or, when the commit itself failed, nobody knows.
    pub(crate) fn commit_together(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
        self.reopen()?;
        let outcome = match &self.state {
            State::Open(connection) => transact(connection, self.clock.as_ref(), jobs, &mut self.guard),
            State::Lost => return Err(StoreError::Unavailable("the file is not open".to_owned())),
            State::Poisoned(cause) => return Err(poisoned(cause)),
        };
        outcome.map_err(|failure| {
            self.guard.failed();
            match failure {
                Failure::Database(error) => self.lose(&error),
                Failure::Outside(error) => error,
            }
        })
    }

    /// Copies the write-ahead log into the file when it is long enough. Its failure is not hidden, as it would be if
    /// SQLite did this by itself inside a commit.
    pub(crate) fn checkpoint_if_due(&mut self) {
        let State::Open(connection) = &self.state else { return };
        let rows = connection.total_changes();
        if rows - self.rows_at_checkpoint < ROWS_PER_CHECKPOINT_MAX {
            return;
        }
        Failpoint::BeforeCheckpoint.reach();
        let copied = connection.query_row(CHECKPOINT, [], |_| Ok(()));
        Failpoint::AfterCheckpoint.reach();
        match copied {
            Ok(()) => self.rows_at_checkpoint = rows,
            Err(error) => {
                self.lose(&error);
            }
        }
    }

    fn reopen(&mut self) -> Result<(), StoreError> {
        if !matches!(self.state, State::Lost) {
            return Ok(());
        }
        let connection = connect(&self.path).map_err(unavailable)?;
        copy_log_on_close(&connection, false).map_err(unavailable)?;
        let transaction = Transaction::new(&connection, self.clock.now());
        if key::identity(&transaction)? != self.identity {
            return Err(StoreError::Unavailable("the file was replaced by another store; start again".to_owned()));
        }
        // Another program that closed the file last has taken the log with it, and this one is new.
        let directory = directory_of(&self.path).map_err(unavailable)?;
        if let Err(error) = directory.sync_all() {
            return Err(self.poison(error.to_string()));
        }
        copy_log_on_close(&connection, true).map_err(unavailable)?;
        self.guard.reopened(high_water::find(&transaction)?);
        tracing::info!(path = %self.path.display(), "the store is open again");
        self.rows_at_checkpoint = 0;
        self.state = State::Open(connection);
        Ok(())
    }

    /// Closes the connection after a failure, and says what those who wait for it are told.
    fn lose(&mut self, error: &rusqlite::Error) -> StoreError {
        if let State::Open(connection) = std::mem::replace(&mut self.state, State::Lost) {
            // Only recovery reads the log with its checksums, so closing must not copy it into the file.
            if let Err(error) = copy_log_on_close(&connection, false) {
                tracing::error!(%error, "the store was closed with a checkpoint");
            }
        }
        if is_failed_sync(error) {
            return self.poison(error.to_string());
        }
        tracing::error!(%error, "the store failed, and is opened again");
        unavailable(error)
    }

    /// Refuses everything from now on, as a sync has failed, and says what those who wait are told.
    fn poison(&mut self, cause: String) -> StoreError {
        tracing::error!(%cause, "a sync failed: the store refuses everything until the process is started again");
        let told = poisoned(&cause);
        self.state = State::Poisoned(cause);
        told
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if matches!(self.state, State::Open(_)) && self.guard.has_to_close() {
            // What it fails at is logged, and the next start finds it as after a crash.
            let _ = self.commit_together(&mut []);
        }
    }
}

/// What kept a transaction from its commit.
enum Failure {
    /// The file.
    Database(rusqlite::Error),
    /// Something outside it: the transaction was rolled back, and the file is as it was.
    Outside(StoreError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

fn transact(
    connection: &Connection,
    clock: &dyn Clock,
    jobs: &mut [Box<dyn Job>],
    guard: &mut Guard,
) -> Result<(), Failure> {
    let execute = |sql| connection.prepare_cached(sql)?.execute([]).map(drop);
    let rows_before = connection.total_changes();
    let mut endings = Vec::new();
    execute(BEGIN)?;
    Failpoint::Begun.reach();
    let transaction = Transaction::new(connection, clock.now());
    if let Err(error) = guard.begun(&transaction) {
        return Err(outside_failed(connection, &transaction, error));
    }
    for job in jobs.iter_mut() {
        let transaction = Transaction::new(connection, clock.now());
        let is_kept = job.run(&transaction, clock.monotonic());
        let ended = transaction.take_endings();
        transaction.close(is_kept)?;
        if is_kept {
            endings.extend(ended);
        }
    }
    let transaction = Transaction::new(connection, clock.now());
    let has_written = connection.total_changes() > rows_before;
    if let Err(error) = guard.before_commit(&transaction, &endings, has_written, clock.monotonic()) {
        return Err(outside_failed(connection, &transaction, error));
    }
    Failpoint::BeforeCommit.reach();
    #[cfg(feature = "planted-faults")]
    crate::planted_fault::answer_before_commit(jobs);
    execute(COMMIT)?;
    Failpoint::AfterCommit.reach();
    guard.committed();
    Ok(())
}

/// Undoes the transaction, unless it is the file that failed, and not what is outside it.
fn outside_failed(connection: &Connection, transaction: &Transaction<'_>, error: StoreError) -> Failure {
    if let Some(failure) = transaction.take_failure() {
        return failure.into();
    }
    tracing::error!(%error, "what ended cannot be written down outside the store, so nothing is done");
    match connection.execute_batch(ROLLBACK) {
        Ok(()) => Failure::Outside(error),
        Err(failure) => failure.into(),
    }
}

fn unavailable(error: impl Display) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

fn poisoned(cause: &str) -> StoreError {
    StoreError::Unavailable(format!("a sync failed ({cause}); check the disk and start the process again"))
}

fn is_failed_sync(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    matches!(code, Some(ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::job::job;
    use crate::statements::client::{RAISE_CLIENT_CUTOFF, SELECT_CLIENT_PARTY};
    use regrant_grant::Realm;
    use regrant_protocol::SystemClock;
    use tempfile::TempDir;
    use tokio::sync::oneshot::Receiver;

    type Answer = Receiver<Result<i64, StoreError>>;

    const LOG_HEADER_BYTES: u64 = 32;
    const LOG_FRAME_BYTES: u64 = 24 + 4096;

    fn open(directory: &TempDir, name: &str, realm: u8) -> Database {
        let genesis = Genesis { realm: Realm([realm; 16]), epoch_random: [2; 16] };
        Database::open(&directory.path().join(name), &genesis, Arc::new(SystemClock)).unwrap()
    }

    /// A database with a client whose cutoff counts the steps that were kept, and an empty log.
    fn prepare(directory: &TempDir) -> Database {
        let mut database = open(directory, "regrant.db", 1);
        let add = "INSERT INTO clients (id, enabled, cutoff, version) VALUES ('app', 1, 0, 1)";
        assert_eq!(commit(&mut database, vec![work(move |transaction| transaction.execute(add, []))]), [Ok(1)]);
        drop(database);
        open(directory, "regrant.db", 1)
    }

    fn work(
        work: impl FnOnce(&Transaction<'_>) -> Result<usize, StoreError> + Send + 'static,
    ) -> (Box<dyn Job>, Answer) {
        job(None, move |transaction| {
            transaction.isolate()?;
            work(transaction).map(|rows| rows as i64)
        })
    }

    fn raise() -> (Box<dyn Job>, Answer) {
        work(|transaction| transaction.execute(RAISE_CLIENT_CUTOFF, ["app"]))
    }

    fn cutoff(database: &mut Database) -> Result<i64, StoreError> {
        let read = job(None, |transaction| {
            let cutoff = transaction.one(SELECT_CLIENT_PARTY, ["app"], |row| Ok(row.get(1).unwrap()))?;
            Ok(cutoff.unwrap())
        });
        commit(database, vec![read]).remove(0)
    }

    /// Does what the writer does with what waits.
    fn commit(database: &mut Database, waiting: Vec<(Box<dyn Job>, Answer)>) -> Vec<Result<i64, StoreError>> {
        let (mut batch, mut answers): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
        let committed = database.commit_together(&mut batch);
        for answer in &mut answers {
            answer.try_recv().expect_err("nobody hears of a step before it is durable");
        }
        batch.into_iter().for_each(|job| job.answer(&committed));
        answers.into_iter().map(|mut answer| answer.try_recv().unwrap()).collect()
    }

    fn log_bytes(directory: &TempDir) -> u64 {
        fs::metadata(directory.path().join("regrant.db-wal")).map_or(0, |log| log.len())
    }

    #[test]
    fn steps_that_wait_together_are_written_once() {
        let directory = tempfile::tempdir().unwrap();
        let mut database = prepare(&directory);
        let together = (0..STEPS_PER_COMMIT_MAX).map(|_| raise()).collect();
        assert!(commit(&mut database, together).iter().all(Result::is_ok));
        assert_eq!(log_bytes(&directory), LOG_HEADER_BYTES + LOG_FRAME_BYTES);
        assert_eq!(cutoff(&mut database), Ok(STEPS_PER_COMMIT_MAX as i64));
        for commits in 2..=4 {
            commit(&mut database, vec![raise()]);
            assert_eq!(log_bytes(&directory), LOG_HEADER_BYTES + commits * LOG_FRAME_BYTES);
        }
    }

    #[test]
    fn steps_that_only_read_write_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let mut database = prepare(&directory);
        for _ in 0..10 {
            assert_eq!(cutoff(&mut database), Ok(0));
        }
        assert_eq!(log_bytes(&directory), 0);
    }

    #[test]
    fn a_step_that_fails_or_panics_is_rolled_back_alone() {
        let directory = tempfile::tempdir().unwrap();
        let mut database = prepare(&directory);
        let fails = work(|transaction| {
            transaction.execute(RAISE_CLIENT_CUTOFF, ["app"])?;
            Err(StoreError::Unavailable("it fails after it wrote".to_owned()))
        });
        let panics = work(|transaction| {
            transaction.execute(RAISE_CLIENT_CUTOFF, ["app"])?;
            panic!("this step panics because the test wants it to");
        });
        let outcomes = commit(&mut database, vec![raise(), fails, raise(), panics, raise()]);
        assert_eq!(outcomes.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true, false, true]);
        assert_eq!(cutoff(&mut database), Ok(3));
    }

    #[test]
    fn what_cannot_be_undone_alone_is_not_kept_either() {
        let directory = tempfile::tempdir().unwrap();
        let mut database = prepare(&directory);
        let half_done = job(None, |transaction| {
            transaction.execute(RAISE_CLIENT_CUTOFF, ["app"])?;
            Err(StoreError::Unavailable("it fails after it wrote, and was not isolated".to_owned()))
        });
        for outcome in commit(&mut database, vec![raise(), half_done, raise()]) {
            assert!(
                matches!(&outcome, Err(StoreError::Unavailable(why)) if why.contains("undone alone")),
                "{outcome:?}"
            );
        }
        assert_eq!(cutoff(&mut database), Ok(0));
        assert_eq!(commit(&mut database, vec![raise()]), [Ok(1)]);
    }

    #[test]
    fn a_commit_that_fails_is_a_failure_for_all_and_the_next_one_works() {
        let directory = tempfile::tempdir().unwrap();
        let mut database = prepare(&directory);
        let breaks_the_commit = work(|transaction| {
            transaction.execute("PRAGMA defer_foreign_keys = ON", [])?;
            transaction.execute(
                "INSERT INTO grants (id, secret, version, client, user, scope, generation, kid, epoch, rotated_at,
                                     access_lifetime, has_used_challenge, created_at, authenticated_at, client_cutoff,
                                     user_cutoff)
                 VALUES (x'01', x'', 1, 99, 99, '', 1, 1, 1, 1, 1, 0, 1, 1, 0, 0)",
                [],
            )
        });
        let outcomes = commit(&mut database, vec![raise(), breaks_the_commit, raise()]);
        for outcome in outcomes {
            assert!(
                matches!(&outcome, Err(StoreError::Unavailable(cause)) if cause.contains("FOREIGN")),
                "{outcome:?}"
            );
        }
        assert_eq!(cutoff(&mut database), Ok(0));
        assert_eq!(commit(&mut database, vec![raise()]), [Ok(1)]);
        assert_eq!(cutoff(&mut database), Ok(1));
    }

    #[test]
    fn a_full_disk_is_a_failure_for_all_in_the_batch_until_there_is_space_again() {
        let directory = tempfile::tempdir().unwrap();
        let mut database = prepare(&directory);
        let fill = || {
            work(|transaction| {
                transaction.one("PRAGMA max_page_count = 1", [], |_| Ok(()))?;
                transaction.execute("INSERT INTO epochs (number, random) VALUES (200, zeroblob(100000))", [])
            })
        };
        for _ in 0..3 {
            let outcomes = commit(&mut database, vec![raise(), fill(), raise()]);
            for outcome in outcomes {
                assert!(matches!(&outcome, Err(StoreError::Unavailable(why)) if why.contains("full")), "{outcome:?}");
            }
        }
        // The limit went with its connection: the disk has space again.
        assert_eq!(commit(&mut database, vec![raise()]), [Ok(1)]);
        assert_eq!(cutoff(&mut database), Ok(1));
    }

    #[test]
    fn after_a_failed_sync_everything_is_refused_until_the_next_start() {
        for code in [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_DIR_FSYNC] {
            let directory = tempfile::tempdir().unwrap();
            let mut database = prepare(&directory);
            assert_eq!(commit(&mut database, vec![raise()]), [Ok(1)]);
            let told = database.lose(&rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
            for outcome in [Err(told), cutoff(&mut database), commit(&mut database, vec![raise()]).remove(0)] {
                let refusal = outcome.unwrap_err().to_string();
                assert!(refusal.contains("start the process again"), "{refusal}");
            }
            assert!(log_bytes(&directory) > 0, "closing leaves the log to recovery");
            drop(database);
            let mut started_again = open(&directory, "regrant.db", 1);
            assert_eq!(log_bytes(&directory), 0, "the log is written anew into the file");
            assert_eq!(cutoff(&mut started_again), Ok(1));
        }
    }

    #[test]
    fn any_other_failure_of_the_disk_costs_one_batch() {
        let directory = tempfile::tempdir().unwrap();
        let mut database = prepare(&directory);
        for code in [ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_FULL, ffi::SQLITE_CORRUPT, ffi::SQLITE_BUSY] {
            let before = cutoff(&mut database).unwrap();
            commit(&mut database, vec![raise()]);
            database.lose(&rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
            assert_eq!(cutoff(&mut database), Ok(before + 1), "{code}");
        }
    }

    #[test]
    fn the_log_is_copied_into_the_file_before_it_grows_without_end() {
        let directory = tempfile::tempdir().unwrap();
        let mut database = prepare(&directory);
        for _ in 0..ROWS_PER_CHECKPOINT_MAX + 100 {
            commit(&mut database, vec![raise()]);
            database.checkpoint_if_due();
        }
        assert_eq!(log_bytes(&directory), LOG_HEADER_BYTES + ROWS_PER_CHECKPOINT_MAX * LOG_FRAME_BYTES);
    }

    #[test]
    fn another_store_in_the_place_of_the_file_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let mut database = prepare(&directory);
        drop(open(&directory, "other.db", 9));
        database.lose(&rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_IOERR_WRITE), None));
        fs::remove_file(directory.path().join("regrant.db")).unwrap();
        let gone = cutoff(&mut database).unwrap_err().to_string();
        assert!(gone.contains("cannot be opened"), "{gone}");
        fs::rename(directory.path().join("other.db"), directory.path().join("regrant.db")).unwrap();
        let replaced = cutoff(&mut database).unwrap_err().to_string();
        assert!(replaced.contains("replaced by another store"), "{replaced}");
    }
}
