use std::sync::{Arc, OnceLock};
use std::time::Instant;

use regrant_crypto::{Algorithm, Entropy, KeyRing, Pepper, random};
use regrant_protocol::{Clock, Issuer, Kid};
use regrant_store::{AnnouncedKey, ChangeError, NodeId, Store, StoreError};
use tracing::warn;

use crate::admission::Admission;
use crate::clients::Clients;
use crate::describe::Description;
use crate::failures::Failures;
use crate::follow::Known;
use crate::freshness::Freshness;
use crate::hashing::HashingPool;
use crate::imported::Imports;
use crate::key_rotation::Unfinished;
use crate::keys::Keys;
use crate::master_key_rotation::announce;
use crate::overloaded::TurnedAway;
use crate::revoked_tokens::RevokedTokens;
use crate::signing::{SigningKeys, SigningKeysError, reseal};
use crate::slow_signatures::SlowSignatures;
use crate::take_over::TakeOvers;
use crate::turns::Turns;
use crate::{Hooks, KeyRotationError, RecentRefusals};

/// What an authorization server is built from.
pub struct Parts {
    /// The identifier that tokens and metadata carry. It may change while tokens live.
    pub issuer: Issuer,
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// The master keys of that store.
    pub ring: KeyRing,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from.
    pub entropy: Arc<dyn Entropy>,
    /// How long a login session lives, in seconds; [`SESSION_SECONDS`](crate::SESSION_SECONDS) unless the operator says otherwise.
    pub session_seconds: u32,
    /// What the program around adds.
    pub hooks: Hooks,
}

/// An authorization server: one method per endpoint. It is shared, and everything in it may be called at once.
pub struct AuthorizationServer {
    pub(crate) issuer: Issuer,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) session_seconds: u32,
    pub(crate) hooks: Hooks,
    pub(crate) recent_refusals: RecentRefusals,
    pub(crate) revoked_tokens: RevokedTokens,
    pub(crate) signing: Arc<SigningKeys>,
    pub(crate) rotation: tokio::sync::Mutex<Unfinished>,
    pub(crate) known: Arc<tokio::sync::Mutex<Known>>,
    /// Made when it is asked for.
    pub(crate) node: OnceLock<NodeId>,
    pub(crate) clients: Arc<Clients>,
    pub(crate) failures: Arc<Failures>,
    pub(crate) imports: Arc<Imports>,
    pub(crate) take_overs: Arc<TakeOvers>,
    /// Of password grants.
    pub(crate) turns: Turns,
    pub(crate) turned_away: Arc<TurnedAway>,
    pub(crate) hashing: HashingPool,
    pub(crate) slow_signatures: SlowSignatures,
    pub(crate) admission: Admission,
    /// Held by who reads a client or user to write it changed.
    pub(crate) administering: tokio::sync::Mutex<()>,
    /// Under it, and in this process only, accepted secrets are recognised.
    pub(crate) process_pepper: Pepper,
    /// The description as it was last read, and when.
    pub(crate) description: tokio::sync::Mutex<Option<(Instant, Arc<Description>)>>,
}

/// Why an authorization server cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The store knows a master key that the key file lacks.
    #[error(
        "the store was told of master key {0}, which the key file does not have; copy the key file of another node of this \
         store, or restore it"
    )]
    KeyMissing(Kid),
    /// The key file is that of another store.
    #[error(
        "master key {0} in the key file is not the one that this store was made with; use the key file of this store"
    )]
    KeyOfAnotherStore(Kid),
    /// A signing key is not to be had.
    #[error(transparent)]
    SigningKeys(#[from] SigningKeysError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AuthorizationServer {
    /// Builds a server: checks that key ring and store belong together, opens the signing keys, and makes those for ES256
    /// and EdDSA where there are none. The RS256 key takes longer: see [`AuthorizationServer::make_rs256_key`].
    ///
    /// # Errors
    /// [`OpenError`], each with what to do.
    pub async fn open(parts: Parts) -> Result<Self, OpenError> {
        let Parts { issuer, store, ring, clock, entropy, session_seconds, hooks } = parts;
        // What is read after this is as new as this.
        let read_at = clock.monotonic();
        let (changes, freshness) = match store.shared() {
            Some(shared) => (Some(shared.changes().await?), Some(Freshness::new(Arc::clone(&clock), read_at))),
            None => (None, None),
        };
        let known = Arc::new(tokio::sync::Mutex::new(Known::new(changes)));
        let (ring, announced) = introduce(&*store, ring).await?;
        let keys = Arc::new(Keys::new(ring.clone(), announced, store.identity().clone(), freshness));
        // A rotation of the master key may have been broken off.
        reseal(&*store, keys.newest_kid(), &ring, &*entropy).await?;
        let signing = Arc::new(SigningKeys::open(&*store, &ring).await?);
        let unfinished_emergency = ring.is_retiring().then_some(ring);
        let process_pepper = Pepper::from_bytes(random(&*entropy));
        let turned_away = Arc::<TurnedAway>::default();
        let server = Self {
            issuer,
            store,
            keys,
            clock,
            entropy,
            session_seconds,
            hooks,
            recent_refusals: RecentRefusals::default(),
            revoked_tokens: RevokedTokens::new(),
            signing,
            rotation: tokio::sync::Mutex::default(),
            known,
            node: OnceLock::new(),
            clients: Arc::new(Clients::new()),
            failures: Arc::new(Failures::new()),
            imports: Arc::default(),
            take_overs: Arc::new(TakeOvers::new()),
            turns: Turns::new(),
            hashing: HashingPool::new(Arc::clone(&turned_away)),
            turned_away,
            slow_signatures: SlowSignatures::new(),
            admission: Admission::new(),
            administering: tokio::sync::Mutex::new(()),
            process_pepper,
            description: tokio::sync::Mutex::new(None),
        };
        if let Some(ring) = unfinished_emergency {
            let finished = server.retire_older_keys(&ring).await;
            finished.map_err(OpenError::of_emergency)?;
            warn!(
                "an emergency of the master key that was broken off is finished: whatever was made before it is dead"
            );
        }
        for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
            server.first_signing_key(algorithm).await?;
        }
        Ok(server)
    }

    /// Makes the RS256 key where there is none, on a thread of its own, and returns when it is kept. Clients with RS256
    /// access tokens are answered 503 until then.
    ///
    /// # Errors
    /// [`OpenError`] when the key cannot be kept.
    pub async fn make_rs256_key(&self) -> Result<(), OpenError> {
        Ok(self.first_signing_key(Algorithm::Rs256).await?)
    }

    /// The store of this server.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The clock of this server.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The issuer of this server.
    #[must_use]
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// How many Argon2id calls were made: the same number for an unknown client and for a wrong secret.
    #[must_use]
    pub fn hash_calls(&self) -> u64 {
        self.hashing.calls()
    }
}

impl OpenError {
    /// Why an emergency that was broken off is not finished.
    fn of_emergency(error: KeyRotationError) -> Self {
        match error {
            KeyRotationError::KidTaken(kid) => Self::KeyOfAnotherStore(kid),
            KeyRotationError::SigningKeys(error) => Self::SigningKeys(error),
            KeyRotationError::Store(error) => Self::Store(error),
            // Of rotations that are asked for.
            other @ (KeyRotationError::NoKidLeft(_)
            | KeyRotationError::KidsForEmergencies
            | KeyRotationError::KeyFile(_)
            | KeyRotationError::KeyMissing(_)
            | KeyRotationError::NodeNotReady { .. }
            | KeyRotationError::TooManyKeys(_)
            | KeyRotationError::UnknownKey(_)
            | KeyRotationError::KeySigns(_)) => Self::Store(StoreError::Unavailable(other.to_string())),
        }
    }
}

/// Compares the key ring with what the store was told, and returns what counts of the ring, and what the store knows of it: a
/// crash may have left keys in the key file that the store has retired. A new store is told of all of them; to another one a key
/// that is newer than all that it knows is one that is prepared.
async fn introduce(store: &dyn Store, mut ring: KeyRing) -> Result<(KeyRing, Vec<AnnouncedKey>), OpenError> {
    let known = store.announced_keys().await?;
    if known.is_empty() {
        for (kid, _) in ring.iter() {
            announce(store, &ring, kid).await.map_err(|error| match error {
                ChangeError::Store(error) => OpenError::Store(error),
                ChangeError::Taken(_) | ChangeError::Unknown(_) | ChangeError::Outdated(_) => {
                    OpenError::KeyOfAnotherStore(kid)
                }
                other => OpenError::Store(StoreError::Unavailable(other.to_string())),
            })?;
        }
        return Ok((ring, store.announced_keys().await?));
    }
    for key in &known {
        match ring.check_value(key.kid) {
            None => return Err(OpenError::KeyMissing(key.kid)),
            Some(check_value) if check_value != key.check_value => return Err(OpenError::KeyOfAnotherStore(key.kid)),
            Some(_) => {}
        }
    }
    if known.first().is_some_and(|oldest| ring.retire_below(oldest.kid)) {
        warn!("the key file has master keys that were retired; they are not used, and go with the next rotation");
    }
    Ok((ring, known))
}
