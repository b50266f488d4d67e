//! `regrant restore`: a copy of the database takes the place of the database.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use regrant_crypto::{Entropy, KeyRing};
use regrant_protocol::{EpochNumber, Timestamp};
use regrant_store::{Ending, Journal, Reached, Renewal};
use regrant_store_sqlite::{StagedStore, back_up, examine, newest_epoch};

use crate::database_files;
use crate::error::io_error;
use crate::journal::JournalChain;
use crate::mark::{self, Marked};
use crate::move_note::refuse_moved;
use crate::renewal::{Begun, check_keys, master_keys, replay_after};
use crate::replace_file::{beside, sync_directory_of};
use crate::{
    DATABASE, DataDirectory, DataDirectoryError, OutsideFiles, RestoreError, RestorePolicy, Restored, StoreKind,
};

/// The copy that is about to take the place of the database. A server does not start where one is.
pub(crate) const STAGED_DATABASE: &str = "regrant.db.restoring";

/// What was in place before a restore, before the number of the epoch.
const KEPT_DATABASE: &str = "regrant.db.before-epoch-";

/// What is to be restored, and what becomes of the tokens that were issued before.
#[derive(Clone, Debug)]
pub struct Restoration {
    /// The copy; `None` where somebody has put it in place already.
    pub backup: Option<PathBuf>,
    /// What becomes of the tokens.
    pub policy: RestorePolicy,
    /// The journals from before the present one was begun, where the copy is from their time.
    pub earlier_journals: Vec<PathBuf>,
    /// Whether to go on where the journal lacks what came after the copy.
    pub gives_up_journal: bool,
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
        refuse_moved(self.path())?;
        let (database, staged) = (self.path().join(DATABASE), self.path().join(STAGED_DATABASE));
        self.realm_of_store(StoreKind::Sqlite, &database.display().to_string())?;
        let ring = Self::kept_keys(self.path())?;
        let backup = match &restoration.backup {
            Some(backup) => backup.clone(),
            None if database.exists() => database.clone(),
            None => return Err(RestoreError::NothingInPlace { kept: newest_kept(self.path()), path: database }),
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
        let mut restored = prepared?;
        restored.replaced = self.put_in_place(&staged, &database, restored.epoch)?;
        Ok(restored)
    }

    /// Makes the copy ready to be put in place, and says in mark and journal that its epoch begins: from then on what is in place does
    /// not serve.
    fn prepare(
        &self,
        staged: &Path,
        ring: &KeyRing,
        restoration: &Restoration,
        outside: &OutsideFiles,
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> Result<Restored, RestoreError> {
        let copy = StagedStore::open(staged, now)?;
        let standing = copy.standing();
        let (realm, journalled) = (standing.identity.realm, standing.high_water.journalled);
        let mark_path = outside.mark_in(self.path());
        let marked = self.marked(&mark_path, realm)?;
        let marked_record = marked.map_or(0, |marked| marked.journalled);
        check_keys(&standing.announced_keys, ring)?;
        let journal = outside.journal.as_deref();
        let is_missing =
            |path: &&Path| !path.exists() && journalled.max(marked_record) > 0 && !restoration.gives_up_journal;
        if let Some(path) = journal.filter(is_missing) {
            return Err(RestoreError::JournalMissing(path.to_owned()));
        }
        let earlier = &restoration.earlier_journals;
        let mut journal = match journal {
            Some(path) => Some(JournalChain::open(path, earlier, realm, journalled)?),
            None if earlier.is_empty() => None,
            None => return Err(RestoreError::EarlierJournalAlone),
        };
        let span = journal.as_ref().map(|journal| journal.span());
        let replay_after = replay_after(span, journalled, marked_record, restoration.gives_up_journal)?;
        // One that is too damaged to tell is why there is a restore.
        let in_place = newest_epoch(&self.path().join(DATABASE)).ok().filter(|(of, _)| *of == realm);
        let in_place = in_place.map(|(_, epoch)| Reached { counter: 0, epoch });
        let seen = [marked.map(|marked| marked.reached), span.and_then(|span| span.reached), in_place];
        let begun = Begun::after(standing, &seen, restoration.policy, entropy, now)?;
        let Begun { epoch, reached } = begun;
        if let Some(journal) = &mut journal {
            journal.append(reached, &[Ending::Epoch { number: epoch.number }])?;
        }
        let renewal = Renewal { epoch, counter: reached.counter, master_keys: master_keys(ring), replay_after };
        let journal = journal.as_mut().map(|journal| journal as &mut dyn Journal);
        let has_journal = journal.is_some();
        let records = copy.renew(&renewal, journal)?;
        let journalled = replay_after + records;
        mark::write(&mark_path, &Marked { realm, reached, journalled }).map_err(|error| io_error(&mark_path, error))?;
        Ok(Restored {
            epoch: epoch.number,
            // The last one says that the epoch begins.
            replayed: records.saturating_sub(u64::from(has_journal)),
            recovers_until: epoch.recovery.map(|recovery| recovery.until),
            replaced: None,
        })
    }

    /// Gives the copy the name of the database. What was there keeps its log beside it, under another name.
    fn put_in_place(
        &self,
        staged: &Path,
        database: &Path,
        number: EpochNumber,
    ) -> Result<Option<PathBuf>, RestoreError> {
        let replaced = free_name(&self.path().join(format!("{KEPT_DATABASE}{}", number.0)));
        let has_one = database.exists();
        database_files::rename(database, &replaced).map_err(|error| io_error(database, error))?;
        fs::rename(staged, database)
            .and_then(|()| sync_directory_of(database))
            .map_err(|error| io_error(database, error))?;
        Ok(has_one.then_some(replaced))
    }
}

/// What the last restore has moved out of the place of the database in `directory`.
fn newest_kept(directory: &Path) -> Option<PathBuf> {
    let files = fs::read_dir(directory).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let is_kept = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with(KEPT_DATABASE) && !database_files::is_log(name)
    };
    // The name is given by a rename, which is the last change of its status.
    let renamed_at = |path: &PathBuf| path.metadata().ok().map(|found| (found.ctime(), found.ctime_nsec()));
    files.filter(is_kept).max_by_key(renamed_at)
}

/// `wanted`, or where a database or its log has that name, the first that is free with a number behind it.
fn free_name(wanted: &Path) -> PathBuf {
    let names = (1_u32..).map(|number| match number {
        1 => wanted.to_owned(),
        _ => beside(wanted, &format!(".{number}")),
    });
    names
        .into_iter()
        .find(|name| database_files::is_free(name))
        .expect("a directory has fewer files than there are numbers")
}

/// Removes a copy that was not put in place, with the logs of it.
fn remove(staged: &Path) -> Result<(), DataDirectoryError> {
    database_files::remove(staged).map_err(|error| io_error(staged, error))
}

#[cfg(test)]
mod tests;
