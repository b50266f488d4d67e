use std::sync::Arc;

use anyhow::{Context, Result};
use clap::ValueEnum;
use regrant_crypto::{SystemEntropy, random};
use regrant_databases::{Database, Postgres};
use regrant_grant::Realm;
use regrant_protocol::SystemClock;
use regrant_store::{Mark, Store};
use regrant_store_postgres::{Address, OpenError, PostgresStore, Settings};
use regrant_store_sqlite::SqliteStore;
use tempfile::TempDir;

/// How many nodes share a database of PostgreSQL.
pub(crate) const NODES: usize = 3;

/// What keeps the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StoreKind {
    /// SQLite, for one node.
    Sqlite,
    /// PostgreSQL, for three.
    Postgres,
}

/// Where rows are. They go when it is dropped.
pub(crate) enum Place {
    Directory(TempDir),
    Database(Database<'static>),
}

impl StoreKind {
    /// Its name in results.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    /// A place without a store.
    pub(crate) fn place(self) -> Result<Place> {
        Ok(match self {
            Self::Sqlite => Place::Directory(tempfile::tempdir().context("the temporary directory cannot be written")?),
            Self::Postgres => Place::Database(Postgres::shared().database()),
        })
    }
}

impl Place {
    /// Makes the store there, and opens it once for each node.
    pub(crate) async fn open(&self) -> Result<Vec<Arc<dyn Store>>> {
        match self {
            Self::Directory(directory) => {
                let (realm, epoch_random) = (Realm(random(&SystemEntropy)), random(&SystemEntropy));
                let genesis = regrant_store_sqlite::Genesis { realm, epoch_random };
                let path = directory.path().join("regrant.db");
                Ok(vec![Arc::new(SqliteStore::open(&path, genesis, Arc::new(SystemClock))?)])
            }
            Self::Database(database) => open_postgres(&Address::parse(&database.url(), None)?).await,
        }
    }
}

/// Opens the store at this address once for each node, and makes it there before if there is none.
async fn open_postgres(address: &Address) -> Result<Vec<Arc<dyn Store>>> {
    let mut stores: Vec<Arc<dyn Store>> = Vec::new();
    for _ in 0..NODES {
        stores.push(Arc::new(open_node(Settings::new(address.clone()), None).await?));
    }
    Ok(stores)
}

/// Opens the store for one node beside its mark, and makes it before if there is none.
pub(crate) async fn open_node(settings: Settings, mark: Option<Box<dyn Mark>>) -> Result<PostgresStore, OpenError> {
    let (realm, epoch_random) = (Realm(random(&SystemEntropy)), random(&SystemEntropy));
    let genesis = regrant_store_postgres::Genesis { realm, epoch_random };
    PostgresStore::open_beside(settings, genesis, Arc::new(SystemClock), |_| Ok(mark)).await
}
