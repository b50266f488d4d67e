use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};

use crate::OpenError;

/// What `PRAGMA application_id` of our files says: the letters "rgnt".
pub(crate) const APPLICATION_ID: i32 = 0x7267_6e74;

/// The oldest SQLite that does not lose a WAL reset that meets a checkpoint.
const LIBRARY_VERSION_MIN: i32 = 3_051_003;

/// How long another process, such as a backup, may hold the file before a batch of steps fails.
const BUSY_MILLISECONDS_MAX: u64 = 2_000;

/// How many statements stay prepared: more than there are.
const STATEMENTS_CACHED_MAX: usize = 96;

/// The settings on which our promises stand, what they are set to, and how that reads.
const SETTINGS: [(&str, &str, &str); 5] = [
    ("journal_mode", "WAL", "wal"),
    // With NORMAL a power cut loses commits that were acknowledged.
    ("synchronous", "FULL", "2"),
    // On macOS a plain fsync stops at the drive's cache.
    ("fullfsync", "ON", "1"),
    // SQLite's own checkpoints hide a failed sync; ours do not.
    ("wal_autocheckpoint", "0", "0"),
    ("foreign_keys", "ON", "1"),
];

/// Refuses a SQLite that can lose data.
pub(crate) fn check_library(found: i32) -> Result<(), OpenError> {
    if found < LIBRARY_VERSION_MIN {
        return Err(OpenError::OldLibrary { found, required: LIBRARY_VERSION_MIN });
    }
    Ok(())
}

/// Makes an empty file for the owner's eyes only, unless there is a file already.
pub(crate) fn create(path: &Path) -> Result<(), OpenError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(OpenError::Inaccessible { path: path.to_owned(), cause: error.to_string() }),
    }
}

/// Opens a file that exists, and sets and checks what our promises stand on. A file that is not ours is left as it was.
pub(crate) fn connect(path: &Path) -> Result<Connection, OpenError> {
    let connection = open(path)?;
    schema(&connection, path)?;
    settle(&connection, path)?;
    Ok(connection)
}

/// Opens a file that exists.
pub(crate) fn open(path: &Path) -> Result<Connection, OpenError> {
    let failed = |error: rusqlite::Error| OpenError::of_sqlite(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    if connection.is_readonly("main").map_err(failed)? {
        return Err(OpenError::Inaccessible { path: path.to_owned(), cause: "it is write-protected".to_owned() });
    }
    connection.busy_timeout(Duration::from_millis(BUSY_MILLISECONDS_MAX)).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED_MAX);
    // What a savepoint may have to undo: a file for it costs more than the savepoint, and a step or a slice is small.
    connection.pragma_update(None, "temp_store", "MEMORY").map_err(failed)?;
    // Else SQLite may plan a statement anew for every value that is bound to it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(failed)?;
    Ok(connection)
}

/// The schema of a store; 0 for a file without anything in it.
pub(crate) fn schema(connection: &Connection, path: &Path) -> Result<u32, OpenError> {
    let read = |sql| {
        connection.query_row(sql, [], |row| row.get::<_, i32>(0)).map_err(|error| OpenError::of_sqlite(path, &error))
    };
    let application = read("PRAGMA application_id")?;
    let version = read("PRAGMA user_version")?;
    let objects = read("SELECT count(*) FROM sqlite_schema")?;
    match (application, u32::try_from(version), objects) {
        (0, Ok(0), 0) => Ok(0),
        (APPLICATION_ID, Ok(found), _) if found > 0 => Ok(found),
        _ => Err(OpenError::NotAStore { path: path.to_owned() }),
    }
}

/// Makes the names of file and log durable. SQLite does this too, but passes over a failure; with the name of the log, a
/// power cut would take everything in it. The log must exist.
pub(crate) fn sync_names(path: &Path) -> Result<(), OpenError> {
    directory_of(path)
        .and_then(|directory| directory.sync_all())
        .map_err(|error| OpenError::Unavailable { path: path.to_owned(), cause: format!("its directory: {error}") })
}

/// The directory that has the names of file and log.
pub(crate) fn directory_of(path: &Path) -> io::Result<File> {
    File::open(path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

/// Says whether the log is copied into the file when `connection` is closed.
pub(crate) fn copy_log_on_close(connection: &Connection, copies: bool) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !copies).map(drop)
}

/// Notices a file that was cut off inside its last page, which SQLite would fill with zeros. The log must be empty.
pub(crate) fn check_length(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    const PAGES: &str = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    let wanted: u64 = connection
        .query_row(PAGES, [], |row| row.get::<_, i64>(0))
        .map(i64::cast_unsigned)
        .map_err(|error| OpenError::of_sqlite(path, &error))?;
    let found = path.metadata().map_or(0, |file| file.len());
    if found < wanted {
        let cause = format!("it has {found} bytes and should have {wanted}");
        return Err(OpenError::Damaged { path: path.to_owned(), cause });
    }
    Ok(())
}

fn settle(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    for (pragma, setting, wanted) in SETTINGS {
        #[cfg(feature = "planted-faults")]
        let (setting, wanted) = crate::planted_fault::unsafe_setting(pragma).unwrap_or((setting, wanted));
        connection.pragma_update(None, pragma, setting).map_err(|error| OpenError::of_sqlite(path, &error))?;
        let found = connection
            .pragma_query_value(None, pragma, |row| row.get::<_, Value>(0))
            .map_err(|error| OpenError::of_sqlite(path, &error))?;
        let found = match found {
            Value::Integer(number) => number.to_string(),
            Value::Text(text) => text,
            Value::Null | Value::Real(_) | Value::Blob(_) => "nothing".to_owned(),
        };
        if found != wanted {
            return Err(OpenError::Setting { path: path.to_owned(), pragma, wanted, found });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_with_the_wal_reset_bug_is_refused() {
        for (found, accepted) in [(3_051_002, false), (3_051_003, true), (rusqlite::version_number(), true)] {
            assert_eq!(check_library(found).is_ok(), accepted, "{found}");
        }
    }

    #[test]
    fn a_file_that_cannot_have_a_write_ahead_log_is_refused() {
        let in_memory = Connection::open_in_memory().unwrap();
        let refusal = settle(&in_memory, Path::new("regrant.db")).unwrap_err();
        let expected = OpenError::Setting {
            path: "regrant.db".into(),
            pragma: "journal_mode",
            wanted: "wal",
            found: "memory".to_owned(),
        };
        assert_eq!(refusal, expected);
    }

    #[test]
    fn what_the_promises_stand_on_is_so_after_connecting() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("regrant.db");
        create(&path).unwrap();
        let connection = connect(&path).unwrap();
        let text = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, String>(0)).unwrap();
        let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(text("journal_mode"), "wal");
        assert_eq!(number("synchronous"), 2);
        assert_eq!(number("wal_autocheckpoint"), 0);
        assert_eq!(number("foreign_keys"), 1);
    }
}
