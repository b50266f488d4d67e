use std::sync::Arc;

use regrant_grant::Realm;
use regrant_protocol::{Clock, Timestamp};
use regrant_store::{HighWater, Renewal, SeenNode, Standing, StoreError};

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
        let read = async { Ok((standing::find(&reading).await?, shared::nodes(&reading).await?)) };
        let (standing, nodes) = read.await.map_err(damaged)?;
        let now = reading.now();
        reading.roll_back().await;
        Ok(Self { connector, pool, clock, now, standing, nodes })
    }

    /// What it says of itself.
    #[must_use]
    pub fn standing(&self) -> &Standing {
        &self.standing
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

    /// Does again what `journal` has and the store has not, and begins an epoch, all in one transaction. How many records were done.
    ///
    /// # Errors
    /// [`OpenError`]; then it is as it was.
    pub async fn renew(self, renewal: &Renewal, journal: Option<&JournalDatabase>) -> Result<u64, OpenError> {
        let failed = |error: StoreError| self.connector.damaged(&error);
        let lease = self.pool.lease().await.map_err(failed)?;
        let transaction = Transaction::begin(lease, &self.clock).await.map_err(failed)?.uncounted();
        match renew(&transaction, renewal, journal).await {
            Ok(replayed) => {
                transaction.commit().await.map_err(failed)?;
                Ok(replayed)
            }
            Err(ReplayError::Journal(error)) => Err(error.into()),
            Err(ReplayError::Store(error)) => Err(failed(error)),
            Err(ReplayError::RolledBack(how)) => Err(OpenError::RolledBack { address: self.connector.shown(), how }),
        }
    }
}

async fn renew(
    transaction: &Transaction,
    renewal: &Renewal,
    journal: Option<&JournalDatabase>,
) -> Result<u64, ReplayError> {
    high_water::lock(transaction).await?;
    let before = renewal.replay_after;
    let known = key::announced(transaction).await?;
    let Replayed { last: journalled, retired_below } = match journal {
        Some(journal) => replay(transaction, journal, before, journal.span().await?.last).await?,
        None => Replayed::up_to(before),
    };
    key::renew(transaction, renewal.keys_that_count(&known, retired_below)?).await?;
    key::begin_epoch(transaction, &renewal.epoch).await?;
    let water = HighWater { counter: renewal.counter, journalled, halted_at: None };
    high_water::reset(transaction, &water).await?;
    Ok(journalled - before)
}
