//! The prefilter tag: forged tokens are turned away without the database.

use std::collections::BTreeMap;
use std::fmt;

use aws_lc_rs::hmac;
use subtle::ConstantTimeEq as _;

use super::{HEAD_BYTES, Purpose};
use crate::key_ring::KeyRing;
use crate::master_key::MasterKey;
use regrant_protocol::Kid;

/// The key of one purpose under one master key. Making it costs more than a tag; keep it in
/// [`PrefilterKeys`].
pub struct PrefilterKey(hmac::Key);

/// HKDF-SHA-256 of the master key, without salt, info `regrant/1/prefilter/` ‖ purpose.
#[must_use]
pub fn prefilter_key(master: &MasterKey, purpose: Purpose) -> PrefilterKey {
    let info = [b"regrant/1/prefilter/", purpose.label().as_bytes()];
    let key = master.derive::<32>(&[], &info);
    PrefilterKey(hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()))
}

impl PrefilterKey {
    /// The first 8 bytes of HMAC-SHA-256 over `head` ‖ `realm`. Does not allocate.
    #[must_use]
    pub fn tag(&self, head: &[u8; HEAD_BYTES], realm: &[u8; 16]) -> [u8; 8] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(head);
        context.update(realm);
        let mut tag = [0; 8];
        tag.copy_from_slice(&context.sign().as_ref()[..8]);
        tag
    }

    /// Whether `tag` is the tag of `head` and `realm`, in constant time.
    #[must_use]
    pub fn verify(&self, head: &[u8; HEAD_BYTES], realm: &[u8; 16], tag: &[u8; 8]) -> bool {
        self.tag(head, realm).ct_eq(tag).into()
    }
}

impl fmt::Debug for PrefilterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrefilterKey(redacted)")
    }
}

/// The prefilter keys of every purpose under every master key of a ring, derived once.
#[derive(Debug)]
pub struct PrefilterKeys(BTreeMap<Kid, OfPurpose>);

impl PrefilterKeys {
    /// Derives the keys of `ring` as it is now.
    #[must_use]
    pub fn new(ring: &KeyRing) -> Self {
        let of_master = |(kid, master)| {
            let keys = OfPurpose {
                refresh: prefilter_key(master, Purpose::Refresh),
                code: prefilter_key(master, Purpose::Code),
                access: prefilter_key(master, Purpose::Access),
            };
            (kid, keys)
        };
        Self(ring.iter().map(of_master).collect())
    }

    /// The key of `purpose` under the master key `kid`; `None` if the ring did not keep it.
    #[must_use]
    pub fn get(&self, kid: Kid, purpose: Purpose) -> Option<&PrefilterKey> {
        let keys = self.0.get(&kid)?;
        Some(match purpose {
            Purpose::Refresh => &keys.refresh,
            Purpose::Code => &keys.code,
            Purpose::Access => &keys.access,
        })
    }
}

#[derive(Debug)]
struct OfPurpose {
    refresh: PrefilterKey,
    code: PrefilterKey,
    access: PrefilterKey,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    const REALM: [u8; 16] = [0xA5; 16];

    fn head() -> [u8; HEAD_BYTES] {
        std::array::from_fn(|i| 0x40 + i as u8)
    }

    fn master() -> MasterKey {
        MasterKey::from_bytes(std::array::from_fn(|i| i as u8))
    }

    #[test]
    fn the_tag_is_the_one_computed_by_hand() {
        // python3: H = lambda k, m: hmac.new(k, m, hashlib.sha256).digest()
        //          prk = H(bytes(32), bytes(range(32)))
        //          key = H(prk, b"regrant/1/prefilter/" + purpose + b"\x01")
        //          H(key, bytes(range(0x40, 0x57)) + b"\xa5" * 16)[:8].hex()
        let expected = [
            (Purpose::Refresh, 0xd449_b251_2f84_4292_u64),
            (Purpose::Code, 0x5fd9_869f_73e0_a29d),
            (Purpose::Access, 0x24ef_29a1_c4f6_e963),
        ];
        for (purpose, tag) in expected {
            let key = prefilter_key(&master(), purpose);
            assert_eq!(key.tag(&head(), &REALM), tag.to_be_bytes(), "{purpose:?}");
            assert!(key.verify(&head(), &REALM, &tag.to_be_bytes()));
        }
    }

    #[test]
    fn everything_that_enters_changes_the_tag() {
        let key = prefilter_key(&master(), Purpose::Refresh);
        let tag = key.tag(&head(), &REALM);
        for i in 0..HEAD_BYTES {
            let mut other = head();
            other[i] ^= 1;
            assert!(!key.verify(&other, &REALM, &tag), "byte {i} of the head");
        }
        for i in 0..16 {
            let mut other = REALM;
            other[i] ^= 1;
            assert!(!key.verify(&head(), &other, &tag), "byte {i} of the realm");
        }
        for i in 0..8 {
            let mut other = tag;
            other[i] ^= 1;
            assert!(!key.verify(&head(), &REALM, &other), "byte {i} of the tag");
        }
        let other = prefilter_key(&MasterKey::from_bytes([9; 32]), Purpose::Refresh);
        assert!(!other.verify(&head(), &REALM, &tag), "the master key");
        let other = prefilter_key(&master(), Purpose::Code);
        assert!(!other.verify(&head(), &REALM, &tag), "the purpose");
    }

    #[test]
    fn the_table_holds_the_keys_of_the_ring() {
        let entropy = SeededEntropy::new(3);
        let mut ring = KeyRing::generate(&entropy);
        ring.add(&entropy).unwrap();
        let table = PrefilterKeys::new(&ring);
        for (kid, master) in ring.iter() {
            for purpose in Purpose::ALL {
                let tag = prefilter_key(master, purpose).tag(&head(), &REALM);
                let key = table.get(kid, purpose).unwrap();
                assert_eq!(key.tag(&head(), &REALM), tag, "{kid} {purpose:?}");
            }
        }
        assert!(table.get(Kid(3), Purpose::Refresh).is_none());
    }

    #[test]
    fn debug_prints_no_key() {
        let key = prefilter_key(&master(), Purpose::Refresh);
        assert_eq!(format!("{key:?}"), "PrefilterKey(redacted)");
    }
}
