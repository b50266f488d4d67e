use std::sync::Arc;

use regrant_crypto::{Algorithm, KeyRing, SigningKey};
use regrant_store::{SealedSigningKey, SigningKeyChange, StoreError};
use tokio::sync::MutexGuard;

use crate::key_view::{SigningKeyState, SigningKeyView};
use crate::signing::{SigningKeysError, change, generate, seal_new, to_its_end};
use crate::{AuthorizationServer, KeyRotationError};

/// How long a new signing key is in the key set before it signs. An API may keep the key set for five minutes, and those
/// that keep it longer than they may have the rest.
pub const SIGNING_KEY_WAIT_SECONDS: u32 = 3600;
/// The most keys of one algorithm in the key set.
pub const PUBLISHED_KEYS_MAX: usize = 16;

/// What is written or announced of a rotation of the master key, and not in force yet. Whoever holds it rotates alone.
pub(crate) type Unfinished = Option<Arc<KeyRing>>;

impl AuthorizationServer {
    /// Makes a new signing key and returns it. It is in the key set at once, of other nodes within a second, and signs
    /// [`SIGNING_KEY_WAIT_SECONDS`] later; the one that signs now stays in the key set until it is withdrawn.
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
        let mut alone = self.rotation.lock().await;
        self.catch_up().await?;
        self.forget_what_lost(&mut alone);
        let older = self.signing_key_views().await?.into_iter();
        let older: Vec<_> =
            older.filter(|key| key.algorithm == algorithm && key.state != SigningKeyState::Withdrawn).collect();
        if !emergency {
            if older.len() >= PUBLISHED_KEYS_MAX {
                return Err(KeyRotationError::TooManyKeys(algorithm));
            }
            return Ok(self.keep_signing_key(&alone, algorithm, SIGNING_KEY_WAIT_SECONDS).await?);
        }
        let new = self.keep_signing_key(&alone, algorithm, 0).await?;
        for old in older {
            self.withdraw_everywhere(&old.key_id, SigningKeyChange::Withdraw(new.created_at)).await?;
        }
        Ok(new)
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
                Ok(self.withdraw_everywhere(key_id, SigningKeyChange::Withdraw(self.clock.now())).await?)
            }
        }
    }

    /// Makes the key of an algorithm for which there is none; it signs at once. Of nodes that start together one makes it, and
    /// the others have it before they answer anybody.
    pub(crate) async fn first_signing_key(&self, algorithm: Algorithm) -> Result<(), SigningKeysError> {
        let alone = self.rotation.lock().await;
        if self.signing_key(algorithm).is_some() {
            return Ok(());
        }
        let (_, sealed) = self.make_signing_key(&alone, algorithm, 0).await?;
        let (store, signing, known) = (Arc::clone(&self.store), Arc::clone(&self.signing), Arc::clone(&self.known));
        let ring = self.keys.ring();
        to_its_end(async move {
            let _alone = known.lock().await;
            store.add_first_signing_key(sealed).await?;
            signing.follow(&store.signing_keys().await?, &ring);
            Ok(())
        })
        .await
    }

    async fn keep_signing_key(
        &self,
        alone: &MutexGuard<'_, Unfinished>,
        algorithm: Algorithm,
        wait_seconds: u32,
    ) -> Result<SigningKeyView, SigningKeysError> {
        let (key, sealed) = self.make_signing_key(alone, algorithm, wait_seconds).await?;
        let SealedSigningKey { created_at, signs_from, .. } = sealed;
        let key_id = key.key_id().to_owned();
        let (store, signing, known) = (Arc::clone(&self.store), Arc::clone(&self.signing), Arc::clone(&self.known));
        // First in the store, so that no token is signed by a key that a crash would lose. A caller who goes away changes
        // nothing: what is in the store and not here would never be published.
        to_its_end(async move {
            let _alone = known.lock().await;
            store.add_signing_key(sealed).await?;
            signing.add(key, signs_from)
        })
        .await?;
        let state = if wait_seconds == 0 { SigningKeyState::Signing } else { SigningKeyState::Waiting };
        Ok(SigningKeyView { key_id, algorithm, created_at, signs_from, withdrawn_at: None, state })
    }

    /// A new signing key that is nowhere yet, open and sealed.
    async fn make_signing_key(
        &self,
        alone: &MutexGuard<'_, Unfinished>,
        algorithm: Algorithm,
        wait_seconds: u32,
    ) -> Result<(SigningKey, SealedSigningKey), SigningKeysError> {
        // The store may have retired the key under which it would be sealed.
        no_emergency_was_broken_off(alone)?;
        let key = generate(algorithm).await?;
        let created_at = self.clock.now();
        let signs_from = created_at.plus_seconds(i64::from(wait_seconds));
        let (kid, ring) = self.keys.newest()?;
        let sealed = seal_new(&key, (created_at, signs_from), (kid, &ring), &*self.entropy);
        Ok((key, sealed))
    }

    /// Withdraws a key: first in the store, so that no restart brings it back. A caller who goes away changes nothing.
    async fn withdraw_everywhere(&self, key_id: &str, withdraw: SigningKeyChange) -> Result<(), SigningKeysError> {
        let (store, signing, known) = (Arc::clone(&self.store), Arc::clone(&self.signing), Arc::clone(&self.known));
        let key_id = key_id.to_owned();
        to_its_end(async move {
            let _alone = known.lock().await;
            change(&*store, &key_id, withdraw).await?;
            signing.remove(&key_id);
            Ok(())
        })
        .await
    }
}

/// That nothing is in the way of new keys.
pub(crate) fn no_emergency_was_broken_off(unfinished: &Unfinished) -> Result<(), StoreError> {
    match unfinished {
        Some(ring) if ring.is_retiring() => {
            let broken_off = "an emergency of the master key was broken off; ask for it again first";
            Err(StoreError::Unavailable(broken_off.to_owned()))
        }
        Some(_) | None => Ok(()),
    }
}
