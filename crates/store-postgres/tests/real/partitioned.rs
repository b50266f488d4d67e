//! The tests that every store must pass, where the table of grants is partitioned as the page on scale says.

use std::sync::Arc;

use async_trait::async_trait;
use regrant_databases::{Database, Postgres};
use regrant_grant::Realm;
use regrant_protocol::Clock;
use regrant_store::Store;
use regrant_store::suite::Place;
use regrant_store_postgres::{Address, Genesis, PostgresStore, Settings, TimeOfDay};

const SCALE: &str = include_str!("../../../../docs/operations/scale.md");

struct PartitionedDatabase(Database<'static>);

impl PartitionedDatabase {
    fn fresh() -> Self {
        Self(Postgres::shared().database())
    }

    /// Partitions the table, unless it is.
    fn partition(&self) {
        if self.0.sql("SELECT relkind FROM pg_class WHERE oid = 'regrant.grants'::regclass").trim() == "p" {
            return;
        }
        let recipe = SCALE.split("```sql\n").nth(1).and_then(|rest| rest.split("```").next());
        let recipe = recipe.expect("the page has it").replace("0..63", "0..3").replace("MODULUS 64", "MODULUS 4");
        self.0.sql(&recipe);
    }
}

#[async_trait]
impl Place for PartitionedDatabase {
    async fn open(&self, realm: Realm, epoch_random: [u8; 16], clock: Arc<dyn Clock>) -> Arc<dyn Store> {
        let address = Address::parse(&self.0.url(), None).expect("it is a URL");
        let settings = Settings { time_of_day: TimeOfDay::Given, ..Settings::new(address) };
        let genesis = Genesis { realm, epoch_random };
        drop(PostgresStore::open(settings.clone(), genesis, Arc::clone(&clock)).await.expect("the database is ours"));
        self.partition();
        Arc::new(PostgresStore::open(settings, genesis, clock).await.expect("the database is ours"))
    }
}

regrant_store::store_suite!(partitioned, PartitionedDatabase::fresh());
