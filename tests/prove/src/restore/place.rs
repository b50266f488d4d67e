use anyhow::Result;
use regrant_data_directory::{RestorePolicy, Restored};

use super::databases::Databases;
use super::files::Files;
use crate::instance::Instance;
use crate::world::StoreKind;

/// Where a store is, what is outside it, and its backup.
pub(super) enum Place {
    /// A data directory.
    Files(Files),
    /// A database with three nodes, and one for the journal.
    Databases(Box<Databases>),
}

impl Place {
    /// One without a store.
    pub(super) fn make(store: StoreKind) -> Result<Self> {
        Ok(match store {
            StoreKind::Sqlite => Self::Files(Files::make()?),
            StoreKind::Postgres => Self::Databases(Box::new(Databases::make()?)),
        })
    }

    /// What keeps the rows.
    pub(super) const fn store(&self) -> StoreKind {
        match self {
            Self::Files(_) => StoreKind::Sqlite,
            Self::Databases(_) => StoreKind::Postgres,
        }
    }

    /// Copies the store, and what is outside it, while nobody uses them.
    pub(super) fn back_up(&mut self) -> Result<()> {
        match self {
            Self::Files(files) => files.back_up(),
            Self::Databases(databases) => databases.back_up(),
        }
    }

    /// The same once more.
    pub(super) fn again(&self) -> Result<Self> {
        Ok(match self {
            Self::Files(files) => Self::Files(files.again()?),
            Self::Databases(databases) => Self::Databases(Box::new(databases.again()?)),
        })
    }

    /// Opens the server, or every node.
    pub(super) async fn open(&self, seed: u64) -> Result<Instance> {
        match self {
            Self::Files(files) => files.open(seed).await,
            Self::Databases(databases) => databases.open(seed).await,
        }
    }

    /// Puts the backup in the place of the store.
    pub(super) fn put_back(&self) -> Result<()> {
        match self {
            Self::Files(files) => files.put_back(),
            Self::Databases(databases) => {
                databases.put_back();
                Ok(())
            }
        }
    }

    /// Puts marks and journal back as well.
    pub(super) fn put_outside_back(&self) -> Result<()> {
        match self {
            Self::Files(files) => files.put_outside_back(),
            Self::Databases(databases) => databases.put_outside_back(),
        }
    }

    /// Loses marks and journal.
    pub(super) fn lose_outside(&mut self) -> Result<()> {
        match self {
            Self::Files(files) => files.lose_outside(),
            Self::Databases(databases) => databases.lose_outside(),
        }
    }

    /// Goes on without a journal: the one there is says more than the store has.
    pub(super) fn forget_journal(&mut self) {
        match self {
            Self::Files(files) => files.forget_journal(),
            Self::Databases(databases) => databases.forget_journal(),
        }
    }

    /// `regrant restore`.
    pub(super) async fn restore(&self, policy: RestorePolicy, with_journal: bool, seed: u64) -> Result<Restored> {
        match self {
            Self::Files(files) => files.restore(policy, with_journal, seed),
            Self::Databases(databases) => databases.restore(policy, with_journal, seed).await,
        }
    }
}
