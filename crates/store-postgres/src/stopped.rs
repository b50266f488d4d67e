use std::sync::Arc;

use regrant_grant::Realm;
use regrant_protocol::{Clock, EpochNumber, Timestamp};
use regrant_store::{HighWater, Reached, Renewal, SeenNode, Standing, StoreError};

use crate::connect::Connector;
use crate::journal::JournalDatabase;
use crate::migration::{MIGRATIONS, exists, migrate};
use crate::pool::Pool;
use crate::replay::{ReplayError, Replayed, replay};
use crate::rows::{high_water, key, shared, standing};
use crate::store_clock::StoreClock;
use crate::transaction::Transaction;
use crate::{Genesis, OpenError, Settings};

/// A store that was put back, and that nobody uses until it begins an epoch.
pub struct StoppedStore {
    connector: Arc<Connector>,
    pool: Arc<Pool>,
    clock: StoreClock,
    now: Timestamp,
    standing: Standing,
    nodes: Vec<SeenNode>,
    unused: Option<Reached>,
}

impl StoppedStore {
    /// Opens a database, and brings it to the newest schema.
    ///
    /// # Errors
    /// [`OpenError`], among others when there is no store in it.
    pub async fn open(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let connector = Arc::new(Connector::new(settings.address)?);
        if !exists(&connector).await? {
            return Err(OpenError::NoStore { address: connector.shown() });
        }
        // It has its own: this one is for a store that is made.
        let unused = Genesis { realm: Realm([0; 16]), epoch_random: [0; 16] };
        migrate(&connector, MIGRATIONS, &unused).await?;
        let pool = Pool::new(Arc::clone(&connector), 1);
        let clock = StoreClock::new(clock, settings.time_of_day);
        let damaged = |error: StoreError| connector.damaged(&error);
        let reading = Transaction::begin(pool.lease().await.map_err(damaged)?, &clock).await.map_err(damaged)?;
        let read = async {
            let standing = standing::find(&reading).await?;
            Ok((standing, shared::nodes(&reading).await?, key::unused_epoch(&reading).await?))
        };
        let (standing, nodes, unused) = read.await.map_err(damaged)?;
        let unused = unused.map(|epoch| Reached { counter: standing.high_water.counter, epoch });
        let now = reading.now();
        reading.roll_back().await;
        Ok(Self { connector, pool, clock, now, standing, nodes, unused })
    }

    /// What it says of itself.
    #[must_use]
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Where a restore has begun the present epoch in this place, and neither has ended well nor was anything done since: how far it has come.
    /// As a restore leaves it that was not told of its commit. A copy that was put back is another place.
    #[must_use]
    pub fn unused(&self) -> Option<Reached> {
        self.unused
    }

    /// The nodes that have used it.
    #[must_use]
    pub fn nodes(&self) -> &[SeenNode] {
        &self.nodes
    }

    /// Its time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Does again what `journal` has and the store has not, and begins an epoch, all in one transaction; in the place of the epoch
    /// `replaced`, which nobody has used. How many records were done. Until [`end`](RenewedStore::end) the restore counts as broken off.
    ///
    /// # Errors
    /// [`OpenError::Unknown`] when nobody knows whether that has happened; with every other error it is as it was.
    pub async fn renew(
        self,
        renewal: &Renewal,
        replaced: Option<EpochNumber>,
        journal: Option<&JournalDatabase>,
    ) -> Result<RenewedStore, OpenError> {
        let failed = |error: StoreError| self.connector.damaged(&error);
        let unknown =
            |error: StoreError| OpenError::Unknown { address: self.connector.shown(), cause: error.to_string() };
        let lease = self.pool.lease().await.map_err(failed)?;
        let transaction = Transaction::begin(lease, &self.clock).await.map_err(failed)?.uncounted();
        match renew(&transaction, renewal, replaced, journal).await {
            Ok(replayed) => {
                transaction.commit().await.map_err(unknown)?;
                let Self { connector, pool, clock, .. } = self;
                Ok(RenewedStore { connector, pool, clock, replayed })
            }
            Err(ReplayError::Journal(error)) => Err(error.into()),
            Err(ReplayError::Store(error)) => Err(failed(error)),
            Err(ReplayError::RolledBack(how)) => Err(OpenError::RolledBack { address: self.connector.shown(), how }),
        }
    }
}

/// A store in which an epoch was begun that nobody may use yet.
pub struct RenewedStore {
    connector: Arc<Connector>,
    pool: Arc<Pool>,
    clock: StoreClock,
    replayed: u64,
}

impl RenewedStore {
    /// How many records of the journal were done again.
    #[must_use]
    pub fn replayed(&self) -> u64 {
        self.replayed
    }

    /// Notes that the restore has done everything: from now on, here and in every copy, the epoch counts as one in which tokens were issued.
    ///
    /// # Errors
    /// [`OpenError::Unknown`]; then the restore is to be repeated.
    pub async fn end(self) -> Result<(), OpenError> {
        let ended = async {
            let transaction = Transaction::begin(self.pool.lease().await?, &self.clock).await?.uncounted();
            let noted = key::end_beginning(&transaction).await;
            transaction.end(noted).await
        };
        ended.await.map_err(|error: StoreError| OpenError::Unknown {
            address: self.connector.shown(),
            cause: error.to_string(),
        })
    }
}

/// A store that was told of no journal has none from now on, and nodes need not name one.
async fn renew(
    transaction: &Transaction,
    renewal: &Renewal,
    replaced: Option<EpochNumber>,
    journal: Option<&JournalDatabase>,
) -> Result<u64, ReplayError> {
    high_water::lock(transaction).await?;
    let before = renewal.replay_after;
    let known = key::announced(transaction).await?;
    let Replayed { last: journalled, retired_below } = match journal {
        Some(journal) => replay(transaction, journal, before, journal.span().await?.last).await?,
        None => Replayed::up_to(0),
    };
    key::renew(transaction, renewal.keys_that_count(&known, retired_below)?).await?;
    if let Some(unused) = replaced {
        key::forget_epoch(transaction, unused).await?;
    }
    key::begin_epoch(transaction, &renewal.epoch, renewal.counter).await?;
    let water = HighWater { counter: renewal.counter, journalled, halted_at: None };
    high_water::reset(transaction, &water).await?;
    Ok(journalled.saturating_sub(before))
}
