use std::sync::Arc;
use std::time::{Duration, Instant};

use regrant_crypto::unverified_header;
use regrant_grant::{Head, OPAQUE_ACCESS_PREFIX};
use regrant_protocol::{Clock, Kid};
use regrant_store::{Changes, SharedStore, Store, StoreError};
use tokio::sync::OwnedMutexGuard;
use tokio::time::{sleep, timeout};

use super::Followed;
use crate::AuthorizationServer;
use crate::access_token::OpaqueParts;
use crate::clients::Clients;
use crate::keys::{KeyState, Keys, missing};
use crate::signing::SigningKeys;

/// How long after one reading on demand the next one begins: whoever makes up tokens of unknown keys costs the store no more.
const READINGS_APART_MILLISECONDS_MIN: u64 = 100;

/// How long somebody waits who cannot be answered before that is read. The one who follows goes on by itself.
pub const CATCH_UP_MILLISECONDS_MAX: u64 = 2_000;

/// What was last read of what all nodes share. Whoever holds it reads the keys of the store and puts them in force, or changes
/// them there and here: one at a time, so that nothing older comes after something newer.
#[derive(Default)]
pub(crate) struct Known {
    changes: Option<Changes>,
    /// When it was begun to be read, and what came of it.
    last: Option<(Instant, Result<(), StoreError>)>,
}

impl Known {
    /// What a node knows that has just read everything.
    pub(crate) fn new(changes: Option<Changes>) -> Self {
        Self { changes, last: None }
    }

    /// Everything is read anew next time.
    pub(crate) fn forget(&mut self) {
        self.changes = None;
    }
}

impl AuthorizationServer {
    /// Puts in force what other nodes have changed before this is called. Callers that wait together share a reading.
    ///
    /// # Errors
    /// When the store failed, or has not answered within [`CATCH_UP_MILLISECONDS_MAX`].
    pub(crate) async fn catch_up(&self) -> Result<(), StoreError> {
        if self.store.shared().is_none() {
            return Ok(());
        }
        let bound = Duration::from_millis(CATCH_UP_MILLISECONDS_MAX);
        let late = || {
            let told =
                format!("the store has not told within {CATCH_UP_MILLISECONDS_MAX} ms what other nodes have changed");
            Err(StoreError::Unavailable(told))
        };
        timeout(bound, self.share_reading()).await.unwrap_or_else(|_| late())
    }

    async fn share_reading(&self) -> Result<(), StoreError> {
        let asked_at = self.clock.monotonic();
        let known = Arc::clone(&self.known).lock_owned().await;
        if let Some((begun_at, outcome)) = &known.last {
            if *begun_at > asked_at {
                return outcome.clone();
            }
            let apart = Duration::from_millis(READINGS_APART_MILLISECONDS_MIN);
            sleep(apart.saturating_sub(self.clock.monotonic().saturating_duration_since(*begun_at))).await;
        }
        self.read_on(known).await.map(drop)
    }

    /// The same for the one who asks once in a while, and tells what has changed.
    pub(super) async fn catch_up_now(&self) -> Result<Followed, StoreError> {
        let known = Arc::clone(&self.known).lock_owned().await;
        self.read_on(known).await
    }

    /// Makes sure that what is known here of the keys is not too old to be relied on.
    ///
    /// # Errors
    /// When the store failed.
    pub(crate) async fn keys_are_fresh(&self) -> Result<(), StoreError> {
        if self.keys.is_fresh() { Ok(()) } else { self.catch_up().await }
    }

    /// The same, and that a token that names one is not refused
    /// because another node has put it in force a moment ago.
    ///
    /// # Errors
    /// When the store failed.
    pub(crate) async fn learn_of_key(&self, kid: Kid) -> Result<(), StoreError> {
        let may_be_newer = || matches!(self.keys.state_of(kid), KeyState::Prepared | KeyState::Ahead);
        if self.store.shared().is_none() || (self.keys.is_fresh() && !may_be_newer()) {
            return Ok(());
        }
        self.catch_up().await
    }

    /// The same for the key of an access token or an ID token.
    ///
    /// # Errors
    /// When the store failed, and when the key is in force and cannot be had here yet.
    pub(crate) async fn learn_of_signer(&self, token: &str) -> Result<(), StoreError> {
        if let Some(encoded) = token.strip_prefix(OPAQUE_ACCESS_PREFIX) {
            let Some(OpaqueParts { head: Head { kid, .. }, .. }) = OpaqueParts::parse(encoded) else { return Ok(()) };
            self.learn_of_key(kid).await?;
            return if self.keys.state_of(kid) == KeyState::Missing { Err(missing(kid)) } else { Ok(()) };
        }
        if self.store.shared().is_none() {
            return Ok(());
        }
        let Some(header) = unverified_header(token) else { return Ok(()) };
        let is_known = || self.signing.has(&header.kid);
        if !(self.keys.is_fresh() && is_known()) {
            self.catch_up().await?;
        }
        if is_known() { Ok(()) } else { self.all_signers_are_here() }
    }

    /// That every signing key is open here, so that one that is not known is nobody's.
    ///
    /// # Errors
    /// When the master key that one is sealed under is not here.
    pub(crate) fn all_signers_are_here(&self) -> Result<(), StoreError> {
        if self.signing.is_whole() {
            return Ok(());
        }
        let closed = || StoreError::Unavailable("a signing key of this store does not open here".to_owned());
        Err(self.keys.missing().map_or_else(closed, missing))
    }

    /// Reads, and goes on with it when nobody waits any more: whoever comes next waits for this reading to end. So one is under way at a
    /// time, however many give it up, and a store that does not answer is not asked by each of them.
    async fn read_on(&self, mut known: OwnedMutexGuard<Known>) -> Result<Followed, StoreError> {
        let reader = Reader {
            store: Arc::clone(&self.store),
            keys: Arc::clone(&self.keys),
            signing: Arc::clone(&self.signing),
            clients: Arc::clone(&self.clients),
            clock: Arc::clone(&self.clock),
        };
        let reading = tokio::spawn(async move { reader.read_on(&mut known).await });
        let ended =
            |error| StoreError::Unavailable(format!("reading what other nodes have changed has ended: {error}"));
        reading.await.unwrap_or_else(|error| Err(ended(error)))
    }
}

/// What a reading is made of, which goes on without whoever asked for it.
struct Reader {
    store: Arc<dyn Store>,
    keys: Arc<Keys>,
    signing: Arc<SigningKeys>,
    clients: Arc<Clients>,
    clock: Arc<dyn Clock>,
}

impl Reader {
    async fn read_on(&self, known: &mut Known) -> Result<Followed, StoreError> {
        let Some(shared) = self.store.shared() else { return Ok(Followed::default()) };
        let begun_at = self.clock.monotonic();
        let followed = self.read_changes(shared, &mut known.changes).await;
        if followed.is_ok() {
            self.keys.renew_freshness(begun_at);
        }
        known.last = Some((begun_at, followed.clone().map(drop)));
        followed
    }

    async fn read_changes(
        &self,
        shared: &dyn SharedStore,
        known: &mut Option<Changes>,
    ) -> Result<Followed, StoreError> {
        let changes = shared.changes().await?;
        let same_server = known.filter(|known| known.server == changes.server);
        let keys = same_server.is_none_or(|known| known.keys != changes.keys);
        let clients = same_server.is_none_or(|known| known.clients != changes.clients);
        if keys {
            // An emergency replaces all of them in one transaction. Whoever reads its signing keys reads its master key too,
            // as that is read later; and the master key is in force here before they are.
            let signing = self.store.signing_keys().await?;
            self.keys.learn(self.store.announced_keys().await?);
            self.signing.follow(&signing, &self.keys.ring());
        }
        if clients {
            self.clients.doubt();
        }
        *known = Some(changes);
        Ok(Followed { clients, keys, waits_for_standby: changes.waits_for_standby })
    }
}
