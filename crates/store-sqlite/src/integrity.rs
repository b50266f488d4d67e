use std::path::Path;

use crate::OpenError;
use crate::connection::open;
use crate::statements::database::CHECK_INTEGRITY;

/// Every fault that SQLite finds in the file at `path`, in its words; none when the file is sound. Reads all of it. The
/// store must not be open.
///
/// # Errors
/// When there is no file, or it is too damaged to be looked through.
pub fn check_integrity(path: &Path) -> Result<Vec<String>, OpenError> {
    let connection = open(path)?;
    let check = || -> rusqlite::Result<Vec<String>> {
        let mut statement = connection.prepare(CHECK_INTEGRITY)?;
        statement.query_map([], |row| row.get(0))?.collect()
    };
    let mut told = check().map_err(|error| OpenError::of_sqlite(path, &error))?;
    told.retain(|line| line != "ok");
    Ok(told)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rusqlite::Connection;

    use super::*;

    #[test]
    fn a_sound_file_has_no_faults_and_a_torn_one_has() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("regrant.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("CREATE TABLE words (word TEXT) STRICT").unwrap();
        connection.execute("INSERT INTO words VALUES (?1)", ["long ".repeat(10_000)]).unwrap();
        drop(connection);
        assert_eq!(check_integrity(&path), Ok(Vec::new()));

        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 4096].fill(0);
        fs::write(&path, bytes).unwrap();
        assert_ne!(check_integrity(&path).ok(), Some(Vec::new()));
    }
}
