//! What the database or a page may carry but not read or change: AES-256-GCM.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::entropy::{Entropy, random};
use crate::master_key::MasterKey;

/// A key for values of one kind. Random nonces of 96 bits bear 2³² seals under one master key
/// and label (NIST SP 800-38D §8.3).
pub struct SealingKey(LessSafeKey);

/// Why something could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Shorter than any seal.
    #[error("{bytes} bytes are too few for a sealed value, which has {OVERHEAD_BYTES} or more")]
    TooShort {
        /// Its length.
        bytes: usize,
    },
    /// Sealed under another key or for another place, or changed since.
    #[error("the sealed value was changed, or sealed under another key or for another place")]
    NotAuthentic,
}

impl SealingKey {
    /// The key for values of the kind `label` (such as `signing-key`) under `master`: HKDF-SHA-256,
    /// info `regrant/1/seal/` ‖ label.
    #[must_use]
    pub fn new(master: &MasterKey, label: &'static str) -> Self {
        let key = master.derive::<32>(&[], &[b"regrant/1/seal/", label.as_bytes()]);
        let key = UnboundKey::new(&AES_256_GCM, key.as_slice()).expect("32 bytes are a key");
        Self(LessSafeKey::new(key))
    }

    /// nonce ‖ ciphertext ‖ tag: 28 bytes more than `plaintext`. `aad` names the place the value
    /// is for and must be given again to [`SealingKey::open`].
    #[must_use]
    pub fn seal(&self, plaintext: &[u8], aad: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = random(entropy);
        let mut sealed = Vec::with_capacity(plaintext.len() + OVERHEAD_BYTES);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plaintext);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self
            .0
            .seal_in_place_separate_tag(nonce, Aad::from(aad), &mut sealed[NONCE_BYTES..])
            .expect("AES-GCM seals up to 64 GiB");
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    /// What was sealed, if it was sealed under this key with this `aad` and not changed since.
    pub fn open(&self, sealed: &[u8], aad: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let too_short = SealError::TooShort { bytes: sealed.len() };
        if sealed.len() < OVERHEAD_BYTES {
            return Err(too_short);
        }
        let (nonce, ciphertext) = sealed.split_first_chunk().ok_or(too_short)?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let mut opened = Zeroizing::new(ciphertext.to_vec());
        let plaintext_bytes =
            self.0.open_in_place(nonce, Aad::from(aad), &mut opened).map_err(|_| SealError::NotAuthentic)?.len();
        opened.truncate(plaintext_bytes);
        Ok(opened)
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(redacted)")
    }
}

const NONCE_BYTES: usize = 12;
const OVERHEAD_BYTES: usize = NONCE_BYTES + 16;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::entropy::SeededEntropy;

    fn key(label: &'static str) -> SealingKey {
        SealingKey::new(&MasterKey::from_bytes([1; 32]), label)
    }

    /// Answers every question with the byte 9.
    struct Nines;

    impl Entropy for Nines {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(9);
        }
    }

    #[test]
    fn a_seal_is_the_one_computed_elsewhere() {
        // python3: H = lambda k, m: hmac.new(k, m, hashlib.sha256).digest()
        //          key = H(H(bytes(32), b"\x01" * 32), b"regrant/1/seal/kind\x01")
        //          AESGCM(key).encrypt(b"\x09" * 12, b"plain", b"place").hex()
        let sealed = key("kind").seal(b"plain", b"place", &Nines);
        assert_eq!(sealed[..12], [9; 12]);
        let hex: String = sealed[12..].iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "c78aaca8602df2111941ed86fa63c4f1c9f49a2540");
    }

    #[test]
    fn only_the_same_key_label_and_place_open() {
        let sealed = key("a").seal(b"plain", b"place", &SeededEntropy::new(1));
        let refused = |key: &SealingKey, aad| key.open(&sealed, aad).err();
        let other_master = SealingKey::new(&MasterKey::from_bytes([2; 32]), "a");

        assert_eq!(refused(&key("a"), b"place"), None);
        assert_eq!(refused(&key("a"), b"elsewhere"), Some(SealError::NotAuthentic));
        assert_eq!(refused(&key("b"), b"place"), Some(SealError::NotAuthentic));
        assert_eq!(refused(&other_master, b"place"), Some(SealError::NotAuthentic));
    }

    #[test]
    fn what_is_too_short_is_refused() {
        let sealed = key("a").seal(b"", b"", &SeededEntropy::new(1));
        assert_eq!(sealed.len(), OVERHEAD_BYTES);
        assert_eq!(key("a").open(&sealed, b"").unwrap().len(), 0);
        for bytes in 0..OVERHEAD_BYTES {
            assert_eq!(key("a").open(&sealed[..bytes], b"").err(), Some(SealError::TooShort { bytes }));
        }
    }

    #[test]
    fn equal_values_have_different_seals() {
        let entropy = SeededEntropy::new(1);
        let seal = || key("a").seal(b"plain", b"", &entropy);
        assert_ne!(seal(), seal());
    }

    #[test]
    fn debug_prints_no_key() {
        assert_eq!(format!("{:?}", key("a")), "SealingKey(redacted)");
    }

    proptest! {
        #[test]
        fn what_was_sealed_is_opened(
            plaintext: Vec<u8>, aad: Vec<u8>, seed: u64
        ) {
            let sealed = key("a").seal(&plaintext, &aad, &SeededEntropy::new(seed));
            let opened = key("a").open(&sealed, &aad).unwrap();
            prop_assert_eq!(opened.as_slice(), plaintext);
        }

        #[test]
        fn a_flipped_bit_is_found(plaintext: Vec<u8>, bit: prop::sample::Index) {
            let mut sealed = key("a").seal(&plaintext, b"", &SeededEntropy::new(1));
            let bit = bit.index(sealed.len() * 8);
            sealed[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(key("a").open(&sealed, b"").err(), Some(SealError::NotAuthentic));
        }
    }
}
