use std::collections::BTreeSet;
use std::sync::Arc;

use regrant_crypto::{
    AccessKey, AuthorityKey, KeyRing, MasterKey, PrefilterKey, PrefilterKeys, Purpose, authority_key,
};
use regrant_grant::GrantSecret;
use regrant_protocol::Kid;
use regrant_store::AnnouncedKey;

use super::KeyState;
use crate::derived_keys::DerivedKeys;

/// The master keys as they are known now.
pub(super) struct Loaded {
    /// What the key file has.
    pub(super) ring: Arc<KeyRing>,
    /// What the store was told, oldest first; never empty.
    pub(super) announced: Vec<AnnouncedKey>,
    /// Of the key file what counts: the keys that the store was told of, and those that are prepared, which are newer.
    pub(super) usable: BTreeSet<Kid>,
    /// Under which new tokens are made.
    pub(super) newest: Kid,
    prefilters: PrefilterKeys,
    authority: DerivedKeys<AuthorityKey>,
    access: DerivedKeys<AccessKey>,
}

impl Loaded {
    pub(super) fn new(mut ring: KeyRing, announced: Vec<AnnouncedKey>) -> Self {
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
    pub(super) fn authority_key(&self, kid: Kid, secret: &GrantSecret, purpose: Purpose) -> Option<Arc<AuthorityKey>> {
        let master = self.master(kid)?;
        Some(self.authority.get(kid, purpose, secret, || authority_key(master, secret.expose(), purpose)))
    }

    /// The key of the opaque access tokens of a grant; `None` when its master key is unknown here.
    pub(super) fn access_key(&self, kid: Kid, secret: &GrantSecret) -> Option<Arc<AccessKey>> {
        let master = self.master(kid)?;
        Some(self.access.get(kid, Purpose::Access, secret, || AccessKey::new(master, secret.expose())))
    }

    pub(super) fn prefilter_key(&self, kid: Kid, purpose: Purpose) -> Option<&PrefilterKey> {
        self.usable.contains(&kid).then(|| self.prefilters.get(kid, purpose)).flatten()
    }

    fn master(&self, kid: Kid) -> Option<&MasterKey> {
        self.usable.contains(&kid).then(|| self.ring.get(kid)).flatten()
    }

    pub(super) fn oldest_announced(&self) -> Kid {
        self.announced.first().map_or(Kid::FIRST, |key| key.kid)
    }

    fn newest_announced(&self) -> Kid {
        self.announced.last().map_or(self.newest, |key| key.kid)
    }

    /// What a master key is here.
    pub(super) fn state_of(&self, kid: Kid) -> KeyState {
        let is_here = self.usable.contains(&kid);
        if kid > self.newest_announced() {
            return if is_here { KeyState::Prepared } else { KeyState::Ahead };
        }
        if is_here {
            KeyState::InForce
        } else if self.announced.iter().any(|key| key.kid == kid) {
            KeyState::Missing
        } else if kid >= Kid::FIRST && kid < self.oldest_announced() {
            KeyState::Retired
        } else {
            KeyState::Nobodys
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use regrant_crypto::SeededEntropy;

    use super::*;

    /// The first so many keys of a store, and what it is told of them.
    pub(in crate::keys) fn ring_of(count: u8) -> (KeyRing, Vec<AnnouncedKey>) {
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
    fn a_key_is_told_by_its_number_and_whether_it_is_here() {
        let (ring, mut announced) = ring_of(5);
        announced.truncate(4);
        announced.extend([6, 7].map(|kid| AnnouncedKey { kid: Kid(kid), check_value: [0; 8] }));
        let loaded = Loaded::new(ring.clone(), announced.split_off(2));
        for (kid, expected) in [
            (0, KeyState::Nobodys),
            (1, KeyState::Retired),
            (2, KeyState::Retired),
            (3, KeyState::InForce),
            (4, KeyState::InForce),
            (5, KeyState::Nobodys),
            (6, KeyState::Missing),
            (7, KeyState::Missing),
            (8, KeyState::Ahead),
            (u8::MAX, KeyState::Ahead),
        ] {
            assert_eq!(loaded.state_of(Kid(kid)), expected, "{kid}");
        }
        let told = loaded.announced[..1].to_vec();
        let prepared = Loaded::new(ring, told);
        assert_eq!(
            [4, 5, 6].map(|kid| prepared.state_of(Kid(kid))),
            [KeyState::Prepared, KeyState::Prepared, KeyState::Ahead]
        );
    }
}
