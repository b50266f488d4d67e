//! Public keys ready for use.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
};

use crate::algorithm::Algorithm;
use crate::jwk::{Jwk, JwkError, PublicKey};

/// A public key that was parsed once and verifies many signatures, with one algorithm.
#[derive(Clone, Debug)]
pub struct VerifyingKey {
    key_id: String,
    algorithm: Algorithm,
    parsed: ParsedPublicKey,
}

impl VerifyingKey {
    /// Parses the key. Its id is the JWK's `kid`, or the thumbprint if it has none.
    pub fn new(jwk: &Jwk) -> Result<Self, JwkError> {
        let parsed = match &jwk.key {
            PublicKey::P256 { x, y } => {
                let point = [&[UNCOMPRESSED_POINT], x.as_slice(), y].concat();
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(|_| JwkError::Number("y"))?
            }
            PublicKey::Ed25519 { x } => ParsedPublicKey::new(&ED25519, x).map_err(|_| JwkError::Number("x"))?,
            PublicKey::Rsa(key) => RsaPublicKeyComponents { n: key.modulus(), e: key.exponent() }
                .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
                .map_err(|_| JwkError::Number("n"))?,
        };
        Ok(Self {
            key_id: jwk.key_id.clone().unwrap_or_else(|| jwk.thumbprint()),
            algorithm: jwk.key.algorithm(),
            parsed,
        })
    }

    /// What a JWS header calls this key in `kid`.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The only algorithm this key verifies.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.parsed.verify_sig(message, signature).is_ok()
    }
}

/// SEC 1 §2.3.3: both coordinates follow.
pub(crate) const UNCOMPRESSED_POINT: u8 = 4;
