use std::fs::File;
use std::path::{Path, PathBuf};

use regrant_grant::Realm;
use regrant_protocol::Timestamp;
use regrant_store::{HighWater, Journal, OutsideError, Renewal, Standing, StoreError};
use rusqlite::{Connection, TransactionBehavior};

use crate::connection::{connect, sync_names};
use crate::guard::{ReplayError, Replayed, replay};
use crate::migration::{MIGRATIONS, migrate};
use crate::rows::{high_water, key, standing};
use crate::transaction::Transaction;
use crate::{Genesis, OpenError};

/// A copy of a store that is about to take its place. Nobody else knows of it yet.
pub struct StagedStore {
    path: PathBuf,
    connection: Connection,
    now: Timestamp,
    standing: Standing,
}

/// Why a copy of a store was not made ready.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenewError {
    /// The copy cannot be read or written.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(OutsideError),
    /// The key file is an old one.
    #[error(transparent)]
    Keys(OutsideError),
}

impl StagedStore {
    /// Opens a copy, and brings it to the newest schema.
    ///
    /// # Errors
    /// [`OpenError`], among others when the file is an empty one, or of a newer version.
    pub fn open(path: &Path, now: Timestamp) -> Result<Self, OpenError> {
        let mut connection = connect(path)?;
        if crate::connection::schema(&connection, path)? == 0 {
            return Err(OpenError::NotAStore { path: path.to_owned() });
        }
        // It has its own: this one is for a file that is made.
        let unused = Genesis { realm: Realm([0; 16]), epoch_random: [0; 16] };
        migrate(&mut connection, path, MIGRATIONS, &unused, now)?;
        let transaction = Transaction::new(&connection, now);
        let damaged = |error: StoreError| OpenError::Damaged { path: path.to_owned(), cause: error.to_string() };
        let standing = standing::find(&transaction).map_err(damaged)?;
        Ok(Self { path: path.to_owned(), connection, now, standing })
    }

    /// What the store said of itself when the copy was made.
    #[must_use]
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Does again what `journal` has and the copy has not, begins an epoch, and closes the file so that nothing but itself has to
    /// be put in place. How many records were done.
    ///
    /// # Errors
    /// [`RenewError`]; the copy is of no use then.
    pub fn renew(mut self, renewal: &Renewal, journal: Option<&mut dyn Journal>) -> Result<u64, RenewError> {
        let path = self.path.clone();
        let failed = |error: rusqlite::Error| OpenError::of_sqlite(&path, &error);
        let refused = |error: StoreError| OpenError::Unavailable { path: path.clone(), cause: error.to_string() };
        let begun = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let transaction = Transaction::new(&begun, self.now);
        let before = renewal.replay_after;
        let Replayed { last: journalled, retired_below } = match journal {
            Some(journal) => replay(&transaction, journal, before).map_err(|error| match error {
                ReplayError::Journal(error) => RenewError::Journal(error),
                ReplayError::Store(error) => refused(error).into(),
            })?,
            None => Replayed::up_to(before),
        };
        let counting = renewal.keys_that_count(&self.standing.announced_keys, retired_below);
        key::renew(&transaction, counting.map_err(RenewError::Keys)?).map_err(refused)?;
        key::begin_epoch(&transaction, &renewal.epoch).map_err(refused)?;
        high_water::reset(&transaction, &HighWater { counter: renewal.counter, journalled, halted_at: None })
            .map_err(refused)?;
        drop(transaction);
        begun.commit().map_err(failed)?;
        // Without a log beside it, the file can be renamed.
        self.connection.pragma_update(None, "journal_mode", "DELETE").map_err(failed)?;
        drop(self.connection);
        File::open(&path)
            .and_then(|file| file.sync_all())
            .map_err(|error| OpenError::Unavailable { path: path.clone(), cause: error.to_string() })?;
        sync_names(&path)?;
        Ok(journalled - before)
    }
}
