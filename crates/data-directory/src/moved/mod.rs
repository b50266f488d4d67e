//! `regrant migrate-store`: the store in the directory moves to PostgreSQL.
//!
//! It is in two places at no time. Everything is written in one transaction, read back and compared; before that is committed, the
//! file here has another name and a note says where the store went, so that no server starts on it. What a crash leaves between
//! these two, the next try settles: the store is there or it is not.

mod error;
mod note;
mod route;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use regrant_crypto::{Entropy, KeyRing};
use regrant_grant::Realm;
use regrant_protocol::Clock;
use regrant_store::{MovedTable, TableDigest};
use regrant_store_postgres::{Address, ArrivalError, ArrivingStore};
use regrant_store_sqlite::{DepartingStore, examine};

use crate::database_files;
use crate::error::io_error;
use crate::move_note::{MoveNote, refuse_moved};
use crate::renewal::check_keys;
use crate::{DATABASE, DataDirectory, DataDirectoryError, KnownStore, OutsideFiles, StoreKind};

pub use error::MoveError;

/// What the database is called when its store has moved. Nothing reads it.
pub const MOVED_DATABASE: &str = "regrant.db.moved-to-postgres";

/// How far a move is.
#[derive(Clone, Copy, Debug)]
pub struct MoveProgress {
    /// What is done with the rows.
    pub stage: MoveStage,
    /// Whose rows.
    pub table: MovedTable,
    /// How many more of them now.
    pub rows: u64,
    /// How many the table has.
    pub rows_at_all: u64,
}

/// What is done with rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoveStage {
    /// They were written.
    Written,
    /// They were read back.
    Checked,
}

/// What has moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreMoved {
    /// Each table, as both databases have it; none where only the end of an earlier move was left to do.
    pub tables: Vec<(MovedTable, TableDigest)>,
    /// Where the file is that was the database.
    pub kept: PathBuf,
}

impl DataDirectory {
    /// Moves the store to PostgreSQL, whose database has to be empty, or to have a schema and nothing in it. Keys, epochs, clients,
    /// users and everything that was issued go along, so that every token lives on, and what is dead stays dead. `passed` hears how far
    /// it is.
    ///
    /// # Errors
    /// [`MoveError`], each with what to do.
    pub async fn move_to_postgres(
        &self,
        to: &Address,
        outside: &OutsideFiles,
        entropy: &dyn Entropy,
        clock: Arc<dyn Clock>,
        passed: &mut (dyn FnMut(MoveProgress) + Send),
    ) -> Result<StoreMoved, MoveError> {
        if let Some(settled) = self.settle(to).await? {
            return Ok(settled);
        }
        let departing = self.depart(outside, entropy, clock)?;
        let realm = departing.standing().identity.realm;
        let arriving = ArrivingStore::begin(to.clone(), realm).await?;
        let tables = route::write(departing, &arriving, passed).await?;
        for (table, digest) in &tables {
            let (stage, table, rows_at_all) = (MoveStage::Checked, *table, digest.rows);
            let read = |rows| passed(MoveProgress { stage, table, rows, rows_at_all });
            arriving.check(table, *digest, read).await?;
        }
        MoveNote { to: to.to_string(), is_done: false }.write(self.path())?;
        rename_database(&self.database(), &self.moved_database())?;
        match arriving.commit().await {
            Ok(()) => {}
            Err(unknown @ ArrivalError::Unknown { .. }) => return Err(unknown.into()),
            Err(refused) => {
                self.take_back()?;
                return Err(refused.into());
            }
        }
        self.confirm(to, realm)?;
        Ok(StoreMoved { tables, kept: self.moved_database() })
    }

    /// How many rows each table of the store in `path` has, which may be served meanwhile, and whether PostgreSQL would take them.
    /// Nothing is changed.
    ///
    /// # Errors
    /// As [`move_to_postgres`](Self::move_to_postgres).
    pub async fn try_move_to_postgres(
        path: &Path,
        to: &Address,
        outside: &OutsideFiles,
    ) -> Result<Vec<(MovedTable, u64)>, MoveError> {
        refuse_moved(path)?;
        let ring = Self::kept_keys(path)?;
        let departing = departing(&path.join(DATABASE), &ring, outside)?;
        let counts: Result<_, MoveError> =
            MovedTable::ALL.into_iter().map(|table| Ok((table, departing.count(table)?))).collect();
        // What it begins is undone.
        drop(ArrivingStore::begin(to.clone(), departing.standing().identity.realm).await?);
        counts
    }

    /// Where the database is when its store has moved.
    fn moved_database(&self) -> PathBuf {
        self.path().join(MOVED_DATABASE)
    }

    /// Settles what an earlier move has left: it was done, or it was not, and begins anew.
    async fn settle(&self, to: &Address) -> Result<Option<StoreMoved>, MoveError> {
        let Some(note) = MoveNote::read(self.path())? else { return Ok(None) };
        if note.to != to.to_string() {
            let what = if note.is_done { "was moved to" } else { "was begun to be moved to" };
            return Err(MoveError::ElsewhereBefore { what, to: note.to });
        }
        let settled = StoreMoved { tables: Vec::new(), kept: self.moved_database() };
        if note.is_done {
            return Ok(Some(settled));
        }
        if self.moved_database().exists() {
            let realm = DepartingStore::open(&self.moved_database())?.standing().identity.realm;
            if ArrivingStore::has_arrived(to.clone(), realm).await? {
                self.confirm(to, realm)?;
                return Ok(Some(settled));
            }
        }
        self.take_back()?;
        Ok(None)
    }

    /// Reads what is outside the store into it, sees that it is whole and what it was, and closes it for good.
    fn depart(
        &self,
        outside: &OutsideFiles,
        entropy: &dyn Entropy,
        clock: Arc<dyn Clock>,
    ) -> Result<DepartingStore, MoveError> {
        let database = self.database();
        if !database.exists() {
            return Err(MoveError::NothingThere(database));
        }
        let ring = Self::kept_keys(self.path())?;
        drop(self.store_beside(entropy, clock, outside)?);
        if let Some(fault) = examine(&database)?.faults.into_iter().next() {
            return Err(MoveError::Unsound { database, fault });
        }
        departing(&database, &ring, outside)
    }

    /// The store has moved.
    fn confirm(&self, to: &Address, realm: Realm) -> Result<(), DataDirectoryError> {
        self.remember_store(KnownStore { kind: StoreKind::Postgres, realm })?;
        MoveNote { to: to.to_string(), is_done: true }.write(self.path())
    }

    /// The store has not moved: it is served from here as before.
    fn take_back(&self) -> Result<(), DataDirectoryError> {
        rename_database(&self.moved_database(), &self.database())?;
        MoveNote::remove(self.path())
    }
}

/// Opens a store that is to move, if keys and journal are its own.
fn departing(database: &Path, ring: &KeyRing, outside: &OutsideFiles) -> Result<DepartingStore, MoveError> {
    if !database.exists() {
        return Err(MoveError::NothingThere(database.to_owned()));
    }
    let departing = DepartingStore::open(database)?;
    check_keys(&departing.standing().announced_keys, ring)?;
    // What ended, and did not come into the database before a crash, is in the journal alone.
    if departing.standing().high_water.journalled > 0 && outside.journal.is_none() {
        return Err(MoveError::JournalNotNamed);
    }
    Ok(departing)
}

fn rename_database(from: &Path, to: &Path) -> Result<(), DataDirectoryError> {
    database_files::rename(from, to).map_err(|error| io_error(from, error))
}

#[cfg(test)]
mod tests;
