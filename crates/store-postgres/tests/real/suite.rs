//! The tests that every store must pass, in a database of its own.

use std::sync::Arc;

use async_trait::async_trait;
use regrant_databases::{Database, Postgres};
use regrant_grant::Realm;
use regrant_protocol::Clock;
use regrant_store::Store;
use regrant_store::suite::Place;
use regrant_store_postgres::{Address, Genesis, PostgresStore, Settings, TimeOfDay};

struct OwnDatabase(Database<'static>);

impl OwnDatabase {
    fn fresh() -> Self {
        Self(Postgres::shared().database())
    }
}

#[async_trait]
impl Place for OwnDatabase {
    async fn open(&self, realm: Realm, epoch_random: [u8; 16], clock: Arc<dyn Clock>) -> Arc<dyn Store> {
        let address = Address::parse(&self.0.url(), None).expect("it is a URL");
        let settings = Settings { time_of_day: TimeOfDay::Given, ..Settings::new(address) };
        let store = PostgresStore::open(settings, Genesis { realm, epoch_random }, clock).await;
        Arc::new(store.expect("the database is ours"))
    }
}

regrant_store::store_suite!(postgres, OwnDatabase::fresh());
