//! `regrant restore` on PostgreSQL: a database that was put back begins an epoch.

use std::sync::Arc;

use regrant_crypto::Entropy;
use regrant_engine::NODE_AWAITED_MILLISECONDS;
use regrant_protocol::Clock;
use regrant_store::{Ending, OutsideError, Reached, Renewal};
use regrant_store_postgres::{JournalDatabase, Settings, StoppedStore};

use crate::error::io_error;
use crate::mark::{self, Marked};
use crate::renewal::{Begun, check_keys, master_keys, replay_after};
use crate::{DataDirectory, OutsideFiles, RestoreError, RestorePolicy, Restored, StoreKind};

impl DataDirectory {
    /// Makes a database that its operator has put back the store again, in a new epoch. Nobody uses it meanwhile. What was broken off
    /// can be done again.
    ///
    /// # Errors
    /// [`RestoreError`], each with what to do.
    pub async fn restore_postgres(
        &self,
        settings: Settings,
        outside: &OutsideFiles,
        policy: RestorePolicy,
        gives_up_journal: bool,
        entropy: &dyn Entropy,
        clock: Arc<dyn Clock>,
    ) -> Result<Restored, RestoreError> {
        self.realm_of_store(StoreKind::Postgres, &settings.address.to_string())?;
        let ring = Self::kept_keys(self.path())?;
        let journal = settings.journal.clone();
        let store = StoppedStore::open(settings, clock).await?;
        let standing = store.standing();
        let (realm, journalled) = (standing.identity.realm, standing.high_water.journalled);
        let there: Vec<_> =
            store.nodes().iter().filter(|seen| seen.seen_milliseconds_ago < NODE_AWAITED_MILLISECONDS).collect();
        if !there.is_empty() {
            let names: Vec<_> = there.iter().map(|seen| seen.node.name.as_str()).collect();
            return Err(RestoreError::NodesThere { names: names.join(", ") });
        }
        let mark_path = outside.mark_in(self.path());
        let marked = self.marked(&mark_path, realm)?;
        let marked_record = marked.map_or(0, |marked| marked.journalled);
        check_keys(&standing.announced_keys, &ring)?;
        let journal = match journal {
            Some(address) => {
                let may_be_new = gives_up_journal || journalled.max(marked_record) == 0;
                Some(JournalDatabase::open(address, realm, may_be_new.then_some(journalled)).await?)
            }
            None => None,
        };
        let span = match &journal {
            Some(journal) => Some(journal.span().await?),
            None => None,
        };
        let replay_after = replay_after(span, journalled, marked_record, gives_up_journal)?;
        let seen = [marked.map(|marked| marked.reached), span.and_then(|span| span.reached)];
        let unused = store.unused().filter(|unused| !is_used(*unused, &seen));
        let mut restored = standing.clone();
        if unused.is_some() {
            // The tokens that are out are of the epoch before it.
            restored.identity.epochs.pop();
        }
        let seen = [seen[0], seen[1], unused];
        let Begun { epoch, reached } = Begun::after(&restored, &seen, policy, entropy, store.now())?;
        if let (Some(journal), Some(span)) = (&journal, span) {
            // From here on the database that was put back does not serve: the journal knows of a later epoch.
            let begun = journal.append(span.last, reached, &[Ending::Epoch { number: epoch.number }]).await?;
            begun.ok_or_else(|| {
                OutsideError("somebody adds to the journal; stop all nodes, and run this again".to_owned())
            })?;
        }
        let renewal = Renewal { epoch, counter: reached.counter, master_keys: master_keys(&ring), replay_after };
        let renewed = store.renew(&renewal, unused.map(|unused| unused.epoch), journal.as_ref()).await?;
        let records = renewed.replayed();
        let journalled = if journal.is_some() { replay_after + records } else { 0 };
        mark::write(&mark_path, &Marked { realm, reached, journalled }).map_err(|error| io_error(&mark_path, error))?;
        renewed.end().await?;
        Ok(Restored {
            epoch: epoch.number,
            // The last one says that the epoch begins.
            replayed: records.saturating_sub(u64::from(journal.is_some())),
            recovers_until: epoch.recovery.map(|recovery| recovery.until),
            replaced: None,
        })
    }
}

/// Whether what is outside the database knows of something that was done in an epoch in which the database knows of nothing.
fn is_used(unused: Reached, outside: &[Option<Reached>]) -> bool {
    outside.iter().flatten().any(|seen| seen.epoch == unused.epoch && seen.counter > unused.counter)
}
