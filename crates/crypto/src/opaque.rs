//! The body of an opaque access token: its claims under AES-256-GCM-SIV (RFC 8452).

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::master_key::MasterKey;

/// The key of one grant's opaque access tokens.
///
/// Encryption is a function of claims and associated data: equal claims give equal tokens, so that
/// a retry creates no second one. The nonce is therefore fixed. That is sound here, and only here,
/// because SIV mode keeps its promises when a nonce repeats (RFC 8452 §1): it tells whether two
/// tokens of *one* grant hold equal claims under equal associated data, which their equality is
/// meant to tell.
pub struct AccessKey(LessSafeKey);

/// Not encrypted under this key with this associated data, or changed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body of the access token is not one that this grant's key made")]
pub struct NotOurClaims;

impl AccessKey {
    /// HKDF-SHA-256 with the grant's secret as salt and the master key as key material, info
    /// `regrant/1/encryption/access`: not the label of the authority tag, because one key must
    /// not serve HMAC and AES.
    #[must_use]
    pub fn new(master: &MasterKey, grant_secret: &[u8; 16]) -> Self {
        let key = master.derive::<32>(grant_secret, &[b"regrant/1/encryption/access"]);
        let key = UnboundKey::new(&AES_256_GCM_SIV, key.as_slice()).expect("32 bytes are a key");
        Self(LessSafeKey::new(key))
    }

    /// ciphertext ‖ tag: 16 bytes more than `claims`. `aad` is
    /// [`AuthorityContext::with_head`](crate::AuthorityContext::with_head).
    #[must_use]
    pub fn encrypt(&self, claims: &[u8], aad: &[u8]) -> Vec<u8> {
        let mut body = Vec::with_capacity(claims.len() + 16);
        body.extend_from_slice(claims);
        self.0
            .seal_in_place_append_tag(fixed_nonce(), Aad::from(aad), &mut body)
            .expect("AES-GCM-SIV encrypts up to 64 GiB");
        body
    }

    /// The claims, if `body` was made under this key with this `aad`.
    pub fn decrypt(&self, body: &[u8], aad: &[u8]) -> Result<Vec<u8>, NotOurClaims> {
        let mut claims = body.to_vec();
        let claims_bytes =
            self.0.open_in_place(fixed_nonce(), Aad::from(aad), &mut claims).map_err(|_| NotOurClaims)?.len();
        claims.truncate(claims_bytes);
        Ok(claims)
    }
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessKey(redacted)")
    }
}

fn fixed_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> AccessKey {
        AccessKey::new(&MasterKey::from_bytes([1; 32]), &[2; 16])
    }

    #[test]
    fn a_body_is_the_one_computed_elsewhere() {
        // python3: H = lambda k, m: hmac.new(k, m, hashlib.sha256).digest()
        //          key = H(H(b"\x02" * 16, b"\x01" * 32), b"regrant/1/encryption/access\x01")
        //          AESGCMSIV(key).encrypt(bytes(12), b"claims", b"aad").hex()
        let body = key().encrypt(b"claims", b"aad");
        let hex: String = body.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "29c17b983f797dca73eddb98685579a3608923f4cb1d");
    }

    #[test]
    fn equal_claims_give_equal_tokens() {
        assert_eq!(key().encrypt(b"claims", b"aad"), key().encrypt(b"claims", b"aad"));
        assert_ne!(key().encrypt(b"claims", b"aad"), key().encrypt(b"claimt", b"aad"));
        assert_ne!(key().encrypt(b"claims", b"aad"), key().encrypt(b"claims", b"aae"));
    }

    #[test]
    fn only_the_same_keys_and_associated_data_decrypt() {
        let body = key().encrypt(b"claims", b"aad");
        let other_master = AccessKey::new(&MasterKey::from_bytes([3; 32]), &[2; 16]);
        let other_grant = AccessKey::new(&MasterKey::from_bytes([1; 32]), &[3; 16]);
        assert_eq!(key().decrypt(&body, b"aad").as_deref(), Ok(&b"claims"[..]));
        assert_eq!(key().decrypt(&body, b"aae"), Err(NotOurClaims));
        assert_eq!(other_master.decrypt(&body, b"aad"), Err(NotOurClaims));
        assert_eq!(other_grant.decrypt(&body, b"aad"), Err(NotOurClaims));
        assert_eq!(key().decrypt(&body[..15], b"aad"), Err(NotOurClaims), "no room for a tag");
        assert_eq!(key().decrypt(b"", b"aad"), Err(NotOurClaims));
    }

    #[test]
    fn debug_prints_no_key() {
        assert_eq!(format!("{:?}", key()), "AccessKey(redacted)");
    }

    proptest! {
        #[test]
        fn what_was_encrypted_is_decrypted(claims: Vec<u8>, aad: Vec<u8>) {
            let body = key().encrypt(&claims, &aad);
            prop_assert_eq!(key().decrypt(&body, &aad), Ok(claims));
        }

        #[test]
        fn a_flipped_bit_is_found(claims: Vec<u8>, bit: prop::sample::Index) {
            let mut body = key().encrypt(&claims, b"");
            let bit = bit.index(body.len() * 8);
            body[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(key().decrypt(&body, b""), Err(NotOurClaims));
        }
    }
}
