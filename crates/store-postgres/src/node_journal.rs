use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use regrant_protocol::Clock;
use regrant_store::{Ending, OutsideError, Reached, StoreError};

use crate::journal::{ANSWER_MILLISECONDS_MAX, JournalDatabase, LEASE_MILLISECONDS_MAX};

/// How long after a failure of the journal it is left alone: who wants to end something meanwhile hears so at once, and holds
/// nothing that others wait for.
const PAUSE: Duration = Duration::from_secs(1);

/// How long one caller tries whether it answers again, while the others still hear that it does not.
const TRIAL: Duration = Duration::from_millis(LEASE_MILLISECONDS_MAX + ANSWER_MILLISECONDS_MAX);

/// The journal as a node uses it while it serves: not for a moment after it has failed.
pub(crate) struct NodeJournal {
    database: JournalDatabase,
    clock: Arc<dyn Clock>,
    /// Until when it is left alone; `None` as long as it answers.
    away_until: Mutex<Option<Instant>>,
}

/// Whether a caller may use the journal.
enum Entry {
    /// It has answered the last one.
    Well,
    /// It has not, and this one tries.
    Trial,
    /// Somebody else has found a moment ago that it does not answer.
    Away,
}

impl NodeJournal {
    /// One that has answered.
    pub(crate) fn new(database: JournalDatabase, clock: Arc<dyn Clock>) -> Self {
        Self { database, clock, away_until: Mutex::new(None) }
    }

    /// Without a pause.
    pub(crate) fn database(&self) -> &JournalDatabase {
        &self.database
    }

    /// Sees that there is a connection, and after a failure that it is answered, before anything is held that others wait for.
    ///
    /// # Errors
    /// When it cannot be reached, or could not a moment ago.
    pub(crate) async fn ready(&self) -> Result<(), StoreError> {
        match self.enter() {
            // That there is a connection is no reason to believe that it is answered, where somebody finds just now that it is not.
            Entry::Well => self.database.reach().await.or_else(|error| self.noted(Err(error))),
            Entry::Trial => self.noted(self.database.ask().await),
            Entry::Away => Err(unavailable(&self.database.unusable(&"it did not answer a moment ago"))),
        }
    }

    /// As [`JournalDatabase::append`].
    pub(crate) async fn append(
        &self,
        known: u64,
        reached: Reached,
        endings: &[Ending],
    ) -> Result<Option<u64>, StoreError> {
        self.noted(self.database.append(known, reached, endings).await)
    }

    fn enter(&self) -> Entry {
        let mut away_until = self.away_until.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.monotonic();
        match *away_until {
            None => Entry::Well,
            Some(until) if now < until => Entry::Away,
            Some(_) => {
                *away_until = Some(now + TRIAL);
                Entry::Trial
            }
        }
    }

    fn noted<T>(&self, outcome: Result<T, OutsideError>) -> Result<T, StoreError> {
        let away_until = outcome.is_err().then(|| self.clock.monotonic() + PAUSE);
        *self.away_until.lock().unwrap_or_else(PoisonError::into_inner) = away_until;
        outcome.map_err(|error| {
            tracing::error!(%error, "what ends cannot be written down outside the store, so nothing is ended");
            unavailable(&error)
        })
    }
}

fn unavailable(error: &OutsideError) -> StoreError {
    StoreError::Unavailable(error.to_string())
}
