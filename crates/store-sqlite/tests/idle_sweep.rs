//! What a sweep costs that finds nothing to remove.

use std::fs;
use std::sync::Arc;

use regrant_grant::Realm;
use regrant_protocol::{Clock, ManualClock, Timestamp};
use regrant_store::{SLICE_ROWS_MAX, Store, Sweep, SweepPosition};
use regrant_store_sqlite::{Genesis, SqliteStore};

#[tokio::test]
async fn a_slice_that_finds_nothing_writes_at_most_once_a_minute() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("regrant.db");
    let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(1_800_000_000)));
    let genesis = Genesis { realm: Realm([1; 16]), epoch_random: [2; 16] };
    let store = SqliteStore::open(&path, genesis, clock.clone()).unwrap();
    let mut log_bytes = 0;
    for (seconds, writes) in [(0, true), (0, false), (59, false), (1, true), (30, false)] {
        clock.advance_seconds(seconds);
        let sweep = Sweep { from: SweepPosition::default(), rows_max: SLICE_ROWS_MAX, clock_at_most: clock.now() };
        store.sweep(sweep).await.unwrap();
        let before =
            std::mem::replace(&mut log_bytes, fs::metadata(directory.path().join("regrant.db-wal")).unwrap().len());
        assert_eq!(log_bytes > before, writes, "after {seconds} s more");
    }
}
