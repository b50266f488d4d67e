use std::path::{Path, PathBuf};

use regrant_protocol::Timestamp;
use regrant_store::{MovedRow, MovedTable, MovedValue, Standing, StoreError};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use crate::OpenError;
use crate::connection::schema;
use crate::examine::open_to_read;
use crate::migration::MIGRATIONS;
use crate::rows::standing;
use crate::statements::moved::{BEGIN_READING, count_all, select_all};
use crate::transaction::Transaction;

/// How many rows are handed on together.
pub const MOVED_ROWS_TOGETHER: usize = 1_000;

/// A store as it was at one moment, read table by table to be moved elsewhere. It may be open and in use meanwhile, here or in
/// another process; nothing is changed.
pub struct DepartingStore {
    path: PathBuf,
    connection: Connection,
    standing: Standing,
}

impl DepartingStore {
    /// Opens the store at `path`, which has to have the newest schema.
    ///
    /// # Errors
    /// When there is no file, it is none of ours, or of another version.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let connection = open_to_read(path)?;
        let (path, found) = (path.to_owned(), schema(&connection, path)?);
        let known = u32::try_from(MIGRATIONS.len()).expect("every migration was written by a person");
        if found > known {
            return Err(OpenError::NewerSchema { path, found, known });
        }
        if found < known {
            return Err(OpenError::OlderSchema { path, found, known });
        }
        connection.execute_batch(BEGIN_READING).map_err(|error| OpenError::of_sqlite(&path, &error))?;
        let damaged = |error: StoreError| OpenError::Damaged { path: path.clone(), cause: error.to_string() };
        // The time is for what is written.
        let transaction = Transaction::new(&connection, Timestamp::from_seconds(0));
        let standing = standing::find(&transaction).map_err(damaged)?;
        drop(transaction);
        Ok(Self { path, connection, standing })
    }

    /// What it says of itself.
    #[must_use]
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// How many rows a table has.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn count(&self, table: MovedTable) -> Result<u64, OpenError> {
        let counted = self.connection.query_row(count_all(table), [], |row| row.get::<_, i64>(0));
        counted.map(i64::cast_unsigned).map_err(|error| OpenError::of_sqlite(&self.path, &error))
    }

    /// Hands on the rows of a table in the order of their keys, at most [`MOVED_ROWS_TOGETHER`] at once, until `take` says that it
    /// wants no more. Blocks meanwhile.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self, table: MovedTable, mut take: impl FnMut(Vec<MovedRow>) -> bool) -> Result<(), OpenError> {
        let mut read = || -> rusqlite::Result<()> {
            let mut statement = self.connection.prepare(select_all(table))?;
            let mut rows = statement.query([])?;
            let mut together = Vec::with_capacity(MOVED_ROWS_TOGETHER);
            while let Some(row) = rows.next()? {
                together.push(values(row, table)?);
                if together.len() == MOVED_ROWS_TOGETHER && !take(std::mem::take(&mut together)) {
                    return Ok(());
                }
            }
            if !together.is_empty() {
                take(together);
            }
            Ok(())
        };
        read().map_err(|error| OpenError::of_sqlite(&self.path, &error))
    }
}

fn values(row: &Row<'_>, table: MovedTable) -> rusqlite::Result<MovedRow> {
    let value = |index| {
        let utf8 = |text: &[u8]| {
            str::from_utf8(text).map(str::to_owned).map_err(|error| rusqlite::Error::Utf8Error(index, error))
        };
        Ok(match row.get_ref(index)? {
            ValueRef::Null => MovedValue::Null,
            ValueRef::Integer(number) => MovedValue::Integer(number),
            ValueRef::Text(text) => MovedValue::Text(utf8(text)?),
            ValueRef::Blob(bytes) => MovedValue::Bytes(bytes.to_vec()),
            // The tables are STRICT, and none has a column for it.
            ValueRef::Real(_) => return Err(rusqlite::Error::InvalidQuery),
        })
    };
    (0..table.columns().len()).map(value).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use regrant_grant::Realm;
    use regrant_protocol::SystemClock;

    use super::*;
    use crate::{Genesis, SqliteStore};

    const GENESIS: Genesis = Genesis { realm: Realm([1; 16]), epoch_random: [2; 16] };

    /// What only this kind of store has, or both kinds have for themselves.
    const STAYS: [&str; 7] = [
        "migrations.number",
        "migrations.name",
        "migrations.checksum",
        "migrations.applied_at",
        "identity.only_row",
        "last_sweep.only_row",
        "high_water.only_row",
    ];

    fn made(directory: &Path) -> PathBuf {
        let path = directory.join("regrant.db");
        drop(SqliteStore::open(&path, GENESIS, Arc::new(SystemClock)).unwrap());
        path
    }

    #[test]
    fn every_column_of_every_table_goes_along_or_is_known_to_stay() {
        let directory = tempfile::tempdir().unwrap();
        let store = DepartingStore::open(&made(directory.path())).unwrap();
        let mut moved: BTreeSet<String> = STAYS.iter().map(|&column| column.to_owned()).collect();
        for table in MovedTable::ALL {
            let statement = store.connection.prepare(select_all(table)).unwrap();
            let names: Vec<&str> = statement.column_names().collect();
            assert_eq!(names, table.columns(), "{table}");
            moved.extend(names.iter().map(|name| format!("{table}.{}", own_name(name))));
        }
        let all = "SELECT tables.name || '.' || columns.name FROM pragma_table_list AS tables, pragma_table_info(tables.name) AS
                   columns WHERE tables.name NOT LIKE 'sqlite%'";
        let mut statement = store.connection.prepare(all).unwrap();
        let all: BTreeSet<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert_eq!(moved, all);
    }

    fn own_name(name: &str) -> &str {
        match name {
            "user_key" => "user",
            "client_key" => "client",
            "grant_id" => "grant",
            _ => name,
        }
    }

    #[test]
    fn a_store_that_is_open_is_read_as_it_was_at_one_moment() {
        let directory = tempfile::tempdir().unwrap();
        let path = made(directory.path());
        let open = SqliteStore::open(&path, GENESIS, Arc::new(SystemClock)).unwrap();
        let store = DepartingStore::open(&path).unwrap();
        assert_eq!(store.standing().identity.realm, GENESIS.realm);
        let before = store.count(MovedTable::Identity).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(regrant_store::Store::trust_clock(&open)).unwrap();
        assert_eq!((before, store.count(MovedTable::LastSweep).unwrap()), (1, 0));
        let mut rows = Vec::new();
        store
            .read(MovedTable::Identity, |some| {
                rows.extend(some);
                true
            })
            .unwrap();
        assert_eq!(rows, [vec![MovedValue::Bytes(GENESIS.realm.0.to_vec())]]);
        assert_eq!(DepartingStore::open(&path).unwrap().count(MovedTable::LastSweep).unwrap(), 1);
    }

    #[test]
    fn a_file_of_another_schema_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = made(directory.path());
        for (version, expected) in [(1, "start this version on it once"), (999, "install the newer version again")] {
            Connection::open(&path).unwrap().pragma_update(None, "user_version", version).unwrap();
            let told = DepartingStore::open(&path).err().unwrap().to_string();
            assert!(told.contains(expected), "{told}");
        }
    }
}
