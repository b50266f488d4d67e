use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use regrant_crypto::{
    AccessKey, AuthorityContext, AuthorityKey, KeyRing, MESSAGE_BYTES, MasterKey, PrefilterKey, PrefilterKeys, Purpose,
    authority_key,
};
use regrant_grant::{
    AuthorityTag, Binding, CODE_PREFIX, Generation, Grant, GrantSecret, HEAD_BYTES, Head, REFRESH_PREFIX, Recovery,
    RedeemVerdict, TokenParts, Verdict,
};
use regrant_protocol::{ClientId, EpochNumber, Kid, Secret};
use regrant_store::{AnnouncedKey, Identity, StoreError};

use crate::derived_keys::DerivedKeys;
use crate::lease::Lease;

/// The master keys and what the store says about itself: all that tags are made of but the row.
pub(crate) struct Keys {
    identity: Identity,
    loaded: RwLock<Arc<Loaded>>,
    /// Until when what was read of the store may be relied on; `None` where nobody else changes the store.
    lease: Option<Lease>,
}

/// The master keys as they are known now.
struct Loaded {
    /// What the key file has.
    ring: Arc<KeyRing>,
    /// What the store was told, oldest first; never empty.
    announced: Vec<AnnouncedKey>,
    /// Of the key file what counts: the keys that the store was told of, and those that are prepared, which are newer.
    usable: BTreeSet<Kid>,
    /// Under which new tokens are made.
    newest: Kid,
    prefilters: PrefilterKeys,
    authority: DerivedKeys<AuthorityKey>,
    access: DerivedKeys<AccessKey>,
}

/// The key file is not the one of this store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key file is that of another store; copy the one of another node of this store")]
pub(crate) struct ForeignKeyFile;

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
    /// The keys of `ring`, as the store, whose identity this is, was told of them.
    pub(crate) fn new(ring: KeyRing, announced: Vec<AnnouncedKey>, identity: Identity, lease: Option<Lease>) -> Self {
        Self { identity, loaded: RwLock::new(Arc::new(Loaded::new(ring, announced))), lease }
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

    /// Whether a master key is usable here: in force, or prepared.
    pub(crate) fn has(&self, kid: Kid) -> bool {
        self.loaded().usable.contains(&kid)
    }

    /// Whether the key file has a master key that is not in force yet.
    pub(crate) fn is_prepared(&self, kid: Kid) -> bool {
        let loaded = self.loaded();
        kid > loaded.newest_announced() && loaded.usable.contains(&kid)
    }

    /// Whether a master key is newer than any that this process knows to be in force.
    pub(crate) fn is_ahead(&self, kid: Kid) -> bool {
        kid > self.loaded().newest_announced()
    }

    /// Whether a master key is in force, and not loaded here.
    pub(crate) fn is_awaited(&self, kid: Kid) -> bool {
        let loaded = self.loaded();
        !loaded.usable.contains(&kid) && loaded.unrecognised(kid) == Unrecognised::KeyNotLoaded
    }

    /// Whether a master key was retired: what was made under it is dead.
    pub(crate) fn has_retired(&self, kid: Kid) -> bool {
        let loaded = self.loaded();
        !loaded.usable.contains(&kid) && loaded.unrecognised(kid) == Unrecognised::KeyRetired
    }

    /// Whether what is known of the keys may be relied on now.
    pub(crate) fn is_fresh(&self) -> bool {
        self.lease.as_ref().is_none_or(Lease::holds)
    }

    /// What is known was so at `read_at`, or later.
    pub(crate) fn renew_lease(&self, read_at: Instant) {
        if let Some(lease) = &self.lease {
            lease.renew(read_at);
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
        self.is_fresh() && self.has(row.kid) && self.identity.epoch_numbered(row.epoch).is_some()
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
        let Some(key) = loaded.prefilter_key(head.kid, purpose) else { return Err(loaded.unrecognised(head.kid)) };
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

impl Loaded {
    fn new(mut ring: KeyRing, announced: Vec<AnnouncedKey>) -> Self {
        let newest_of_ring = ring.newest().0;
        let newest_announced = announced.last().map_or(newest_of_ring, |key| key.kid);
        if let Some(oldest) = announced.first() {
            ring.retire_below(oldest.kid);
        }
        let counts = |kid: &Kid| match announced.iter().find(|key| key.kid == *kid) {
            Some(key) => ring.check_value(*kid) == Some(key.check_value),
            None => *kid > newest_announced,
        };
        let usable: BTreeSet<Kid> = ring.iter().map(|(kid, _)| kid).filter(counts).collect();
        let newest = usable.range(..=newest_announced).next_back().copied().unwrap_or(newest_announced);
        let (authority, access) = (DerivedKeys::new(), DerivedKeys::new());
        Self {
            prefilters: PrefilterKeys::new(&ring),
            ring: Arc::new(ring),
            announced,
            usable,
            newest,
            authority,
            access,
        }
    }

    /// The key of the authority tags of a grant; `None` when its master key is unknown here.
    fn authority_key(&self, kid: Kid, secret: &GrantSecret, purpose: Purpose) -> Option<Arc<AuthorityKey>> {
        let master = self.master(kid)?;
        Some(self.authority.get(kid, purpose, secret, || authority_key(master, secret.expose(), purpose)))
    }

    /// The key of the opaque access tokens of a grant; `None` when its master key is unknown here.
    fn access_key(&self, kid: Kid, secret: &GrantSecret) -> Option<Arc<AccessKey>> {
        let master = self.master(kid)?;
        Some(self.access.get(kid, Purpose::Access, secret, || AccessKey::new(master, secret.expose())))
    }

    fn prefilter_key(&self, kid: Kid, purpose: Purpose) -> Option<&PrefilterKey> {
        self.usable.contains(&kid).then(|| self.prefilters.get(kid, purpose)).flatten()
    }

    fn master(&self, kid: Kid) -> Option<&MasterKey> {
        self.usable.contains(&kid).then(|| self.ring.get(kid)).flatten()
    }

    fn oldest_announced(&self) -> Kid {
        self.announced.first().map_or(Kid::FIRST, |key| key.kid)
    }

    fn newest_announced(&self) -> Kid {
        self.announced.last().map_or(self.newest, |key| key.kid)
    }

    /// What a token under a key is that does not count here.
    fn unrecognised(&self, kid: Kid) -> Unrecognised {
        if self.announced.iter().any(|key| key.kid == kid) {
            Unrecognised::KeyNotLoaded
        } else if kid >= Kid::FIRST && kid < self.oldest_announced() {
            Unrecognised::KeyRetired
        } else {
            Unrecognised::Forged
        }
    }
}

/// Why nothing is made while the newest master key is not here.
pub(crate) fn missing(kid: Kid) -> StoreError {
    StoreError::Unavailable(format!(
        "master key {kid} is in force, and the key file of this node does not have it; copy the key file of the node that made it"
    ))
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

    /// The first so many keys of a store, and what it is told of them.
    fn ring_of(count: u8) -> (KeyRing, Vec<AnnouncedKey>) {
        let entropy = SeededEntropy::new(1);
        let mut ring = KeyRing::generate(&entropy);
        while ring.newest().0 < Kid(count) {
            ring.add(&entropy).unwrap();
        }
        let announced = ring.iter().map(|(kid, _)| AnnouncedKey { kid, check_value: ring.check_value(kid).unwrap() });
        (ring.clone(), announced.collect())
    }

    #[test]
    fn what_the_store_was_told_of_counts_and_what_is_newer_is_prepared() {
        let (all, told) = ring_of(4);
        let (mut others, _) = ring_of(1);
        others.add(&SeededEntropy::new(9)).unwrap();
        for (why, ring, announced, usable, newest) in [
            ("all are in force", &all, &told[..], vec![1, 2, 3, 4], 4),
            ("one is prepared", &all, &told[..3], vec![1, 2, 3, 4], 3),
            ("two are retired", &all, &told[2..], vec![3, 4], 4),
            ("two are retired, and one is prepared", &all, &told[2..3], vec![3, 4], 3),
            ("two are not here", &ring_of(2).0, &told[..], vec![1, 2], 2),
            ("none in force is here", &ring_of(2).0, &told[2..], vec![], 4),
            ("another has made a key of this number", &others, &told[..2], vec![1], 1),
        ] {
            let loaded = Loaded::new(ring.clone(), announced.to_vec());
            let expected: BTreeSet<Kid> = usable.into_iter().map(Kid).collect();
            assert_eq!((&loaded.usable, loaded.newest), (&expected, Kid(newest)), "{why}");
            let kids = (1..=5).map(Kid);
            let with_key = kids.filter(|kid| loaded.prefilter_key(*kid, Purpose::Code).is_some());
            assert_eq!(with_key.collect::<BTreeSet<_>>(), expected, "{why}");
        }
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

    #[test]
    fn a_token_under_a_key_that_is_not_here_is_told_by_its_number() {
        let (ring, mut announced) = ring_of(4);
        announced.extend([5, 6].map(|kid| AnnouncedKey { kid: Kid(kid), check_value: [0; 8] }));
        let loaded = Loaded::new(ring, announced.split_off(2));
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
