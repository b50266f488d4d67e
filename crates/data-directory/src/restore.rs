//! `regrant restore`: a copy of the database takes the place of the database.

use std::fs;
use std::path::{Path, PathBuf};

use regrant_crypto::{Entropy, KeyRing, random};
use regrant_grant::{RecoverPublic, Recovery};
use regrant_protocol::{EpochNumber, Timestamp};
use regrant_store::{AnnouncedKey, Ending, Epoch, Journal, OutsideError, Reached};
use regrant_store_sqlite::{BackupError, OpenError, RenewError, Renewal, StagedStore, back_up, examine};

use crate::error::io_error;
use crate::journal::JournalFile;
use crate::mark::{self, Marked};
use crate::replace_file::{beside, remove_leftover, sync_directory_of};
use crate::{DATABASE, DataDirectory, DataDirectoryError, OutsideFiles, STORE_FILE, StoreKind};

/// The copy that is about to take the place of the database. A server does not start where one is.
pub(crate) const STAGED_DATABASE: &str = "regrant.db.restoring";

/// The longest time for which a restored store may take tokens of the epoch before: 30 days.
pub const RECOVERY_SECONDS_MAX: u32 = 30 * 24 * 60 * 60;

/// What is to be restored, and what becomes of the tokens that were issued before.
#[derive(Clone, Debug)]
pub struct Restoration {
    /// The copy; `None` where somebody has put it in place already.
    pub backup: Option<PathBuf>,
    /// What becomes of the tokens.
    pub policy: RestorePolicy,
    /// Whether to go on where the journal lacks what came after the copy.
    pub gives_up_journal: bool,
}

/// What becomes of the tokens that were issued before a restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestorePolicy {
    /// All of them are dead.
    Strict,
    /// Those of senders that prove themselves are taken for a time.
    Recover {
        /// How long, in seconds, at most [`RECOVERY_SECONDS_MAX`].
        seconds: u32,
        /// What becomes of the others.
        public: RecoverPublic,
    },
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The epoch that begins.
    pub epoch: EpochNumber,
    /// How many records of the journal were done again.
    pub replayed: u64,
    /// Until when tokens of the epoch before are taken; `None` when they are dead.
    pub recovers_until: Option<Timestamp>,
    /// What was in place before, kept under this name; `None` when there was nothing.
    pub replaced: Option<PathBuf>,
}

/// Why nothing was restored. What was in place is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// There is nothing to restore.
    #[error("{} is not there; name the backup: regrant restore BACKUP", .0.display())]
    NothingInPlace(PathBuf),
    /// The copy was damaged.
    #[error("{} is damaged: {fault}; name another backup", backup.display())]
    Unsound {
        /// The copy.
        backup: PathBuf,
        /// The first thing that is wrong with it.
        fault: String,
    },
    /// The copy cannot be put beside the database.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The copy cannot be used.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// Mark or journal cannot be used.
    #[error(transparent)]
    Outside(#[from] OutsideError),
    /// The copy is of another store than mark or data directory say.
    #[error("this is a backup of another store than {}; name a backup of this one, or another data directory with --data", .0.display())]
    AnotherStore(PathBuf),
    /// The key file is of another store, or lacks a key.
    #[error(
        "master key {kid} of the backup is not the one in the key file; put the key file of this store into the data directory"
    )]
    AnotherKey {
        /// Its number.
        kid: u8,
    },
    /// The store has a journal, and nobody says where.
    #[error(
        "the store has a revocation journal, and it is not said where: name the configuration of the server with --config FILE, or \
         give up what the journal says with --without-journal"
    )]
    JournalNotNamed,
    /// The journal lacks what came after the copy.
    #[error(
        "the journal begins after record {begins_after}, and the backup has the records up to {known} only: put the older journal \
         back, or give up what it says with --without-journal"
    )]
    JournalGap {
        /// The record before the journal.
        begins_after: u64,
        /// The last record of the copy.
        known: u64,
    },
    /// The journal ends before what the copy has.
    #[error(
        "the journal ends with record {last}, and the backup has record {known}: put the newer journal back, or move this one away"
    )]
    JournalBehind {
        /// The last record of the journal.
        last: u64,
        /// The last record of the copy.
        known: u64,
    },
    /// There is no number left.
    #[error("the store was restored 254 times, which is as often as its tokens can tell; begin a new store")]
    NoEpochLeft,
    /// The data directory cannot be used.
    #[error(transparent)]
    Directory(#[from] DataDirectoryError),
}

impl From<RenewError> for RestoreError {
    fn from(error: RenewError) -> Self {
        match error {
            RenewError::Store(error) => Self::Store(error),
            RenewError::Journal(error) => Self::Outside(error),
            _ => Self::Outside(OutsideError(error.to_string())),
        }
    }
}

impl DataDirectory {
    /// Puts a copy of the database in the place of the database: checked, with everything done again that the journal has, and in a
    /// new epoch. A crash leaves what was there, or a store that does not serve until this was done again.
    ///
    /// # Errors
    /// [`RestoreError`], each with what to do.
    pub fn restore(
        &self,
        restoration: &Restoration,
        outside: &OutsideFiles,
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> Result<Restored, RestoreError> {
        let (database, staged) = (self.path().join(DATABASE), self.path().join(STAGED_DATABASE));
        self.realm_of_store(StoreKind::Sqlite, &database.display().to_string())?;
        let ring = Self::kept_keys(self.path())?;
        let backup = match &restoration.backup {
            Some(backup) => backup.clone(),
            None if database.exists() => database.clone(),
            None => return Err(RestoreError::NothingInPlace(database)),
        };
        if let Some(fault) = examine(&backup)?.faults.into_iter().next() {
            return Err(RestoreError::Unsound { backup, fault });
        }
        remove(&staged)?;
        back_up(&backup, &staged)?;
        let prepared = self.prepare(&staged, &ring, restoration, outside, entropy, now);
        if prepared.is_err() {
            // What cannot be removed is written over by the next restore.
            let _ = remove(&staged);
        }
        let Prepared { marked, mut restored } = prepared?;
        restored.replaced = self.put_in_place(&staged, &database, restored.epoch)?;
        let mark = outside.mark_in(self.path());
        mark::write(&mark, &marked).map_err(|error| io_error(&mark, error))?;
        Ok(restored)
    }

    /// Makes the copy ready to be put in place.
    fn prepare(
        &self,
        staged: &Path,
        ring: &KeyRing,
        restoration: &Restoration,
        outside: &OutsideFiles,
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> Result<Prepared, RestoreError> {
        let copy = StagedStore::open(staged, now)?;
        let (identity, water) = (copy.identity().clone(), *copy.high_water());
        let mark_path = outside.mark_in(self.path());
        let marked = mark::read(&mark_path)?;
        if marked.is_some_and(|marked| marked.realm != identity.realm) {
            return Err(RestoreError::AnotherStore(mark_path));
        }
        if Self::known_store(self.path())?.is_some_and(|known| known.realm != identity.realm) {
            return Err(RestoreError::AnotherStore(self.path().join(STORE_FILE)));
        }
        check_keys(copy.announced_keys(), ring)?;
        let journal = outside.journal.as_deref().map(|path| JournalFile::open(path, identity.realm, water.journalled));
        let mut journal = journal.transpose()?;
        if journal.is_none() && water.journalled > 0 && !restoration.gives_up_journal {
            return Err(RestoreError::JournalNotNamed);
        }
        let mut replay_after = water.journalled;
        if let Some(journal) = &journal {
            let span = journal.span();
            if span.last < water.journalled {
                return Err(RestoreError::JournalBehind { last: span.last, known: water.journalled });
            }
            if span.begins_after > water.journalled {
                if !restoration.gives_up_journal {
                    let known = water.journalled;
                    return Err(RestoreError::JournalGap { begins_after: span.begins_after, known });
                }
                replay_after = span.begins_after;
            }
        }

        let former = identity.epoch().number;
        let own = Reached { counter: water.counter, epoch: former };
        let journalled = journal.as_ref().and_then(|journal| journal.span().reached);
        let seen = [Some(own), marked.map(|marked| marked.reached), journalled];
        let seen = || seen.into_iter().flatten();
        let highest = seen().map(|reached| reached.epoch.0).max().unwrap_or(former.0);
        let number = EpochNumber(highest.checked_add(1).ok_or(RestoreError::NoEpochLeft)?);
        let counter = seen().map(|reached| reached.counter).max().unwrap_or_default().saturating_add(1);
        let recovery = match restoration.policy {
            RestorePolicy::Strict => None,
            RestorePolicy::Recover { seconds, public } => {
                let until = now.plus_seconds(i64::from(seconds.min(RECOVERY_SECONDS_MAX)));
                Some(Recovery { former, until, public })
            }
        };
        let reached = Reached { counter, epoch: number };
        if let Some(journal) = &mut journal {
            // From here on the database that is in place does not serve: the journal knows of a later epoch.
            journal.append(reached, &[Ending::Epoch { number }])?;
        }
        let epoch = Epoch { number, random: random(entropy), recovery };
        let renewal = Renewal { epoch, counter, oldest_key: ring.oldest().0, replay_after };
        let journal = journal.as_mut().map(|journal| journal as &mut dyn Journal);
        let has_journal = journal.is_some();
        let records = copy.renew(&renewal, journal)?;
        let restored = Restored {
            epoch: number,
            // The last one says that the epoch begins.
            replayed: records - u64::from(has_journal),
            recovers_until: recovery.map(|recovery| recovery.until),
            replaced: None,
        };
        Ok(Prepared { marked: Marked { realm: identity.realm, reached }, restored })
    }

    /// Gives the copy the name of the database. What was there keeps its log beside it, under another name.
    fn put_in_place(
        &self,
        staged: &Path,
        database: &Path,
        number: EpochNumber,
    ) -> Result<Option<PathBuf>, RestoreError> {
        // No restore begins an epoch twice.
        let replaced = self.path().join(format!("{DATABASE}.before-epoch-{}", number.0));
        let has_one = database.exists();
        for suffix in ["", "-wal", "-shm"] {
            let (from, to) = (beside(database, suffix), beside(&replaced, suffix));
            if from.exists() {
                fs::rename(&from, &to).map_err(|error| io_error(&from, error))?;
            }
        }
        sync_directory_of(database).map_err(|error| io_error(self.path(), error))?;
        fs::rename(staged, database)
            .and_then(|()| sync_directory_of(database))
            .map_err(|error| io_error(database, error))?;
        Ok(has_one.then_some(replaced))
    }
}

/// A copy that is ready, and what the mark is to say once it is in place.
struct Prepared {
    marked: Marked,
    restored: Restored,
}

/// Checks that the key file belongs to the copy. Keys that were retired since are gone from it, and so are their tokens.
fn check_keys(announced: &[AnnouncedKey], ring: &KeyRing) -> Result<(), RestoreError> {
    for AnnouncedKey { kid, check_value } in announced {
        let is_retired = *kid < ring.oldest().0;
        if !is_retired && ring.check_value(*kid) != Some(*check_value) {
            return Err(RestoreError::AnotherKey { kid: kid.0 });
        }
    }
    Ok(())
}

/// Removes a copy that was not put in place, with the logs of it.
fn remove(staged: &Path) -> Result<(), DataDirectoryError> {
    for suffix in ["-wal", "-shm", "-journal", ""] {
        let path = beside(staged, suffix);
        remove_leftover(&path).map_err(|error| io_error(&path, error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
