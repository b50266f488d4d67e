use std::sync::Arc;

use anyhow::Result;
use regrant_crypto::{SystemEntropy, random};
use regrant_databases::{Database, Postgres};
use regrant_grant::Realm;
use regrant_protocol::SystemClock;
use regrant_store::{Mark, Store};
use regrant_store_postgres::{Address, Genesis, OpenError, PostgresStore, Settings};

use super::mark::KeptMark;
use crate::world::NODES;

/// What the nodes open: a store at one of two servers, a journal at a third, and a mark of each.
pub(super) struct Site {
    store: Address,
    journal: Database<'static>,
    marks: [KeptMark; NODES],
}

impl Site {
    /// One with a journal of its own, for a store at this address.
    pub(super) fn new(store: Address) -> Self {
        Self { store, journal: Postgres::shared().database(), marks: Default::default() }
    }

    /// Opens the store once for each node, and makes it before if there is none.
    pub(super) async fn open(&self) -> Result<Vec<Arc<dyn Store>>> {
        let mut stores: Vec<Arc<dyn Store>> = Vec::new();
        for mark in &self.marks {
            stores.push(Arc::new(self.open_beside(mark).await??));
        }
        Ok(stores)
    }

    /// How many of the nodes would be refused if they were started now.
    pub(super) async fn refused(&self) -> Result<usize> {
        let mut refused = 0;
        for mark in &self.marks {
            refused += usize::from(self.open_beside(mark).await?.is_err());
        }
        Ok(refused)
    }

    /// The last record of the journal that any node knows of.
    pub(super) fn record(&self) -> u64 {
        self.marks.iter().map(KeptMark::record).max().unwrap_or(0)
    }

    async fn open_beside(&self, mark: &KeptMark) -> Result<Result<PostgresStore, OpenError>> {
        let journal = Some(Address::parse(&self.journal.url(), None)?);
        let settings = Settings { journal, ..Settings::new(self.store.clone()) };
        let genesis = Genesis { realm: Realm(random(&SystemEntropy)), epoch_random: random(&SystemEntropy) };
        let mark: Box<dyn Mark> = Box::new(mark.clone());
        Ok(PostgresStore::open_beside(settings, genesis, Arc::new(SystemClock), |_| Ok(Some(mark))).await)
    }
}
