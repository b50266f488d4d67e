use std::path::Path;
use std::time::Duration;

use regrant_grant::Realm;
use regrant_protocol::EpochNumber;
use rusqlite::{Connection, OpenFlags};

use crate::OpenError;
use crate::connection::schema;
use crate::migration::MIGRATIONS;
use crate::statements::database::CHECK_INTEGRITY;
use crate::statements::high_water::SELECT_HAS_JOURNAL;
use crate::statements::key::SELECT_NEWEST_EPOCH;

/// How a store is, looked at without changing anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examination {
    /// The version of the SQLite in this program.
    pub library: &'static str,
    /// The schema of the file.
    pub schema: u32,
    /// The newest schema that this version of regrant knows.
    pub newest_schema: u32,
    /// How SQLite keeps its journal: `wal` for a store that was opened once.
    pub journal_mode: String,
    /// Every fault that SQLite finds in the file, in its words; none when it is sound.
    pub faults: Vec<String>,
}

/// Looks at the store at `path`, and reads all of it. It may be open and in use meanwhile, here or in another process.
///
/// # Errors
/// When there is no file, it is none of ours, or it is too damaged to be looked through.
pub fn examine(path: &Path) -> Result<Examination, OpenError> {
    let connection = open_to_read(path)?;
    let schema = schema(&connection, path)?;
    let look = || -> rusqlite::Result<(String, Vec<String>)> {
        let mut statement = connection.prepare(CHECK_INTEGRITY)?;
        let told: rusqlite::Result<Vec<String>> = statement.query_map([], |row| row.get(0))?.collect();
        Ok((connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?, told?))
    };
    let (journal_mode, mut faults) = look().map_err(|error| OpenError::of_sqlite(path, &error))?;
    faults.retain(|line| line != "ok");
    let newest_schema = u32::try_from(MIGRATIONS.len()).expect("every migration was written by a person");
    Ok(Examination { library: rusqlite::version(), schema, newest_schema, journal_mode, faults })
}

/// Which store is at `path`, and its newest epoch, read without changing anything.
///
/// # Errors
/// When there is no file, it is none of ours, or it is too damaged to tell.
pub fn newest_epoch(path: &Path) -> Result<(Realm, EpochNumber), OpenError> {
    let connection = open_to_read(path)?;
    let (realm, number) = connection
        .query_row(SELECT_NEWEST_EPOCH, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .map_err(|error| OpenError::of_sqlite(path, &error))?;
    Ok((Realm(realm), EpochNumber(number)))
}

/// Whether the store at `path` has ever been told of a journal, read without changing anything.
///
/// # Errors
/// When there is no file, it is none of ours, or it is too damaged to tell.
pub fn has_journal(path: &Path) -> Result<bool, OpenError> {
    let connection = open_to_read(path)?;
    let look = || match connection.table_exists(None, "high_water")? {
        true => connection.query_row(SELECT_HAS_JOURNAL, [], |row| row.get(0)),
        // The store is of before there were journals.
        false => Ok(false),
    };
    look().map_err(|error| OpenError::of_sqlite(path, &error))
}

/// Opens a file that exists, to read.
pub(crate) fn open_to_read(path: &Path) -> Result<Connection, OpenError> {
    let failed = |error: rusqlite::Error| OpenError::of_sqlite(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(Duration::from_millis(BUSY_MILLISECONDS_MAX)).map_err(failed)?;
    Ok(connection)
}

/// How long another process may hold the file, as it does for a moment when it opens or closes it.
const BUSY_MILLISECONDS_MAX: u64 = 5_000;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Arc;

    use regrant_protocol::SystemClock;

    use super::*;
    use crate::{Genesis, SqliteStore};

    #[test]
    fn a_store_that_is_open_is_found_sound_and_a_torn_one_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("regrant.db");
        let genesis = Genesis { realm: Realm([1; 16]), epoch_random: [2; 16] };
        let store = SqliteStore::open(&path, genesis, Arc::new(SystemClock)).unwrap();
        let found = examine(&path).unwrap();
        assert_eq!((found.schema, found.journal_mode.as_str()), (found.newest_schema, "wal"));
        assert_eq!(found.faults, Vec::<String>::new());
        assert!(found.library.starts_with("3."));
        assert_eq!(newest_epoch(&path), Ok((Realm([1; 16]), EpochNumber(1))));
        assert_eq!(has_journal(&path), Ok(false));
        drop(store);

        let mut bytes = fs::read(&path).unwrap();
        let end = bytes.len();
        bytes[4096..end].fill(0);
        fs::write(&path, bytes).unwrap();
        assert!(!examine(&path).is_ok_and(|found| found.faults.is_empty()));
        fs::write(&path, "this is a letter, and no database at all").unwrap();
        assert!(matches!(examine(&path), Err(OpenError::NotAStore { .. })));
        assert!(matches!(examine(&directory.path().join("nothing")), Err(OpenError::Inaccessible { .. })));
    }
}
