//! The two kinds of key that live outside the database, and the derivation of all others.

use std::fmt;

use aws_lc_rs::{hkdf, hmac};
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::entropy::{Entropy, random};

/// 32 random bytes from which the keys of tags, seals and opaque tokens are derived.
#[derive(Clone, ZeroizeOnDrop)]
pub struct MasterKey([u8; 32]);

impl MasterKey {
    /// The key with exactly these bytes, which must be random.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A new key.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(random(entropy))
    }

    /// The bytes, for the key file alone.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// HKDF-SHA-256 (RFC 5869). No salt and an empty salt are the same.
    ///
    /// The parts of `info` are joined without separators, so only its last part may vary in
    /// length.
    pub(crate) fn derive<const N: usize>(&self, salt: &[u8], info: &[&[u8]]) -> Zeroizing<[u8; N]> {
        let mut derived = Zeroizing::new([0; N]);
        hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
            .extract(&self.0)
            .expand(info, OutputBytes(N))
            .and_then(|output| output.fill(derived.as_mut_slice()))
            .expect("HKDF-SHA-256 gives up to 8160 bytes and we ask for at most 32");
        derived
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(redacted)")
    }
}

/// 32 random bytes under which generated client secrets are kept. Key rotation never retires it,
/// because the secrets it keyed cannot be keyed again.
#[derive(Clone, ZeroizeOnDrop)]
pub struct Pepper {
    bytes: [u8; 32],
    /// The same as the key that it is. It erases itself.
    #[zeroize(skip)]
    hmac_key: hmac::Key,
}

impl Pepper {
    /// The pepper with exactly these bytes, which must be random.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self { bytes, hmac_key: hmac::Key::new(hmac::HMAC_SHA256, &bytes) }
    }

    /// A new pepper.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self::from_bytes(random(entropy))
    }

    /// The bytes, for the key file alone.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.bytes
    }

    pub(crate) fn hmac_key(&self) -> &hmac::Key {
        &self.hmac_key
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(redacted)")
    }
}

struct OutputBytes(usize);

impl hkdf::KeyType for OutputBytes {
    fn len(&self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivation_is_hkdf_of_rfc_5869() {
        // python3: H = lambda k, m: hmac.new(k, m, hashlib.sha256).digest()
        //          H(H(bytes(32), bytes(range(32))), b"label" + b"\x01").hex()
        let master = MasterKey::from_bytes(std::array::from_fn(|i| i as u8));
        assert_eq!(
            *master.derive::<32>(&[], &[b"la", b"bel"]),
            [
                0x47, 0x9d, 0xd8, 0x4d, 0x16, 0x3d, 0xf1, 0x78, 0x25, 0x66, 0xe1, 0x80, 0x3f, 0xaf, 0x19, 0x9e, 0x24,
                0xd3, 0xaf, 0x4d, 0xcc, 0x11, 0x9c, 0x29, 0x9d, 0xc0, 0x19, 0x0b, 0x1c, 0x46, 0x19, 0x8f
            ]
        );
    }

    #[test]
    fn debug_prints_no_key() {
        let keys = format!("{:?} {:?}", MasterKey::from_bytes([77; 32]), Pepper::from_bytes([77; 32]));
        assert_eq!(keys, "MasterKey(redacted) Pepper(redacted)");
    }
}
