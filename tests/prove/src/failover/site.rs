use std::sync::Arc;

use anyhow::Result;
use regrant_databases::{Database, Postgres};
use regrant_store::Store;
use regrant_store_postgres::{Address, OpenError, PostgresStore, Settings};

use super::mark::KeptMark;
use crate::world::{NODES, open_node};

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

    /// How many of the nodes would be told, if they were started now, that the store is not what it was.
    ///
    /// # Errors
    /// When one would not start for another reason.
    pub(super) async fn refused(&self) -> Result<usize> {
        let mut refused = 0;
        for mark in &self.marks {
            match self.open_beside(mark).await? {
                Ok(_) => {}
                Err(OpenError::RolledBack { .. } | OpenError::Halted { .. }) => refused += 1,
                Err(other) => return Err(other.into()),
            }
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
        Ok(open_node(settings, Some(Box::new(mark.clone()))).await)
    }
}
