//! The tests that every store must pass, on a file in a directory of its own.

use std::sync::Arc;

use async_trait::async_trait;
use regrant_grant::Realm;
use regrant_protocol::Clock;
use regrant_store::Store;
use regrant_store::suite::Place;
use regrant_store_sqlite::{Genesis, SqliteStore};
use tempfile::TempDir;

struct Directory(TempDir);

impl Directory {
    fn fresh() -> Self {
        Self(tempfile::tempdir().expect("the system has a place for temporary files"))
    }
}

#[async_trait]
impl Place for Directory {
    async fn open(&self, realm: Realm, epoch_random: [u8; 16], clock: Arc<dyn Clock>) -> Arc<dyn Store> {
        let path = self.0.path().join("regrant.db");
        Arc::new(SqliteStore::open(&path, Genesis { realm, epoch_random }, clock).expect("the place is ours"))
    }
}

regrant_store::store_suite!(sqlite, Directory::fresh());
