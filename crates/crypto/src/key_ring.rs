//! The master keys that are in force together, and the pepper.

use std::collections::BTreeMap;

use crate::entropy::Entropy;
use crate::master_key::{MasterKey, Pepper};
use regrant_protocol::Kid;

/// Every master key still accepted, by kid, and the one [`Pepper`]. Never empty.
#[derive(Clone, Debug)]
pub struct KeyRing {
    pepper: Pepper,
    keys: BTreeMap<Kid, MasterKey>,
    is_retiring: bool,
}

/// The ring's newest kid is 255; a new store is needed to go on.
#[derive(Debug, thiserror::Error)]
#[error("kid 255 is in use and kids only grow: no further master key can be added")]
pub struct NoKidLeft;

impl KeyRing {
    /// A ring for a new store: a pepper and the master key with kid 1.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let keys = BTreeMap::from([(Kid::FIRST, MasterKey::generate(entropy))]);
        Self { pepper: Pepper::generate(entropy), keys, is_retiring: false }
    }

    /// A ring of given keys; `None` if there is no key.
    #[must_use]
    pub fn new(pepper: Pepper, keys: BTreeMap<Kid, MasterKey>) -> Option<Self> {
        (!keys.is_empty()).then_some(Self { pepper, keys, is_retiring: false })
    }

    /// Adds a new master key, whose kid is one above the newest, and returns that kid.
    pub fn add(&mut self, entropy: &dyn Entropy) -> Result<Kid, NoKidLeft> {
        let kid = self.newest().0.next().ok_or(NoKidLeft)?;
        self.keys.insert(kid, MasterKey::generate(entropy));
        Ok(kid)
    }

    /// Takes the key with this kid from `other`, in place of its own, and returns whether there is one.
    pub fn adopt(&mut self, kid: Kid, other: &Self) -> bool {
        let Some(key) = other.keys.get(&kid) else { return false };
        self.keys.insert(kid, key.clone());
        true
    }

    /// Drops every key below `oldest`, and returns whether there was one. The newest key always stays.
    pub fn retire_below(&mut self, oldest: Kid) -> bool {
        let kept = self.keys.split_off(&oldest.min(self.newest().0));
        let is_changed = !std::mem::replace(&mut self.keys, kept).is_empty();
        self.is_retiring &= self.keys.len() > 1;
        is_changed
    }

    /// Says that the older keys are kept only until they are retired everywhere. The text of the ring says it too, so that
    /// a crash does not forget it.
    pub fn begin_retirement(&mut self) {
        self.is_retiring = self.keys.len() > 1;
    }

    /// Whether every key but the newest is about to be retired.
    #[must_use]
    pub fn is_retiring(&self) -> bool {
        self.is_retiring
    }

    /// The key with the highest kid, under which new tokens are made.
    #[must_use]
    pub fn newest(&self) -> (Kid, &MasterKey) {
        let (kid, key) = self.keys.last_key_value().expect("a key ring has a key");
        (*kid, key)
    }

    /// The key with the lowest kid. Tokens under lower kids are dead.
    #[must_use]
    pub fn oldest(&self) -> (Kid, &MasterKey) {
        let (kid, key) = self.keys.first_key_value().expect("a key ring has a key");
        (*kid, key)
    }

    /// The key with this kid, if it is kept.
    #[must_use]
    pub fn get(&self, kid: Kid) -> Option<&MasterKey> {
        self.keys.get(&kid)
    }

    /// All keys, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (Kid, &MasterKey)> {
        self.keys.iter().map(|(kid, key)| (*kid, key))
    }

    /// The key of generated client secrets.
    #[must_use]
    pub fn pepper(&self) -> &Pepper {
        &self.pepper
    }

    /// 8 bytes that are the same for the same key and tell nothing about it. The store keeps
    /// them, so that the key file of another store is recognised at start.
    ///
    /// `None` if the ring does not keep this kid.
    #[must_use]
    pub fn check_value(&self, kid: Kid) -> Option<[u8; 8]> {
        let key = self.get(kid)?;
        Some(*key.derive(&[], &[b"regrant/1/check"]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn a_new_ring_has_one_key() {
        let ring = KeyRing::generate(&SeededEntropy::new(1));
        assert_eq!(ring.newest().0, Kid::FIRST);
        assert_eq!(ring.oldest().0, Kid::FIRST);
        assert_ne!(ring.newest().1.expose(), ring.pepper().expose());
    }

    #[test]
    fn kids_only_grow() {
        let entropy = SeededEntropy::new(1);
        let mut ring = KeyRing::generate(&entropy);
        for expected in 2..=255 {
            assert_eq!(ring.add(&entropy).ok(), Some(Kid(expected)));
        }
        assert!(ring.add(&entropy).is_err());
        assert_eq!(ring.oldest().0, Kid::FIRST);
        assert_eq!(Some(ring.newest().0), Some(Kid(255)));
        assert_eq!(ring.iter().count(), 255);
    }

    #[test]
    fn old_keys_go_and_the_newest_stays() {
        let entropy = SeededEntropy::new(1);
        let mut ring = KeyRing::generate(&entropy);
        while ring.newest().0 < Kid(4) {
            ring.add(&entropy).unwrap();
        }
        let pepper = *ring.pepper().expose();
        for (oldest, is_changed, kept) in [(1, false, 1..=4), (3, true, 3..=4), (3, false, 3..=4), (9, true, 4..=4)] {
            ring.begin_retirement();
            assert_eq!(ring.retire_below(Kid(oldest)), is_changed, "below {oldest}");
            assert_eq!(ring.is_retiring(), ring.iter().count() > 1, "below {oldest}");
            assert_eq!(ring.iter().map(|(kid, _)| kid.0).collect::<Vec<_>>(), kept.collect::<Vec<_>>());
        }
        assert_eq!(ring.pepper().expose(), &pepper);
    }

    #[test]
    fn a_key_is_taken_from_another_ring_that_has_it() {
        let entropy = SeededEntropy::new(1);
        let (mut ring, mut other) = (KeyRing::generate(&entropy), KeyRing::generate(&entropy));
        other.add(&entropy).unwrap();
        for (kid, is_taken) in [(1, true), (2, true), (3, false)] {
            assert_eq!(ring.adopt(Kid(kid), &other), is_taken);
            assert_eq!(ring.check_value(Kid(kid)), other.check_value(Kid(kid)));
        }
    }

    #[test]
    fn an_empty_ring_cannot_be_made() {
        assert!(KeyRing::new(Pepper::from_bytes([1; 32]), BTreeMap::new()).is_none());
    }

    #[test]
    fn the_check_value_tells_keys_apart() {
        // python3: H = lambda k, m: hmac.new(k, m, hashlib.sha256).digest()
        //          H(H(bytes(32), b"\x05" * 32), b"regrant/1/check\x01")[:8].hex()
        let key = MasterKey::from_bytes([5; 32]);
        let other = MasterKey::from_bytes([6; 32]);
        let two = Kid(2);
        let keys = BTreeMap::from([(Kid::FIRST, key), (two, other)]);
        let ring = KeyRing::new(Pepper::from_bytes([1; 32]), keys).unwrap();

        assert_eq!(ring.check_value(Kid::FIRST), Some([0x99, 0x99, 0x3e, 0x44, 0x8f, 0x64, 0xd3, 0x6c]));
        assert_ne!(ring.check_value(two), ring.check_value(Kid::FIRST));
        assert_eq!(ring.check_value(Kid(3)), None);
    }

    #[test]
    fn debug_prints_kids_only() {
        let ring = KeyRing::generate(&SeededEntropy::new(1));
        assert_eq!(
            format!("{ring:?}"),
            "KeyRing { pepper: Pepper(redacted), keys: {Kid(1): MasterKey(redacted)}, is_retiring: false }"
        );
    }
}
