use std::sync::{Arc, PoisonError, RwLock};

use regrant_crypto::{
    AccessKey, AuthorityContext, AuthorityKey, KeyRing, MESSAGE_BYTES, PrefilterKeys, Purpose, authority_key,
};
use regrant_grant::{
    AuthorityTag, Binding, CODE_PREFIX, Generation, Grant, GrantSecret, HEAD_BYTES, Head, REFRESH_PREFIX,
    RedeemVerdict, TokenParts, Verdict,
};
use regrant_protocol::{ClientId, EpochNumber, Kid, Secret};
use regrant_store::{Identity, StoreError};

use crate::derived_keys::DerivedKeys;

/// The master keys and what the store says about itself: all that tags are made of but the row.
pub(crate) struct Keys {
    identity: Identity,
    loaded: RwLock<Arc<Loaded>>,
}

/// The master keys that are in force now.
struct Loaded {
    ring: Arc<KeyRing>,
    prefilters: PrefilterKeys,
    newest_announced: Kid,
    authority: DerivedKeys<AuthorityKey>,
    access: DerivedKeys<AccessKey>,
}

/// Whose token it is, as the row tells it: what a tag binds a token to beside its head.
#[derive(Clone, Copy)]
pub(crate) struct Owner<'a> {
    pub(crate) secret: &'a GrantSecret,
    pub(crate) client: &'a ClientId,
    pub(crate) binding: Binding,
}

impl<'a> From<&'a Grant> for Owner<'a> {
    fn from(row: &'a Grant) -> Self {
        Self { secret: &row.secret, client: &row.client, binding: row.binding }
    }
}

impl<'a> Owner<'a> {
    /// Of a code, which is bound to no key: the one that the grant is bound to is fixed when its code is redeemed.
    pub(crate) fn of_code(row: &'a Grant) -> Self {
        Self { binding: Binding::None, ..Self::from(row) }
    }
}

/// Why a token ends at its prefilter tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unrecognised {
    /// Its tag is not ours.
    Forged,
    /// Its master key was announced to the store, but this process has not been given it yet.
    KeyNotLoaded,
    /// Its master key was retired, so nobody can tell any more whose token it is.
    KeyRetired,
}

impl From<Unrecognised> for Verdict {
    fn from(unrecognised: Unrecognised) -> Self {
        match unrecognised {
            Unrecognised::Forged => Self::Forged,
            Unrecognised::KeyNotLoaded => Self::Unavailable,
            Unrecognised::KeyRetired => Self::DeadEpoch,
        }
    }
}

impl From<Unrecognised> for RedeemVerdict {
    fn from(unrecognised: Unrecognised) -> Self {
        match unrecognised {
            Unrecognised::Forged => Self::Forged,
            Unrecognised::KeyNotLoaded => Self::Unavailable,
            Unrecognised::KeyRetired => Self::DeadEpoch,
        }
    }
}

impl Keys {
    pub(crate) fn new(ring: KeyRing, identity: Identity, newest_announced: Kid) -> Self {
        Self { identity, loaded: RwLock::new(Arc::new(Loaded::new(Arc::new(ring), newest_announced))) }
    }

    /// Puts another ring in force, whose newest key was announced to the store.
    pub(crate) fn load(&self, ring: Arc<KeyRing>) {
        let newest = ring.newest().0;
        let loaded = Arc::new(Loaded::new(ring, newest));
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = loaded;
    }

    pub(crate) fn ring(&self) -> Arc<KeyRing> {
        Arc::clone(&self.loaded().ring)
    }

    pub(crate) fn newest_kid(&self) -> Kid {
        self.loaded().newest_kid()
    }

    /// Whether a master key is in force here.
    pub(crate) fn has(&self, kid: Kid) -> bool {
        self.loaded().ring.get(kid).is_some()
    }

    /// Whether a master key was retired: what was made under it is dead.
    pub(crate) fn has_retired(&self, kid: Kid) -> bool {
        let loaded = self.loaded();
        loaded.ring.get(kid).is_none() && loaded.unrecognised(kid) == Unrecognised::KeyRetired
    }

    pub(crate) fn present_epoch(&self) -> EpochNumber {
        self.identity.epoch().number
    }

    /// Whether this process can make the tokens of the current generation of a row.
    pub(crate) fn can_make(&self, row: &Grant) -> bool {
        self.has(row.kid) && self.identity.epoch_numbered(row.epoch).is_some()
    }

    /// Whether the prefilter tag is ours: a forged token ends here, without the database.
    pub(crate) fn prefilter(&self, head: &Head, tag: &[u8; 8], purpose: Purpose) -> Result<(), Unrecognised> {
        let loaded = self.loaded();
        let Some(key) = loaded.prefilters.get(head.kid, purpose) else { return Err(loaded.unrecognised(head.kid)) };
        if key.verify(&head.to_bytes(), &self.identity.realm.0, tag) { Ok(()) } else { Err(Unrecognised::Forged) }
    }

    /// Checks the authority tag of a presented token under the kid and epoch that the token names.
    pub(crate) fn check_authority(&self, parts: &TokenParts, owner: Owner<'_>, purpose: Purpose) -> AuthorityTag {
        if self.identity.epoch_numbered(parts.head.epoch).is_none() {
            return AuthorityTag::Unverifiable;
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
        Some(self.loaded().prefilters.get(head.kid, purpose)?.tag(&head.to_bytes(), &self.identity.realm.0))
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

impl Loaded {
    fn new(ring: Arc<KeyRing>, newest_announced: Kid) -> Self {
        let (authority, access) = (DerivedKeys::new(), DerivedKeys::new());
        Self { prefilters: PrefilterKeys::new(&ring), ring, newest_announced, authority, access }
    }

    /// The key of the authority tags of a grant; `None` when its master key is unknown here.
    fn authority_key(&self, kid: Kid, secret: &GrantSecret, purpose: Purpose) -> Option<Arc<AuthorityKey>> {
        let master = self.ring.get(kid)?;
        Some(self.authority.get(kid, purpose, secret, || authority_key(master, secret.expose(), purpose)))
    }

    /// The key of the opaque access tokens of a grant; `None` when its master key is unknown here.
    fn access_key(&self, kid: Kid, secret: &GrantSecret) -> Option<Arc<AccessKey>> {
        let master = self.ring.get(kid)?;
        Some(self.access.get(kid, Purpose::Access, secret, || AccessKey::new(master, secret.expose())))
    }

    fn newest_kid(&self) -> Kid {
        self.ring.newest().0
    }

    /// What a token under a key is that the ring does not have.
    fn unrecognised(&self, kid: Kid) -> Unrecognised {
        if kid > self.newest_kid() && kid <= self.newest_announced {
            Unrecognised::KeyNotLoaded
        } else if kid >= Kid::FIRST && kid < self.ring.oldest().0 {
            Unrecognised::KeyRetired
        } else {
            Unrecognised::Forged
        }
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
    fn a_token_under_a_key_that_is_not_here_is_told_by_its_number() {
        let entropy = SeededEntropy::new(1);
        let mut ring = KeyRing::generate(&entropy);
        while ring.newest().0 < Kid(4) {
            ring.add(&entropy).unwrap();
        }
        ring.retire_below(Kid(3));
        let loaded = Loaded::new(Arc::new(ring), Kid(6));
        for (kid, expected) in [
            (0, Unrecognised::Forged),
            (1, Unrecognised::KeyRetired),
            (2, Unrecognised::KeyRetired),
            (5, Unrecognised::KeyNotLoaded),
            (6, Unrecognised::KeyNotLoaded),
            (7, Unrecognised::Forged),
            (u8::MAX, Unrecognised::Forged),
        ] {
            assert_eq!(loaded.unrecognised(Kid(kid)), expected, "{kid}");
        }
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
