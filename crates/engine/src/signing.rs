use std::sync::{Arc, PoisonError, RwLock};

use regrant_crypto::{
    Algorithm, Entropy, Jwk, JwkError, JwsError, KeyRing, SealError, SealingKey, SigningKey, SigningKeyError, Typ,
    VerifyingKey, verify,
};
use regrant_protocol::{Kid, Timestamp};
use regrant_store::{ChangeError, SealedSigningKey, SigningKeyChange, Store, StoreError};
use tracing::warn;

use crate::AuthorizationServer;

/// The label under which signing keys are sealed in the store.
const SEAL_LABEL: &str = "signing-key";

/// The keys that sign access tokens and ID tokens and were not withdrawn. They lie sealed in the store and open in memory.
#[derive(Default)]
pub(crate) struct SigningKeys(RwLock<Arc<Set>>);

/// Oldest first.
#[derive(Clone, Default)]
struct Set {
    signing: Vec<Timed>,
    verifying: Vec<VerifyingKey>,
    /// How many others there are, which do not open here: the master key that they are sealed under is on its way.
    closed: usize,
}

#[derive(Clone)]
struct Timed {
    key: Arc<SigningKey>,
    signs_from: Timestamp,
}

/// Why a signing key is not to be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SigningKeysError {
    /// It was sealed under a master key that the key file does not have.
    #[error("signing key {key_id} is sealed under master key {}, which the key file does not have; restore the newest copy of the key file", kid.0)]
    MasterKeyMissing {
        /// The signing key.
        key_id: String,
        /// The master key.
        kid: Kid,
    },
    /// It does not open.
    #[error("signing key {0} does not open: {1}; use the key file of this store, or restore a backup of both")]
    Sealed(String, SealError),
    /// It opens, and is not a key.
    #[error("signing key {0} is damaged: {1}; restore a backup of the database")]
    Damaged(String, SigningKeyError),
    /// It is for an algorithm that this version does not know.
    #[error("signing key {0} is for the unknown algorithm {1:?}; use the newer program that made it")]
    Algorithm(String, String),
    /// Its public half is damaged.
    #[error("signing key {0} has a damaged public half: {1}; restore a backup of the database")]
    PublicHalf(String, JwkError),
    /// It is in the store no longer.
    #[error(
        "signing key {0} is not in the store, or was withdrawn there; restart the server, which reads the store anew"
    )]
    Gone(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which of some keys of one algorithm signs at `now`: the one whose time came last. When none has come, because a clock
/// went back, it is the one whose time comes first.
pub(crate) fn signer<K: Copy>(
    keys: impl Iterator<Item = K> + Clone,
    signs_from: impl Fn(K) -> Timestamp,
    now: Timestamp,
) -> Option<K> {
    let come = keys.clone().filter(|&key| signs_from(key) <= now).max_by_key(|&key| signs_from(key));
    come.or_else(|| keys.min_by_key(|&key| signs_from(key)))
}

impl AuthorizationServer {
    /// The key that signs with an algorithm now; `None` while it is still being made.
    pub(crate) fn signing_key(&self, algorithm: Algorithm) -> Option<Arc<SigningKey>> {
        self.signing.signer(algorithm, self.clock.now())
    }
}

impl SigningKeys {
    /// Opens the keys that the store has, but for those that were withdrawn.
    pub(crate) async fn open(store: &dyn Store, ring: &KeyRing) -> Result<Self, SigningKeysError> {
        let mut set = Set::default();
        for sealed in store.signing_keys().await?.iter().filter(|sealed| sealed.withdrawn_at.is_none()) {
            set.add(unseal(sealed, ring)?, sealed.signs_from)?;
        }
        Ok(Self(RwLock::new(Arc::new(set))))
    }

    /// The keys that were just made, and from when on each signs.
    pub(crate) fn of(keys: impl IntoIterator<Item = (SigningKey, Timestamp)>) -> Result<Self, SigningKeysError> {
        let mut set = Set::default();
        for (key, signs_from) in keys {
            set.add(key, signs_from)?;
        }
        Ok(Self(RwLock::new(Arc::new(set))))
    }

    /// Puts other keys in force, all at once.
    pub(crate) fn load(&self, keys: &Self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = keys.set();
    }

    /// Puts the keys in force that the store has now, all at once. What is open stays open, however it is sealed by now; what
    /// does not open is counted, and logged.
    pub(crate) fn follow(&self, stored: &[SealedSigningKey], ring: &KeyRing) {
        let known = self.set();
        let mut set = Set::default();
        for sealed in stored.iter().filter(|sealed| sealed.withdrawn_at.is_none()) {
            let is_open = set.keep(&known, sealed) || {
                let opened = unseal(sealed, ring).and_then(|key| set.add(key, sealed.signs_from));
                opened.inspect_err(|error| warn!(%error, "a signing key of another node is not open here")).is_ok()
            };
            set.closed += usize::from(!is_open);
        }
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(set);
    }

    /// Whether every key that counts is open here.
    pub(crate) fn is_whole(&self) -> bool {
        self.set().closed == 0
    }

    /// The key that signs with an algorithm at `now`.
    pub(crate) fn signer(&self, algorithm: Algorithm, now: Timestamp) -> Option<Arc<SigningKey>> {
        let set = self.set();
        let keys = set.signing.iter().filter(|timed| timed.key.algorithm() == algorithm);
        signer(keys, |timed| timed.signs_from, now).map(|timed| Arc::clone(&timed.key))
    }

    /// The public keys.
    pub(crate) fn jwks(&self) -> Vec<Jwk> {
        self.set().signing.iter().map(|timed| timed.key.public_jwk().clone()).collect()
    }

    /// The claims of a token that one of the keys signed as a `typ`.
    pub(crate) fn verify(&self, token: &str, typ: Typ) -> Result<Vec<u8>, JwsError> {
        verify(token, &self.set().verifying, typ)
    }

    /// Whether there is an open key of this name.
    pub(crate) fn has(&self, key_id: &str) -> bool {
        self.set().verifying.iter().any(|key| key.key_id() == key_id)
    }

    /// Opens a key that was just kept in the store.
    pub(crate) fn add(&self, key: SigningKey, signs_from: Timestamp) -> Result<(), SigningKeysError> {
        self.change(|set| set.add(key, signs_from))
    }

    /// Closes a key that was just withdrawn in the store.
    pub(crate) fn remove(&self, key_id: &str) {
        let removed = self.change(|set| {
            set.remove(key_id);
            Ok(())
        });
        removed.expect("what is removed cannot be damaged");
    }

    fn set(&self) -> Arc<Set> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, change: impl FnOnce(&mut Set) -> Result<(), SigningKeysError>) -> Result<(), SigningKeysError> {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut set = Set::clone(&current);
        change(&mut set)?;
        *current = Arc::new(set);
        Ok(())
    }
}

impl Set {
    fn add(&mut self, key: SigningKey, signs_from: Timestamp) -> Result<(), SigningKeysError> {
        let verifying = VerifyingKey::new(key.public_jwk());
        self.verifying.push(verifying.map_err(|error| SigningKeysError::PublicHalf(key.key_id().to_owned(), error))?);
        self.signing.push(Timed { key: Arc::new(key), signs_from });
        Ok(())
    }

    /// Keeps a key that is open in `known`, and returns whether it is.
    fn keep(&mut self, known: &Self, sealed: &SealedSigningKey) -> bool {
        let signing = known.signing.iter().find(|timed| timed.key.key_id() == sealed.key_id);
        let verifying = known.verifying.iter().find(|key| key.key_id() == sealed.key_id);
        let (Some(signing), Some(verifying)) = (signing, verifying) else { return false };
        self.signing.push(signing.clone());
        self.verifying.push(verifying.clone());
        true
    }

    fn remove(&mut self, key_id: &str) {
        self.signing.retain(|timed| timed.key.key_id() != key_id);
        self.verifying.retain(|key| key.key_id() != key_id);
    }
}

/// A new key as the store keeps it, sealed under a master key of the ring.
pub(crate) fn seal_new(
    key: &SigningKey,
    (created_at, signs_from): (Timestamp, Timestamp),
    (sealed_under, ring): (Kid, &KeyRing),
    entropy: &dyn Entropy,
) -> SealedSigningKey {
    SealedSigningKey {
        key_id: key.key_id().to_owned(),
        algorithm: key.algorithm().as_str().to_owned(),
        sealed_under,
        sealed: seal(key, sealed_under, ring, entropy),
        created_at,
        signs_from,
        withdrawn_at: None,
    }
}

/// Seals the keys that lie under an older master key than `newest` under that, one by one: a crash leaves each of them sealed
/// under one of the two.
pub(crate) async fn reseal(
    store: &dyn Store,
    newest: Kid,
    ring: &KeyRing,
    entropy: &dyn Entropy,
) -> Result<(), SigningKeysError> {
    let is_due = |key: &&SealedSigningKey| key.withdrawn_at.is_none() && key.sealed_under < newest;
    for old in store.signing_keys().await?.iter().filter(is_due) {
        let sealed = seal(&unseal(old, ring)?, newest, ring, entropy);
        match change(store, &old.key_id, SigningKeyChange::Reseal { sealed_under: newest, sealed }).await {
            // Withdrawn meanwhile, it needs no seal.
            Ok(()) | Err(SigningKeysError::Gone(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The algorithm of a key in the store.
pub(crate) fn algorithm_of(sealed: &SealedSigningKey) -> Result<Algorithm, SigningKeysError> {
    let unknown = |_| SigningKeysError::Algorithm(sealed.key_id.clone(), sealed.algorithm.clone());
    sealed.algorithm.parse().map_err(unknown)
}

/// A new key for every algorithm for which the store has one, be it withdrawn: an emergency that came into the journal, and not into
/// the store, leaves it without any.
pub(crate) async fn generate_successors(store: &dyn Store) -> Result<Vec<SigningKey>, StoreError> {
    let older = store.signing_keys().await?;
    let mut new = Vec::new();
    for algorithm in Algorithm::ALL {
        if older.iter().any(|key| key.algorithm == algorithm.as_str()) {
            new.push(generate(algorithm).await?);
        }
    }
    Ok(new)
}

/// RS256 takes some tenths of a second, which nobody else is to wait for.
pub(crate) async fn generate(algorithm: Algorithm) -> Result<SigningKey, StoreError> {
    let made = tokio::task::spawn_blocking(move || SigningKey::generate(algorithm)).await;
    made.map_err(|error| StoreError::Unavailable(format!("making the {algorithm} key failed: {error}")))
}

/// Changes a key in the store.
pub(crate) async fn change(store: &dyn Store, key_id: &str, change: SigningKeyChange) -> Result<(), SigningKeysError> {
    store.change_signing_key(key_id, change).await.map_err(|error| match error {
        ChangeError::Store(error) => SigningKeysError::Store(error),
        ChangeError::Taken(_) | ChangeError::Unknown(_) | ChangeError::Outdated(_) => {
            SigningKeysError::Gone(key_id.to_owned())
        }
        other => SigningKeysError::Store(StoreError::Unavailable(other.to_string())),
    })
}

/// Runs `work` whether its caller waits for it or not.
pub(crate) async fn to_its_end<E: From<StoreError> + Send + 'static>(
    work: impl Future<Output = Result<(), E>> + Send + 'static,
) -> Result<(), E> {
    let done = tokio::spawn(work).await;
    done.unwrap_or_else(|error| Err(StoreError::Unavailable(format!("changing keys failed: {error}")).into()))
}

fn seal(key: &SigningKey, under: Kid, ring: &KeyRing, entropy: &dyn Entropy) -> Vec<u8> {
    let master = ring.get(under).expect("the ring has the key under which is sealed");
    SealingKey::new(master, SEAL_LABEL).seal(&key.to_pkcs8(), key.key_id().as_bytes(), entropy)
}

fn unseal(sealed: &SealedSigningKey, ring: &KeyRing) -> Result<SigningKey, SigningKeysError> {
    let key_id = || sealed.key_id.clone();
    let master = ring
        .get(sealed.sealed_under)
        .ok_or_else(|| SigningKeysError::MasterKeyMissing { key_id: key_id(), kid: sealed.sealed_under })?;
    let algorithm = algorithm_of(sealed)?;
    let pkcs8 = SealingKey::new(master, SEAL_LABEL)
        .open(&sealed.sealed, sealed.key_id.as_bytes())
        .map_err(|error| SigningKeysError::Sealed(key_id(), error))?;
    SigningKey::from_pkcs8(algorithm, &pkcs8).map_err(|error| SigningKeysError::Damaged(key_id(), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_whose_time_came_last_signs() {
        let cases: [(&[i64], i64, Option<usize>, &str); 9] = [
            (&[], 100, None, "there is none"),
            (&[10], 100, Some(0), "the only one"),
            (&[10, 50], 49, Some(0), "the new one waits"),
            (&[10, 50], 50, Some(1), "its time has come"),
            (&[10, 50, 20], 100, Some(1), "one that was made later and signs earlier"),
            (&[10, 50, 60], 55, Some(1), "another waits behind it"),
            (&[10, 50, 50], 50, Some(2), "of two at the same time the newer"),
            (&[20, 10], 5, Some(1), "a clock that went back behind all of them"),
            (&[10, 10], 5, Some(0), "behind two at the same time: the one that signed before"),
        ];
        for (times, now, expected, why) in cases {
            let keys = times.iter().enumerate();
            let signs = signer(keys, |(_, &second)| Timestamp::from_seconds(second), Timestamp::from_seconds(now));
            assert_eq!(signs.map(|(index, _)| index), expected, "{why}");
        }
    }
}
