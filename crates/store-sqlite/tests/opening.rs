//! Which files are opened, which are made, and which are refused.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use regrant_grant::{ClientKind, GrantSecret, Party, Realm};
use regrant_protocol::{ClientId, Scope, SystemClock};
use regrant_store::{Client, ClientDefaults, ClientHandle, Store, StoreError};
use regrant_store_sqlite::{Genesis, OpenError, SqliteStore};
use rusqlite::Connection;
use tempfile::TempDir;

const GENESIS: Genesis = Genesis { realm: Realm([1; 16]), epoch_random: [2; 16] };

fn open(path: &Path) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(path, GENESIS, Arc::new(SystemClock))
}

fn refusal(path: &Path) -> OpenError {
    open(path).map(drop).expect_err("the file is to be refused")
}

/// The path of a store that was made and closed.
fn made(directory: &TempDir) -> PathBuf {
    let path = directory.path().join("regrant.db");
    drop(open(&path).expect("the directory is empty"));
    path
}

#[test]
fn a_new_file_is_readable_by_its_owner_only_and_so_are_those_beside_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("regrant.db");
    let _store = open(&path).unwrap();
    for file in fs::read_dir(directory.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.file_name());
    }
}

#[test]
fn an_empty_file_as_a_crash_may_leave_it_becomes_a_store() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("regrant.db");
    assert_eq!(SqliteStore::exists(&path), Ok(false));
    fs::write(&path, "").unwrap();
    assert_eq!(SqliteStore::exists(&path), Ok(false));
    assert_eq!(fs::metadata(&path).unwrap().len(), 0, "asking changes nothing");
    // The crash may come after the journal mode was written.
    Connection::open(&path).unwrap().pragma_update(None, "journal_mode", "WAL").unwrap();
    assert_eq!(SqliteStore::exists(&path), Ok(false));
    assert_eq!(open(&path).unwrap().identity().realm, GENESIS.realm);
    assert_eq!(SqliteStore::exists(&path), Ok(true));
}

#[test]
fn a_file_that_is_something_else_is_refused_and_left_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("regrant.db");
    let foreign = directory.path().join("foreign.db");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE theirs (a); PRAGMA user_version = 1").unwrap();
    for content in [b"xx".to_vec(), b"not a database, however long it is ".repeat(1000), fs::read(&foreign).unwrap()] {
        fs::write(&path, &content).unwrap();
        assert_eq!(refusal(&path), OpenError::NotAStore { path: path.clone() });
        assert_eq!(SqliteStore::exists(&path), Err(OpenError::NotAStore { path: path.clone() }));
        assert_eq!(fs::read(&path).unwrap(), content);
    }
}

#[test]
fn a_store_that_was_cut_off_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = made(&directory);
    let whole = fs::read(&path).unwrap();
    for kept_bytes in [2, 99, 100, 512, 4095, 4096, whole.len() / 2, whole.len() - 4096, whole.len() - 1] {
        fs::write(&path, &whole[..kept_bytes]).unwrap();
        let refusal = refusal(&path);
        let is_clear = matches!(refusal, OpenError::Damaged { .. } | OpenError::NotAStore { .. });
        assert!(is_clear, "{kept_bytes} bytes: {refusal}");
    }
    fs::write(&path, &whole).unwrap();
    open(&path).unwrap();
}

#[test]
fn a_store_of_a_newer_version_is_refused_and_left_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let path = made(&directory);
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 11).unwrap();
    let before = fs::read(&path).unwrap();
    assert_eq!(refusal(&path), OpenError::NewerSchema { path: path.clone(), found: 11, known: 10 });
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_store_without_its_identity_is_refused() {
    for damage in ["DELETE FROM identity", "DELETE FROM epochs", "UPDATE epochs SET random = x'00'"] {
        let directory = tempfile::tempdir().unwrap();
        let path = made(&directory);
        Connection::open(&path).unwrap().execute_batch(damage).unwrap();
        let refusal = refusal(&path);
        assert!(matches!(refusal, OpenError::Damaged { .. }), "{damage}: {refusal}");
    }
}

#[test]
fn a_place_where_no_file_can_be_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    for path in [directory.path().to_owned(), directory.path().join("missing").join("regrant.db")] {
        let refusal = refusal(&path);
        assert!(matches!(refusal, OpenError::Inaccessible { .. }), "{path:?}: {refusal}");
    }
}

#[test]
fn what_was_committed_survives_a_log_that_was_cut_off_and_a_lost_index_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = made(&directory);
    let crashed = directory.path().join("crashed.db");
    let log = |of: &Path| PathBuf::from(format!("{}-wal", of.display()));
    let writer = Connection::open(&path).unwrap();
    writer.execute_batch("INSERT INTO announced_keys VALUES (1, x'0101010101010101')").unwrap();
    let committed_bytes = fs::metadata(log(&path)).unwrap().len() as usize;
    writer.execute_batch("INSERT INTO announced_keys VALUES (2, x'0202020202020202')").unwrap();
    let whole = fs::read(log(&path)).unwrap();
    for (kept_bytes, expected) in [(whole.len(), 2), (whole.len() - 1, 1), (committed_bytes, 1), (0, 0)] {
        fs::copy(&path, &crashed).unwrap();
        fs::write(log(&crashed), &whole[..kept_bytes]).unwrap();
        drop(open(&crashed).unwrap());
        let found: i64 = Connection::open(&crashed)
            .unwrap()
            .query_row("SELECT count(*) FROM announced_keys", [], |row| row.get(0))
            .unwrap();
        assert_eq!(found, expected, "{kept_bytes} bytes of log");
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_is_reported_by_table_column_and_row() {
    let directory = tempfile::tempdir().unwrap();
    let path = made(&directory);
    let app = ClientId::parse("app").unwrap();
    let store = open(&path).unwrap();
    store.add_client(client(app.clone())).await.unwrap();
    drop(store);
    for (damage, column, problem) in [
        ("UPDATE clients SET settings = '{}'", "settings", "missing field `name`"),
        ("UPDATE clients SET settings = NULL", "settings", "Invalid type"),
        ("UPDATE clients SET version = -1", "version", "out of range"),
        ("UPDATE clients SET secret = x'00'", "secret", "1 byte blob"),
    ] {
        Connection::open(&path).unwrap().execute_batch(damage).unwrap();
        let StoreError::Inconsistent { table, column: named, row, problem: told } =
            open(&path).unwrap().client(&app).await.unwrap_err()
        else {
            panic!("{damage}")
        };
        assert_eq!((table, named, row.as_str()), ("clients", column, "app"));
        assert!(told.to_lowercase().contains(&problem.to_lowercase()), "{damage}: {told}");
    }
}

fn client(id: ClientId) -> Client {
    Client {
        id,
        handle: ClientHandle([1; 16]),
        secret: GrantSecret::new([2; 16]),
        party: Party { enabled: true, cutoff: 0, version: 1 },
        settings: ClientDefaults::BUILT_IN.settings(ClientKind::Public, Scope::empty()),
    }
}
