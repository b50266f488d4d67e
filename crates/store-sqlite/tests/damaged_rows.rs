//! A row that cannot be read is in the way of nobody but its own grant.

use std::path::Path;
use std::sync::Arc;

use regrant_grant::{Grant, GrantId, Realm, Write};
use regrant_protocol::{ManualClock, Subject, Timestamp};
use regrant_store::{
    GrantFilter, Page, Removed, SLICE_ROWS_MAX, Scene, Store, StoreError, Sweep, SweepPosition, Target, decide_in,
};
use regrant_store_sqlite::{Genesis, SqliteStore};
use rusqlite::Connection;
use tempfile::TempDir;

/// Grants 1 to 5 of a user and a client, without an end; 4 is a sibling of 3.
const ROWS: &str = "
    INSERT INTO clients (id, enabled, cutoff, version) VALUES ('app', 1, 0, 1);
    INSERT INTO users (subject, status, cutoff, version) VALUES ('alice', 'active', 0, 1);
    WITH numbers (number, root) AS (VALUES ('01', NULL), ('02', NULL), ('03', NULL), ('04', '03'), ('05', NULL))
    INSERT INTO grants (id, root, secret, version, client, user, scope, generation, kid, epoch, rotated_at,
                        access_lifetime, has_used_challenge, created_at, authenticated_at, client_cutoff, user_cutoff)
    SELECT unhex(hex(zeroblob(15)) || number), unhex(hex(zeroblob(15)) || root), zeroblob(16), 1, 1, 1, '', 1, 1, 1, 1, 1,
           0, 1, 1, 0, 0
    FROM numbers;";

/// What makes a row unreadable: this is no scope.
fn unreadable(number: u8) -> String {
    format!("UPDATE grants SET scope = '\"\"' WHERE id = x'{number:032x}'")
}

fn id(number: u8) -> GrantId {
    GrantId(u128::from(number).to_be_bytes())
}

fn time() -> Timestamp {
    Timestamp::from_seconds(1_800_000_000)
}

fn open(path: &Path) -> SqliteStore {
    let genesis = Genesis { realm: Realm([1; 16]), epoch_random: [2; 16] };
    SqliteStore::open(path, genesis, Arc::new(ManualClock::new(time()))).expect("the file is a store")
}

/// A store with [`ROWS`], in which `damage` was done.
fn damaged(directory: &TempDir, damage: &str) -> SqliteStore {
    let path = directory.path().join("regrant.db");
    drop(open(&path));
    let connection = Connection::open(&path).expect("the file is there");
    connection.execute_batch(ROWS).expect("they are of this schema");
    connection.execute_batch(damage).expect("it is SQL");
    drop(connection);
    open(&path)
}

/// Does what `write` makes of a grant that is read.
async fn step(
    store: &SqliteStore,
    from: u8,
    write: impl Fn(Grant) -> Write + Send + 'static,
) -> Result<(), StoreError> {
    let rule = move |scene: &Scene<'_>| ((), write(scene.grant.expect("it is there").clone()));
    decide_in(store, Target::Grant(id(from)), None, rule).await
}

#[tokio::test]
async fn a_user_gives_a_client_more_and_is_shown_the_rest() {
    for (damaged_row, shown) in [(1, &[9, 2, 3, 5][..]), (4, &[9, 1, 2, 3, 5])] {
        let directory = tempfile::tempdir().unwrap();
        let store = damaged(&directory, &unreadable(damaged_row));
        let refused = step(&store, damaged_row, |_| Write::Nothing).await;
        assert!(matches!(refused, Err(StoreError::Inconsistent { .. })), "{refused:?}");
        let newer = time();
        let consent = move |row| Write::Insert(Grant { id: id(9), created_at: newer, ..row });
        assert_eq!(step(&store, 2, consent).await, Ok(()));
        let listed = store.grants_of(&Subject::parse("alice").unwrap()).await.unwrap();
        let expected: Vec<_> = shown.iter().map(|&number| id(number)).collect();
        assert_eq!(listed.iter().map(|grant| grant.id).collect::<Vec<_>>(), expected, "without {damaged_row}");
    }
}

#[tokio::test]
async fn an_operator_lists_and_ends_the_rest() {
    let filters =
        [GrantFilter::default(), GrantFilter { user: Subject::parse("alice").ok(), ..GrantFilter::default() }];
    for filter in filters {
        for (damaged_row, rest) in [(1, [2, 3, 5]), (2, [1, 3, 5]), (5, [1, 2, 3])] {
            let directory = tempfile::tempdir().unwrap();
            let store = damaged(&directory, &unreadable(damaged_row));
            let (mut listed, mut after) = (Vec::new(), None);
            for _ in 0..5 {
                let Page { items, next } = store.grants(&filter, after, 1).await.unwrap();
                listed.extend(items.into_iter().map(|listed| listed.grant.id));
                after = next;
                if after.is_none() {
                    break;
                }
            }
            let rest = rest.map(id);
            assert_eq!((&listed[..], after), (&rest[..], None), "{filter:?} without {damaged_row}");
            let ended = store.end_grants(&filter, time(), None).await;
            assert_eq!(ended, Ok(Page { items: rest.to_vec(), next: None }), "{filter:?} without {damaged_row}");
        }
    }
}

#[tokio::test]
async fn a_sweep_goes_on_behind_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = damaged(
        &directory,
        "UPDATE grants SET idle_expires_at = 0 WHERE root IS NULL;
         UPDATE grants SET scope = '\"\"' WHERE id = x'00000000000000000000000000000001';
         DROP TABLE listed_access_tokens;
         CREATE TABLE listed_access_tokens (id BLOB NOT NULL PRIMARY KEY, ends_at) WITHOUT ROWID;
         INSERT INTO listed_access_tokens VALUES (x'01', 'never'), (x'02', 0), (x'03', NULL), (x'04', 0);
         DROP TABLE sessions;
         CREATE TABLE sessions (id BLOB NOT NULL PRIMARY KEY, user, expires_at) WITHOUT ROWID;
         INSERT INTO sessions VALUES (x'01', 1, 'never'), (x'02', 1, 0);",
    );
    for rows_max in [1, SLICE_ROWS_MAX] {
        let (mut removed, mut position) = (Removed::default(), Some(SweepPosition::default()));
        while let Some(from) = position {
            let swept = store.sweep(Sweep { from, rows_max, clock_at_most: time() }).await.unwrap();
            removed += swept.removed;
            position = swept.next;
        }
        let expected = Removed { grants: 2, access_tokens: 2, sessions: 1 };
        assert_eq!(removed, if rows_max == 1 { expected } else { Removed::default() });
    }
}
