use std::sync::{Arc, PoisonError, RwLock};

use regrant_crypto::{
    Algorithm, Entropy, Jwk, JwkError, KeyRing, SealError, SealingKey, SigningKey, SigningKeyError, Typ, VerifyingKey,
    verify,
};
use regrant_protocol::{Kid, Timestamp};
use regrant_store::{SealedSigningKey, Store, StoreError};

/// The label under which signing keys are sealed in the store.
const SEAL_LABEL: &str = "signing-key";

/// The keys that sign access tokens, oldest first. They lie sealed in the store and open in memory.
pub(crate) struct SigningKeys(RwLock<Arc<Set>>);

#[derive(Default)]
struct Set {
    signing: Vec<Arc<SigningKey>>,
    verifying: Vec<VerifyingKey>,
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
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SigningKeys {
    /// Opens the keys that the store has.
    pub(crate) async fn open(store: &dyn Store, ring: &KeyRing) -> Result<Self, SigningKeysError> {
        let mut set = Set::default();
        for sealed in store.signing_keys().await? {
            set.add(unseal(&sealed, ring)?)?;
        }
        Ok(Self(RwLock::new(Arc::new(set))))
    }

    /// The newest key of an algorithm; `None` while it is still being made.
    pub(crate) fn newest(&self, algorithm: Algorithm) -> Option<Arc<SigningKey>> {
        self.set().signing.iter().rev().find(|key| key.algorithm() == algorithm).cloned()
    }

    /// The public keys.
    pub(crate) fn jwks(&self) -> Vec<Jwk> {
        self.set().signing.iter().map(|key| key.public_jwk().clone()).collect()
    }

    /// The claims of a token that one of the keys signed as a `typ`.
    pub(crate) fn verify(&self, token: &str, typ: Typ) -> Option<Vec<u8>> {
        verify(token, &self.set().verifying, typ).ok()
    }

    /// Keeps a new key: first in the store, then here, so that no token is signed by a key that a crash would lose.
    pub(crate) async fn keep(
        &self,
        key: SigningKey,
        store: &dyn Store,
        ring: &KeyRing,
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> Result<(), SigningKeysError> {
        let (kid, master) = ring.newest();
        let sealed = SealingKey::new(master, SEAL_LABEL).seal(&key.to_pkcs8(), key.key_id().as_bytes(), entropy);
        let sealed = SealedSigningKey {
            key_id: key.key_id().to_owned(),
            algorithm: key.algorithm().as_str().to_owned(),
            sealed_under: kid,
            sealed,
            created_at: now,
        };
        store.add_signing_key(sealed).await?;
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut set = Set { signing: current.signing.clone(), verifying: current.verifying.clone() };
        set.add(key)?;
        *current = Arc::new(set);
        Ok(())
    }

    fn set(&self) -> Arc<Set> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Set {
    fn add(&mut self, key: SigningKey) -> Result<(), SigningKeysError> {
        let verifying = VerifyingKey::new(key.public_jwk());
        self.verifying.push(verifying.map_err(|error| SigningKeysError::PublicHalf(key.key_id().to_owned(), error))?);
        self.signing.push(Arc::new(key));
        Ok(())
    }
}

fn unseal(sealed: &SealedSigningKey, ring: &KeyRing) -> Result<SigningKey, SigningKeysError> {
    let key_id = || sealed.key_id.clone();
    let master = ring
        .get(sealed.sealed_under)
        .ok_or_else(|| SigningKeysError::MasterKeyMissing { key_id: key_id(), kid: sealed.sealed_under })?;
    let algorithm: Algorithm =
        sealed.algorithm.parse().map_err(|_| SigningKeysError::Algorithm(key_id(), sealed.algorithm.clone()))?;
    let pkcs8 = SealingKey::new(master, SEAL_LABEL)
        .open(&sealed.sealed, sealed.key_id.as_bytes())
        .map_err(|error| SigningKeysError::Sealed(key_id(), error))?;
    SigningKey::from_pkcs8(algorithm, &pkcs8).map_err(|error| SigningKeysError::Damaged(key_id(), error))
}
