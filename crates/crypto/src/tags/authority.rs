//! The authority tag: what makes a token ours.

use std::fmt;

use aws_lc_rs::hmac;
use subtle::ConstantTimeEq as _;

use super::{HEAD_BYTES, Purpose};
use crate::master_key::MasterKey;

/// The bytes of a token before its authority tag: head ‖ prefilter tag.
pub const MESSAGE_BYTES: usize = HEAD_BYTES + 8;

/// The most bytes of a client id or a binding: what a `u16` length can say.
pub const CONTEXT_FIELD_BYTES_MAX: usize = u16::MAX as usize;

/// The key of one grant and purpose.
pub struct AuthorityKey(hmac::Key);

/// HKDF-SHA-256 with the grant's secret as salt and the master key as key material, info
/// `regrant/1/authority/` ‖ purpose. Whoever lacks either of the two has no part of the key.
#[must_use]
pub fn authority_key(master: &MasterKey, grant_secret: &[u8; 16], purpose: Purpose) -> AuthorityKey {
    let info = [b"regrant/1/authority/", purpose.label().as_bytes()];
    let key = master.derive::<32>(grant_secret, &info);
    AuthorityKey(hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()))
}

impl AuthorityKey {
    /// The first 20 bytes of HMAC-SHA-256 over `context` ‖ `message`. Does not allocate.
    #[must_use]
    pub fn tag(&self, context: &AuthorityContext<'_>, message: &[u8; MESSAGE_BYTES]) -> [u8; 20] {
        let mut hmac = hmac::Context::with_key(&self.0);
        for (length, field) in context.fields() {
            hmac.update(&length);
            hmac.update(field);
        }
        hmac.update(message);
        let mut tag = [0; 20];
        tag.copy_from_slice(&hmac.sign().as_ref()[..20]);
        tag
    }

    /// Whether `tag` is the tag of `context` and `message`, in constant time.
    #[must_use]
    pub fn verify(&self, context: &AuthorityContext<'_>, message: &[u8; MESSAGE_BYTES], tag: &[u8; 20]) -> bool {
        self.tag(context, message).ct_eq(tag).into()
    }
}

impl fmt::Debug for AuthorityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthorityKey(redacted)")
    }
}

/// The facts a token is bound to but does not carry. They come from the grant's row, never from
/// the request.
#[derive(Clone, Copy, Debug)]
pub struct AuthorityContext<'a> {
    realm: &'a [u8; 16],
    epoch: &'a [u8; 16],
    client_id: &'a str,
    binding: &'a [u8],
}

/// A client id or binding that no token can be bound to.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {field} has {bytes} bytes, more than the {CONTEXT_FIELD_BYTES_MAX} a token can be bound to")]
pub struct ContextFieldTooLong {
    /// Which of the two.
    pub field: &'static str,
    /// Its length.
    pub bytes: usize,
}

impl<'a> AuthorityContext<'a> {
    /// `realm` and the `epoch`'s random bytes as the store keeps them; `binding` is the DPoP or
    /// certificate thumbprint of a public client, and empty where there is none.
    pub fn new(
        realm: &'a [u8; 16],
        epoch: &'a [u8; 16],
        client_id: &'a str,
        binding: &'a [u8],
    ) -> Result<Self, ContextFieldTooLong> {
        for (field, bytes) in [("client id", client_id.len()), ("binding", binding.len())] {
            if bytes > CONTEXT_FIELD_BYTES_MAX {
                return Err(ContextFieldTooLong { field, bytes });
            }
        }
        Ok(Self { realm, epoch, client_id, binding })
    }

    /// The associated data of an opaque access token: these facts, then its `head`.
    #[must_use]
    pub fn with_head(&self, head: &[u8; HEAD_BYTES]) -> Vec<u8> {
        let fields = self.fields();
        let length: usize = fields.iter().map(|(length, field)| length.len() + field.len()).sum();
        let mut bytes = Vec::with_capacity(length + HEAD_BYTES);
        for (length, field) in fields {
            bytes.extend_from_slice(&length);
            bytes.extend_from_slice(field);
        }
        bytes.extend_from_slice(head);
        bytes
    }

    fn fields(&self) -> [([u8; 2], &'a [u8]); 4] {
        let fields = [self.realm.as_slice(), self.epoch, self.client_id.as_bytes(), self.binding];
        fields.map(|field| {
            let length = u16::try_from(field.len()).expect("AuthorityContext::new checked it");
            (length.to_be_bytes(), field)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REALM: [u8; 16] = [0xA5; 16];
    const EPOCH: [u8; 16] = [0x5A; 16];
    const SECRET: [u8; 16] = [0xC3; 16];

    fn master() -> MasterKey {
        MasterKey::from_bytes(std::array::from_fn(|i| i as u8))
    }

    fn message() -> [u8; MESSAGE_BYTES] {
        std::array::from_fn(|i| 0x40 + i as u8)
    }

    fn context<'a>(client_id: &'a str, binding: &'a [u8]) -> AuthorityContext<'a> {
        AuthorityContext::new(&REALM, &EPOCH, client_id, binding).unwrap()
    }

    #[test]
    fn the_tag_is_the_one_computed_by_hand() {
        // python3: H = lambda k, m: hmac.new(k, m, hashlib.sha256).digest()
        //          lp = lambda *p: b"".join(len(x).to_bytes(2, "big") + x for x in p)
        //          prk = H(b"\xc3" * 16, bytes(range(32)))
        //          key = H(prk, b"regrant/1/authority/" + purpose + b"\x01")
        //          aad = lp(b"\xa5" * 16, b"\x5a" * 16, b"app", binding)
        //          H(key, aad + bytes(range(0x40, 0x5f)))[:20].hex()
        let expected: [(Purpose, &[u8], &str); 4] = [
            (Purpose::Refresh, b"", "6c30b22aff18465b445dcbceaf258ba58359e96b"),
            (Purpose::Refresh, &[7; 32], "220c80c38e0944330b63ba09e2537f94d3cbca56"),
            (Purpose::Code, b"", "4ed635edd2daf6d53a1c5c19c273480d7ef0b11b"),
            (Purpose::Access, b"", "107edfeb063718320f1268631ca6ac66feb64ce3"),
        ];
        for (purpose, binding, tag) in expected {
            let key = authority_key(&master(), &SECRET, purpose);
            let computed = key.tag(&context("app", binding), &message());
            let hex: String = computed.iter().map(|b| format!("{b:02x}")).collect();
            assert_eq!(hex, tag, "{purpose:?}");
            assert!(key.verify(&context("app", binding), &message(), &computed));
        }
    }

    #[test]
    fn everything_that_enters_changes_the_tag() {
        let key = authority_key(&master(), &SECRET, Purpose::Refresh);
        let facts = context("app", b"thumbprint");
        let tag = key.tag(&facts, &message());

        for i in 0..MESSAGE_BYTES {
            let mut other = message();
            other[i] ^= 1;
            assert!(!key.verify(&facts, &other, &tag), "byte {i} of the message");
        }
        for i in 0..20 {
            let mut other = tag;
            other[i] ^= 1;
            assert!(!key.verify(&facts, &message(), &other), "byte {i} of the tag");
        }
        for i in 0..16 {
            let mut other = [REALM, EPOCH, SECRET];
            for bytes in &mut other {
                bytes[i] ^= 1;
            }
            let [realm, epoch, secret] = other;
            let facts = |realm, epoch| AuthorityContext::new(realm, epoch, "app", b"thumbprint").unwrap();
            let key_of_other = authority_key(&master(), &secret, Purpose::Refresh);
            assert!(!key.verify(&facts(&realm, &EPOCH), &message(), &tag), "realm {i}");
            assert!(!key.verify(&facts(&REALM, &epoch), &message(), &tag), "epoch {i}");
            let same = facts(&REALM, &EPOCH);
            assert!(!key_of_other.verify(&same, &message(), &tag), "secret {i}");
        }
        for other in [context("apq", b"thumbprint"), context("app", b"thumbprinu"), context("app", b"")] {
            assert!(!key.verify(&other, &message(), &tag), "{other:?}");
        }
        for purpose in [Purpose::Code, Purpose::Access] {
            let other = authority_key(&master(), &SECRET, purpose);
            assert!(!other.verify(&facts, &message(), &tag), "{purpose:?}");
        }
        let other = authority_key(&MasterKey::from_bytes([9; 32]), &SECRET, Purpose::Refresh);
        assert!(!other.verify(&facts, &message(), &tag), "the master key");
    }

    #[test]
    fn a_byte_cannot_move_from_the_client_id_to_the_binding() {
        let key = authority_key(&master(), &SECRET, Purpose::Refresh);
        let tag = key.tag(&context("ab", b"c"), &message());
        assert_ne!(tag, key.tag(&context("a", b"bc"), &message()));
        assert_ne!(tag, key.tag(&context("abc", b""), &message()));
    }

    #[test]
    fn the_associated_data_is_what_the_tag_is_of() {
        let head: [u8; HEAD_BYTES] = std::array::from_fn(|i| 0x40 + i as u8);
        let expected = [&[0, 16][..], &REALM, &[0, 16], &EPOCH, &[0, 3], b"app", &[0, 2], b"xy", &head];
        assert_eq!(context("app", b"xy").with_head(&head), expected.concat());
    }

    #[test]
    fn a_field_longer_than_its_length_can_say_is_refused() {
        let longest = "a".repeat(CONTEXT_FIELD_BYTES_MAX);
        let too_long = "a".repeat(CONTEXT_FIELD_BYTES_MAX + 1);
        let new = |id, binding| AuthorityContext::new(&REALM, &EPOCH, id, binding).map(|_| ());
        let error = |field| Err(ContextFieldTooLong { field, bytes: 65536 });
        assert_eq!(new(&longest, longest.as_bytes()), Ok(()));
        assert_eq!(new(&too_long, b""), error("client id"));
        assert_eq!(new("", too_long.as_bytes()), error("binding"));
    }

    #[test]
    fn debug_prints_no_key() {
        let key = authority_key(&master(), &SECRET, Purpose::Refresh);
        assert_eq!(format!("{key:?}"), "AuthorityKey(redacted)");
    }
}
