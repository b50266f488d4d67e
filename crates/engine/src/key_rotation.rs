use std::sync::Arc;

use regrant_crypto::{Algorithm, KeyRing, NoKidLeft};
use regrant_protocol::Kid;
use regrant_store::{AnnouncedKey, ChangeError, Store, StoreError};
use tokio::sync::MutexGuard;

use crate::key_view::{SigningKeyState, SigningKeyView};
use crate::signing::{SigningKeys, SigningKeysError, generate, replace_all, reseal, seal_new, to_its_end};
use crate::{AuthorizationServer, KeyFile, KeyFileNotWritten};

/// How long a new signing key is in the key set before it signs. An API may keep the key set for five minutes, and those
/// that keep it longer than they may have the rest.
pub const SIGNING_KEY_WAIT_SECONDS: u32 = 3600;
/// The most keys of one algorithm in the key set.
pub const PUBLISHED_KEYS_MAX: usize = 16;

/// From this number of the newest master key on only emergencies make another: there are no numbers above 255, and a store
/// that has used them up could not answer to a theft.
pub const EMERGENCY_KIDS_FROM: Kid = Kid(240);

/// Why keys were not rotated. Nothing has to be undone: asked again, or started again, the server goes on from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRotationError {
    /// There is no number for another master key.
    #[error(transparent)]
    NoKidLeft(#[from] NoKidLeft),
    /// What numbers there are left for master keys are kept for emergencies.
    #[error(
        "master key {EMERGENCY_KIDS_FROM} is in use, and the numbers from there to 255 are kept for emergencies; begin a \
         new store to rotate master keys as before"
    )]
    KidsForEmergencies,
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
    /// older master keys are retired: every refresh token, code, opaque access token and page made under them is dead, and so
    /// is whatever followed from one of them while the emergency ran. Client secrets, passwords and login sessions stay good.
    ///
    /// # Errors
    /// [`KeyRotationError`]; an emergency that fails has to be asked for again. It stays an emergency, however it is asked
    /// for, and the next start finishes one that is in the key file.
    pub async fn rotate_master_key(&self, key_file: &dyn KeyFile, emergency: bool) -> Result<Kid, KeyRotationError> {
        let mut alone = self.rotation.lock().await;
        let ring = self.with_a_new_key(&mut alone, emergency)?;
        key_file.replace(&ring)?;
        let kid = ring.newest().0;
        announce(&*self.store, &ring, kid).await.map_err(|error| of_master_key(error, kid))?;
        if ring.is_retiring() {
            let left = self.retire_older_keys(&ring).await?;
            *alone = None;
            key_file.replace(&left)?;
        } else {
            self.keys.load(Arc::clone(&ring));
            *alone = None;
            reseal(&*self.store, &ring, &*self.entropy).await?;
        }
        Ok(kid)
    }

    /// Ends whatever was made under the keys of `ring` but the newest, which was announced, and returns the ring that is in
    /// force then. The store first: once it has forgotten them, a start with a key file that still has them does without.
    ///
    /// Nothing that was made before has a successor that lives. The new key is in force here not before the old ones are
    /// out of force, by one assignment. A step reads the newest kid first and checks the presented token in its rule, later.
    /// Had it read the new kid, then the check finds no old key and refuses the old token; had it read an old one, then the
    /// successor that it commits, before or after, is itself under a key that is retired. The signing keys follow the ring:
    /// what a new one has signed is given away only if the key of its grant is found in force after that.
    pub(crate) async fn retire_older_keys(&self, ring: &KeyRing) -> Result<Arc<KeyRing>, SigningKeysError> {
        reseal(&*self.store, ring, &*self.entropy).await?;
        replace_all(&*self.store, ring, &*self.clock, &*self.entropy).await?;
        let new_signing = SigningKeys::open(&*self.store, ring).await?;
        let newest = ring.newest().0;
        let mut left = ring.clone();
        left.retire_below(newest);
        let left = Arc::new(left);
        let (store, keys, signing) = (Arc::clone(&self.store), Arc::clone(&self.keys), Arc::clone(&self.signing));
        let loaded = Arc::clone(&left);
        to_its_end(async move {
            let retired = store.retire_keys_below(newest).await;
            retired.map_err(|error| match error {
                ChangeError::Store(error) => error,
                // It was announced, so that it is known.
                ChangeError::Taken(what) | ChangeError::Unknown(what) => StoreError::Unavailable(what),
                other => StoreError::Unavailable(other.to_string()),
            })?;
            keys.load(loaded);
            signing.load(&new_signing);
            Ok(())
        })
        .await?;
        Ok(left)
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
        alone: &MutexGuard<'_, Unfinished>,
        algorithm: Algorithm,
        wait_seconds: u32,
    ) -> Result<SigningKeyView, SigningKeysError> {
        // The store may have retired the key under which it would be sealed.
        if alone.as_ref().is_some_and(|ring| ring.is_retiring()) {
            let broken_off = "an emergency of the master key was broken off; ask for it again first";
            return Err(StoreError::Unavailable(broken_off.to_owned()).into());
        }
        let key = generate(algorithm).await?;
        let key_id = key.key_id().to_owned();
        let created_at = self.clock.now();
        let signs_from = created_at.plus_seconds(i64::from(wait_seconds));
        let sealed = seal_new(&key, created_at, signs_from, &self.keys.ring(), &*self.entropy);
        self.signing.keep(key, signs_from, &self.store, sealed).await?;
        let state = if wait_seconds == 0 { SigningKeyState::Signing } else { SigningKeyState::Waiting };
        Ok(SigningKeyView { key_id, algorithm, created_at, signs_from, withdrawn_at: None, state })
    }

    /// The ring that is in force, and a new key. A rotation that was broken off after the key file may have been written is
    /// finished with the key that it made: a second key of the same number would not be the one that the store was told of.
    fn with_a_new_key(&self, unfinished: &mut Unfinished, emergency: bool) -> Result<Arc<KeyRing>, KeyRotationError> {
        let mut ring = KeyRing::clone(unfinished.as_ref().unwrap_or(&self.keys.ring()));
        if unfinished.is_none() {
            if !emergency && ring.newest().0 >= EMERGENCY_KIDS_FROM {
                return Err(KeyRotationError::KidsForEmergencies);
            }
            ring.add(&*self.entropy)?;
        }
        if emergency {
            ring.begin_retirement();
        }
        Ok(Arc::clone(unfinished.insert(Arc::new(ring))))
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

#[cfg(test)]
mod tests {
    use regrant_crypto::SeededEntropy;
    use regrant_protocol::{ClientAuthentication, Params};
    use serde_json::Map;

    use super::*;
    use crate::TokenError;
    use crate::token::Granted;
    use crate::world::World;

    struct Nowhere;

    impl KeyFile for Nowhere {
        fn replace(&self, _: &KeyRing) -> Result<(), KeyFileNotWritten> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_new_signing_key_signs_nothing_for_a_grant_that_the_emergency_ended() {
        let world = World::new().await;
        let claimed = ClientAuthentication::find(None, &Params::parse(b"client_id=app").unwrap()).unwrap();
        let client = world.server.authenticate(&world.context(), &claimed).await.unwrap();
        let row = world.row_of(|_| {}).await;
        let (scope, resources, now) = (row.scope.clone(), row.resources.clone(), world.now());
        // Committed, and not answered yet.
        let granted = Granted { row, now, session_ends_at: None, scope, resources, added: Map::new() };
        assert!(world.server.respond(&client, &granted, None).is_ok());
        world.server.rotate_master_key(&Nowhere, false).await.unwrap();
        assert!(world.server.respond(&client, &granted, None).is_ok());
        world.server.rotate_master_key(&Nowhere, true).await.unwrap();
        let refused = world.server.respond(&client, &granted, None);
        assert!(matches!(refused, Err(TokenError::Store(StoreError::Unavailable(_)))), "{refused:?}");
    }

    #[tokio::test]
    async fn the_last_numbers_are_for_emergencies() {
        let server = World::new().await.server;
        let (mut ring, entropy) = (KeyRing::clone(&server.keys.ring()), SeededEntropy::new(1));
        while ring.newest().0.next() != Some(EMERGENCY_KIDS_FROM) {
            ring.add(&entropy).unwrap();
        }
        server.keys.load(Arc::new(ring));
        for (emergency, made) in
            [(false, Some(240)), (false, None), (true, Some(241)), (false, None), (true, Some(242))]
        {
            let rotated = server.rotate_master_key(&Nowhere, emergency).await;
            match made {
                Some(kid) => assert_eq!(rotated.unwrap(), Kid(kid)),
                None => assert!(matches!(rotated, Err(KeyRotationError::KidsForEmergencies)), "{rotated:?}"),
            }
        }
    }
}
