//! The master keys, and what is made of them.

mod loaded;
mod owner;
mod state;
mod unrecognised;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use regrant_crypto::{AuthorityContext, KeyRing, MESSAGE_BYTES, Purpose};
use regrant_grant::{
    AuthorityTag, CODE_PREFIX, Generation, Grant, HEAD_BYTES, Head, REFRESH_PREFIX, Recovery, TokenParts,
};
use regrant_protocol::{EpochNumber, Kid, Secret};
use regrant_store::{AnnouncedKey, Identity, StoreError};

use self::loaded::Loaded;
pub(crate) use self::owner::Owner;
pub(crate) use self::state::{KeyState, missing};
pub(crate) use self::unrecognised::Unrecognised;
use crate::freshness::Freshness;

/// The master keys and what the store says about itself: all that tags are made of but the row.
pub(crate) struct Keys {
    identity: Identity,
    loaded: RwLock<Arc<Loaded>>,
    /// Until when what was read of the store may be relied on; `None` where nobody else changes the store.
    freshness: Option<Freshness>,
}

/// The key file is not the one of this store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key file is that of another store; copy the one of another node of this store")]
pub(crate) struct ForeignKeyFile;

impl Keys {
    /// The keys of `ring`, as the store, whose identity this is, was told of them.
    pub(crate) fn new(
        ring: KeyRing,
        announced: Vec<AnnouncedKey>,
        identity: Identity,
        freshness: Option<Freshness>,
    ) -> Self {
        Self { identity, loaded: RwLock::new(Arc::new(Loaded::new(ring, announced))), freshness }
    }

    /// Puts in force what of the keys of `ring` the store was told of.
    pub(crate) fn load(&self, ring: &KeyRing, announced: Vec<AnnouncedKey>) {
        let loaded = Arc::new(Loaded::new(ring.clone(), announced));
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = loaded;
    }

    /// Puts in force what the store was told of the keys that are here.
    pub(crate) fn learn(&self, announced: Vec<AnnouncedKey>) {
        let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        if loaded.announced != announced {
            *loaded = Arc::new(Loaded::new(KeyRing::clone(&loaded.ring), announced));
        }
    }

    /// Takes from the key file what this process has not: a key that is prepared, or one that was announced and is missing here.
    /// Whatever else is here stays, be it that the file was half written when it was read. Returns whether something was new.
    pub(crate) fn take_in(&self, file: &KeyRing) -> Result<bool, ForeignKeyFile> {
        let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        if file.pepper().expose() != loaded.ring.pepper().expose() {
            return Err(ForeignKeyFile);
        }
        let mut ring = KeyRing::clone(&loaded.ring);
        let mut is_new = false;
        for (kid, _) in file.iter().filter(|(kid, _)| *kid >= loaded.oldest_announced()) {
            let in_file = file.check_value(kid);
            let was_announced = loaded.announced.iter().find(|key| key.kid == kid);
            if was_announced.is_some_and(|key| in_file != Some(key.check_value)) {
                return Err(ForeignKeyFile);
            }
            is_new |= ring.check_value(kid) != in_file && ring.adopt(kid, file);
        }
        if is_new {
            *loaded = Arc::new(Loaded::new(ring, loaded.announced.clone()));
        }
        Ok(is_new)
    }

    /// What the key file has, as far as this process knows.
    pub(crate) fn ring(&self) -> Arc<KeyRing> {
        Arc::clone(&self.loaded().ring)
    }

    /// What the store was told, oldest first.
    pub(crate) fn announced(&self) -> Vec<AnnouncedKey> {
        self.loaded().announced.clone()
    }

    /// Under which new tokens are made: the newest key that is in force and loaded here, or where none is the newest in force.
    pub(crate) fn newest_kid(&self) -> Kid {
        self.loaded().newest
    }

    /// The newest key in force, and a ring that has it.
    pub(crate) fn newest(&self) -> Result<(Kid, Arc<KeyRing>), StoreError> {
        let loaded = self.loaded();
        match loaded.usable.contains(&loaded.newest) {
            true => Ok((loaded.newest, Arc::clone(&loaded.ring))),
            false => Err(missing(loaded.newest)),
        }
    }

    /// The newest master key of the key file, in force or not.
    pub(crate) fn newest_loaded(&self) -> AnnouncedKey {
        let ring = self.ring();
        let kid = ring.newest().0;
        AnnouncedKey { kid, check_value: ring.check_value(kid).expect("it has its newest key") }
    }

    /// A key that the store was told of, and that is not here.
    pub(crate) fn missing(&self) -> Option<Kid> {
        let loaded = self.loaded();
        loaded.announced.iter().map(|key| key.kid).find(|kid| !loaded.usable.contains(kid))
    }

    /// What a master key is here.
    pub(crate) fn state_of(&self, kid: Kid) -> KeyState {
        self.loaded().state_of(kid)
    }

    /// Whether what is known of the keys may be relied on now.
    pub(crate) fn is_fresh(&self) -> bool {
        self.freshness.as_ref().is_none_or(Freshness::holds)
    }

    /// What is known was so at `read_at`, or later.
    pub(crate) fn renew_freshness(&self, read_at: Instant) {
        if let Some(freshness) = &self.freshness {
            freshness.renew(read_at);
        }
    }

    pub(crate) fn present_epoch(&self) -> EpochNumber {
        self.identity.epoch().number
    }

    /// How the store takes tokens of the epoch before its own.
    pub(crate) fn recovery(&self) -> Option<Recovery> {
        self.identity.epoch().recovery
    }

    /// Whether this process can make the tokens of the current generation of a row, and knows that they would be good.
    pub(crate) fn can_make(&self, row: &Grant) -> bool {
        self.is_fresh() && self.state_of(row.kid).is_usable() && self.identity.epoch_numbered(row.epoch).is_some()
    }

    /// Why it cannot.
    pub(crate) fn why_not(&self, row: &Grant) -> StoreError {
        if self.is_fresh() {
            return missing(row.kid);
        }
        StoreError::Unavailable("what this node knows of the keys is too old to be relied on".to_owned())
    }

    /// Whether the prefilter tag is ours: a forged token ends here, without the database.
    pub(crate) fn prefilter(&self, head: &Head, tag: &[u8; 8], purpose: Purpose) -> Result<(), Unrecognised> {
        let loaded = self.loaded();
        let Some(key) = loaded.prefilter_key(head.kid, purpose) else {
            return Err(Unrecognised::of(loaded.state_of(head.kid)));
        };
        if key.verify(&head.to_bytes(), &self.identity.realm.0, tag) { Ok(()) } else { Err(Unrecognised::Forged) }
    }

    /// Checks the authority tag of a presented token under the kid and epoch that the token names.
    pub(crate) fn check_authority(&self, parts: &TokenParts, owner: Owner<'_>, purpose: Purpose) -> AuthorityTag {
        if self.identity.epoch_numbered(parts.head.epoch).is_none() {
            let is_of_the_past = parts.head.epoch < self.present_epoch();
            return if is_of_the_past { AuthorityTag::Forgotten } else { AuthorityTag::Unverifiable };
        }
        let message = message(&parts.head.to_bytes(), &parts.prefilter_tag);
        let verified = self.with_context(&parts.head, owner, |loaded, context| {
            let key = loaded.authority_key(parts.head.kid, owner.secret, purpose)?;
            Some(key.verify(context, &message, &parts.authority_tag))
        });
        if verified == Some(true) { AuthorityTag::Valid } else { AuthorityTag::Invalid }
    }

    /// The refresh token of the current generation of a row.
    ///
    /// Fails when this process cannot make it: [`Keys::can_make`] is asked before the row is written.
    pub(crate) fn refresh_token(&self, row: &Grant) -> Result<Secret, StoreError> {
        self.make(row, row.generation, Owner::from(row), Purpose::Refresh, REFRESH_PREFIX)
    }

    /// The code of a row of generation 0: the same text whenever it is asked for, until the code is redeemed.
    ///
    /// Fails as [`Keys::refresh_token`].
    pub(crate) fn code(&self, row: &Grant) -> Result<Secret, StoreError> {
        self.make(row, Generation::CODE, Owner::of_code(row), Purpose::Code, CODE_PREFIX)
    }

    fn make(
        &self,
        row: &Grant,
        generation: Generation,
        owner: Owner<'_>,
        purpose: Purpose,
        prefix: &str,
    ) -> Result<Secret, StoreError> {
        let unknown =
            || StoreError::Unavailable(format!("master key {} or epoch {} is not loaded", row.kid, row.epoch.0));
        let head = Head { kid: row.kid, epoch: row.epoch, grant: row.id, generation };
        let prefilter_tag = self.prefilter_tag(&head, purpose).ok_or_else(unknown)?;
        let message = message(&head.to_bytes(), &prefilter_tag);
        let authority_tag = self.with_context(&head, owner, |loaded, context| {
            Some(loaded.authority_key(head.kid, owner.secret, purpose)?.tag(context, &message))
        });
        let authority_tag = authority_tag.ok_or_else(unknown)?;
        Ok(TokenParts { head, prefilter_tag, authority_tag }.encode(prefix))
    }

    pub(crate) fn prefilter_tag(&self, head: &Head, purpose: Purpose) -> Option<[u8; 8]> {
        Some(self.loaded().prefilter_key(head.kid, purpose)?.tag(&head.to_bytes(), &self.identity.realm.0))
    }

    /// Encrypts the claims of an opaque access token.
    pub(crate) fn encrypt_access(&self, head: &Head, owner: Owner<'_>, claims: &[u8]) -> Option<Vec<u8>> {
        self.with_context(head, owner, |loaded, context| {
            let aad = context.with_head(&head.to_bytes());
            Some(loaded.access_key(head.kid, owner.secret)?.encrypt(claims, &aad))
        })
    }

    /// Decrypts the claims of an opaque access token; `None` when it is not one of this owner.
    pub(crate) fn decrypt_access(&self, head: &Head, owner: Owner<'_>, body: &[u8]) -> Option<Vec<u8>> {
        self.with_context(head, owner, |loaded, context| {
            let aad = context.with_head(&head.to_bytes());
            loaded.access_key(head.kid, owner.secret)?.decrypt(body, &aad).ok()
        })
    }

    /// Calls `act` with the keys and the context of the tags of `head`; `None` when key or epoch is unknown here.
    fn with_context<T>(
        &self,
        head: &Head,
        owner: Owner<'_>,
        act: impl FnOnce(&Loaded, &AuthorityContext<'_>) -> Option<T>,
    ) -> Option<T> {
        let loaded = self.loaded();
        let epoch = self.identity.epoch_numbered(head.epoch)?;
        let (binding, length) = owner.binding.tag_input();
        let context =
            AuthorityContext::new(&self.identity.realm.0, &epoch.random, owner.client.as_str(), &binding[..length])
                .ok()?;
        act(&loaded, &context)
    }

    fn loaded(&self) -> Arc<Loaded> {
        Arc::clone(&self.loaded.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn message(head: &[u8; HEAD_BYTES], prefilter_tag: &[u8; 8]) -> [u8; MESSAGE_BYTES] {
    let mut message = [0; MESSAGE_BYTES];
    message[..HEAD_BYTES].copy_from_slice(head);
    message[HEAD_BYTES..].copy_from_slice(prefilter_tag);
    message
}

#[cfg(test)]
mod tests {
    use regrant_crypto::SeededEntropy;
    use regrant_grant::Binding;

    use super::loaded::tests::ring_of;
    use super::*;
    use crate::world::World;

    #[tokio::test]
    async fn a_code_is_bound_to_no_key_and_a_refresh_token_to_that_of_its_grant() {
        let world = World::new().await;
        let row = world.row_of(|_| {}).await;
        let bound = Grant { binding: Binding::DpopKey([7; 32]), ..row.clone() };
        let keys = &world.server.keys;
        assert_eq!(keys.code(&bound), keys.code(&row));
        assert_ne!(keys.refresh_token(&bound), keys.refresh_token(&row));
    }

    #[test]
    fn a_key_file_that_was_changed_adds_what_is_new_and_takes_nothing_away() {
        let identity = || Identity { realm: regrant_grant::Realm([1; 16]), epochs: Vec::new() };
        let (all, told) = ring_of(4);
        let (mut others, _) = ring_of(1);
        others.add(&SeededEntropy::new(9)).unwrap();
        let foreign = KeyRing::generate(&SeededEntropy::new(7));
        for (why, file, expected, usable) in [
            ("the same", ring_of(2).0, Ok(false), vec![1, 2]),
            ("one more", ring_of(3).0, Ok(true), vec![1, 2, 3]),
            ("one less", ring_of(1).0, Ok(false), vec![1, 2]),
            ("another key of a number that is in force", others, Err(ForeignKeyFile), vec![1, 2]),
            ("a file of another store", foreign, Err(ForeignKeyFile), vec![1, 2]),
        ] {
            let keys = Keys::new(ring_of(2).0, told[..2].to_vec(), identity(), None);
            assert_eq!(keys.take_in(&file), expected, "{why}");
            assert_eq!(keys.loaded().usable, usable.into_iter().map(Kid).collect(), "{why}");
        }
        // One that was announced meanwhile is in force as soon as it is here.
        let keys = Keys::new(ring_of(2).0, told.clone(), identity(), None);
        assert_eq!((keys.newest_kid(), keys.missing()), (Kid(2), Some(Kid(3))));
        assert_eq!(keys.take_in(&all), Ok(true));
        assert_eq!((keys.newest_kid(), keys.missing()), (Kid(4), None));
    }

    #[tokio::test]
    async fn a_code_never_passes_for_a_refresh_token_of_the_same_generation() {
        let world = World::new().await;
        let row = world.row_of(|_| {}).await;
        let code = world.server.keys.code(&row).unwrap();
        let parts = TokenParts::parse(CODE_PREFIX, code.expose()).unwrap();
        let prefilter = |purpose| world.server.keys.prefilter(&parts.head, &parts.prefilter_tag, purpose);
        assert_eq!(prefilter(Purpose::Code), Ok(()));
        assert_eq!(prefilter(Purpose::Refresh), Err(Unrecognised::Forged));
        let authority = |purpose| world.server.keys.check_authority(&parts, Owner::of_code(&row), purpose);
        assert_eq!(authority(Purpose::Code), AuthorityTag::Valid);
        assert_eq!(authority(Purpose::Refresh), AuthorityTag::Invalid);
    }
}
