use std::sync::Arc;

use regrant_crypto::{Algorithm, KeyRing, NoKidLeft, SigningKey};
use regrant_protocol::Kid;
use regrant_store::{AnnouncedKey, ChangeError, Store, StoreError};
use tokio::sync::MutexGuard;

use crate::key_view::{SigningKeyState, SigningKeyView};
use crate::signing::{SigningKeysError, reseal, seal_new};
use crate::{AuthorizationServer, KeyFile, KeyFileNotWritten};

/// How long a new signing key is in the key set before it signs. An API may keep the key set for five minutes, and those
/// that keep it longer than they may have the rest.
pub const SIGNING_KEY_WAIT_SECONDS: u32 = 3600;
/// The most keys of one algorithm in the key set.
pub const PUBLISHED_KEYS_MAX: usize = 16;

/// Why keys were not rotated. Nothing has to be undone: asked again, or started again, the server goes on from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRotationError {
    /// There is no number for another master key.
    #[error(transparent)]
    NoKidLeft(#[from] NoKidLeft),
    /// The key file was not written.
    #[error(transparent)]
    KeyFile(#[from] KeyFileNotWritten),
    /// Another process has announced a master key of this number.
    #[error(
        "master key {0} was announced by another process; stop it, and restore the key file that belongs to this store"
    )]
    KidTaken(Kid),
    /// The key set is full.
    #[error(
        "the key set has {PUBLISHED_KEYS_MAX} keys for {0}, the most that it may; withdraw one whose tokens have all ended"
    )]
    TooManyKeys(Algorithm),
    /// There is no such key.
    #[error("there is no signing key {0:?}")]
    UnknownKey(String),
    /// The key signs now.
    #[error("signing key {0} signs now; rotate it, and withdraw it when the new one signs")]
    KeySigns(String),
    /// A signing key is not to be had.
    #[error(transparent)]
    SigningKeys(#[from] SigningKeysError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is written or announced of a rotation of the master key, and not in force yet. Whoever holds it rotates alone.
pub(crate) type Unfinished = Option<Arc<KeyRing>>;

impl AuthorizationServer {
    /// Makes a new signing key and returns it. It is in the key set at once, and signs [`SIGNING_KEY_WAIT_SECONDS`] later;
    /// the one that signs now stays in the key set until it is withdrawn.
    ///
    /// In an `emergency` it signs at once, and every older key of the algorithm is withdrawn: whatever they signed is refused
    /// from now on.
    ///
    /// # Errors
    /// [`KeyRotationError`]; an emergency that fails has to be asked for again.
    pub async fn rotate_signing_key(
        &self,
        algorithm: Algorithm,
        emergency: bool,
    ) -> Result<SigningKeyView, KeyRotationError> {
        let alone = self.rotation.lock().await;
        self.new_signing_key(&alone, algorithm, emergency).await
    }

    /// Withdraws a signing key: it leaves the key set, and whatever it signed is refused. Withdrawing it twice is no error.
    ///
    /// # Errors
    /// [`KeyRotationError::KeySigns`] for the key that signs now: [`AuthorizationServer::rotate_signing_key`] in an emergency
    /// withdraws that one.
    pub async fn withdraw_signing_key(&self, key_id: &str) -> Result<(), KeyRotationError> {
        let _alone = self.rotation.lock().await;
        let found = self.signing_key_views().await?.into_iter().find(|key| key.key_id == key_id);
        match found.map(|key| key.state) {
            None => Err(KeyRotationError::UnknownKey(key_id.to_owned())),
            Some(SigningKeyState::Signing) => Err(KeyRotationError::KeySigns(key_id.to_owned())),
            Some(SigningKeyState::Withdrawn) => Ok(()),
            Some(SigningKeyState::Waiting | SigningKeyState::Verifying) => {
                Ok(self.signing.withdraw(key_id, self.clock.now(), &self.store).await?)
            }
        }
    }

    /// Makes a new master key and returns its number: first in the key file, then in the store, then in force, so that a
    /// crash leaves what can be started again. What was made under the older ones is good as before, and its successor is
    /// made under the new one; the signing keys are sealed under the new one.
    ///
    /// In an `emergency` the signing keys are replaced as [`AuthorizationServer::rotate_signing_key`] does in one, and the
    /// older master keys are retired: every refresh token, code, opaque access token and page made under them is dead.
    /// Client secrets, passwords and login sessions stay good.
    ///
    /// # Errors
    /// [`KeyRotationError`]; an emergency that fails has to be asked for again.
    pub async fn rotate_master_key(&self, key_file: &dyn KeyFile, emergency: bool) -> Result<Kid, KeyRotationError> {
        let mut alone = self.rotation.lock().await;
        let kid = self.new_master_key(&mut alone, key_file).await?;
        reseal(&*self.store, &self.keys.ring(), &*self.entropy).await?;
        if emergency {
            for algorithm in Algorithm::ALL.into_iter().filter(|&algorithm| self.signing_key(algorithm).is_some()) {
                self.new_signing_key(&alone, algorithm, true).await?;
            }
            self.retire_master_keys_below(kid, key_file).await?;
        }
        Ok(kid)
    }

    /// Makes the key of an algorithm for which there is none; it signs at once.
    pub(crate) async fn first_signing_key(&self, algorithm: Algorithm) -> Result<(), SigningKeysError> {
        let alone = self.rotation.lock().await;
        if self.signing_key(algorithm).is_none() {
            self.keep_signing_key(&alone, algorithm, 0).await?;
        }
        Ok(())
    }

    async fn new_signing_key(
        &self,
        alone: &MutexGuard<'_, Unfinished>,
        algorithm: Algorithm,
        emergency: bool,
    ) -> Result<SigningKeyView, KeyRotationError> {
        let older = self.signing_key_views().await?.into_iter();
        let older: Vec<_> =
            older.filter(|key| key.algorithm == algorithm && key.state != SigningKeyState::Withdrawn).collect();
        if !emergency {
            if older.len() >= PUBLISHED_KEYS_MAX {
                return Err(KeyRotationError::TooManyKeys(algorithm));
            }
            return Ok(self.keep_signing_key(alone, algorithm, SIGNING_KEY_WAIT_SECONDS).await?);
        }
        let new = self.keep_signing_key(alone, algorithm, 0).await?;
        for old in older {
            self.signing.withdraw(&old.key_id, new.created_at, &self.store).await?;
        }
        Ok(new)
    }

    async fn keep_signing_key(
        &self,
        _alone: &MutexGuard<'_, Unfinished>,
        algorithm: Algorithm,
        wait_seconds: u32,
    ) -> Result<SigningKeyView, SigningKeysError> {
        let key = generate(algorithm).await?;
        let key_id = key.key_id().to_owned();
        let created_at = self.clock.now();
        let signs_from = created_at.plus_seconds(i64::from(wait_seconds));
        let sealed = seal_new(&key, created_at, signs_from, &self.keys.ring(), &*self.entropy);
        self.signing.keep(key, signs_from, &self.store, sealed).await?;
        let state = if wait_seconds == 0 { SigningKeyState::Signing } else { SigningKeyState::Waiting };
        Ok(SigningKeyView { key_id, algorithm, created_at, signs_from, withdrawn_at: None, state })
    }

    /// A rotation that was broken off after the key file may have been written is finished with the key that it made: a
    /// second key of the same number would not be the one that the store was told of.
    async fn new_master_key(
        &self,
        unfinished: &mut Unfinished,
        key_file: &dyn KeyFile,
    ) -> Result<Kid, KeyRotationError> {
        let ring = match unfinished {
            Some(ring) => Arc::clone(ring),
            None => {
                let mut ring = KeyRing::clone(&self.keys.ring());
                ring.add(&*self.entropy)?;
                Arc::clone(unfinished.insert(Arc::new(ring)))
            }
        };
        key_file.replace(&ring)?;
        let kid = ring.newest().0;
        announce(&*self.store, &ring, kid).await.map_err(|error| of_master_key(error, kid))?;
        self.keys.load(ring);
        *unfinished = None;
        Ok(kid)
    }

    /// The store first: once it has forgotten them, a start with a key file that still has them does without.
    async fn retire_master_keys_below(&self, oldest: Kid, key_file: &dyn KeyFile) -> Result<(), KeyRotationError> {
        self.store.retire_keys_below(oldest).await.map_err(|error| of_master_key(error, oldest))?;
        let mut ring = KeyRing::clone(&self.keys.ring());
        ring.retire_below(oldest);
        let ring = Arc::new(ring);
        self.keys.load(Arc::clone(&ring));
        Ok(key_file.replace(&ring)?)
    }
}

/// Tells the store of a key of the ring.
pub(crate) async fn announce(store: &dyn Store, ring: &KeyRing, kid: Kid) -> Result<(), ChangeError> {
    let check_value = ring.check_value(kid).expect("the ring has the key that is announced");
    store.announce_key(AnnouncedKey { kid, check_value }).await
}

fn of_master_key(error: ChangeError, kid: Kid) -> KeyRotationError {
    match error {
        ChangeError::Store(error) => KeyRotationError::Store(error),
        ChangeError::Taken(_) | ChangeError::Unknown(_) => KeyRotationError::KidTaken(kid),
        other => KeyRotationError::Store(StoreError::Unavailable(other.to_string())),
    }
}

/// RS256 takes some tenths of a second, which nobody else is to wait for.
async fn generate(algorithm: Algorithm) -> Result<SigningKey, StoreError> {
    let made = tokio::task::spawn_blocking(move || SigningKey::generate(algorithm)).await;
    made.map_err(|error| StoreError::Unavailable(format!("making the {algorithm} key failed: {error}")))
}
