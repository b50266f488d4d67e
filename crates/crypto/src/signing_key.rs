//! Private keys, and the tokens they sign.

use std::fmt;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use zeroize::Zeroizing;

use crate::algorithm::Algorithm;
use crate::base64url;
use crate::jwk::{Jwk, PublicKey};
use crate::jws::JWS_BYTES_MAX;
use crate::rsa_public_key::{RsaPublicKey, RsaPublicKeyError};
use crate::typ::Typ;

/// A private key for one algorithm, parsed once.
pub struct SigningKey {
    pair: KeyPair,
    jwk: Jwk,
    key_id: String,
    /// The header after its type, the same for every token: `","alg":"…","kid":"…"}`.
    header_end: String,
}

/// Why bytes are not a signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigningKeyError {
    /// Not the PKCS#8 form of a key for the algorithm.
    #[error("not the PKCS#8 form of an unencrypted private key for {algorithm}: {detail}")]
    Pkcs8 {
        /// What the key was meant for.
        algorithm: Algorithm,
        /// What aws-lc says is wrong.
        detail: &'static str,
    },
    /// An RSA key out of bounds.
    #[error(transparent)]
    Rsa(#[from] RsaPublicKeyError),
}

/// The token would be longer than [`JWS_BYTES_MAX`], and nobody would accept it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signed token would have {bytes} bytes, more than {JWS_BYTES_MAX}; give it fewer claims")]
pub struct TokenTooLong {
    /// Its length.
    pub bytes: usize,
}

impl SigningKey {
    /// A new key: P-256, Ed25519, or RSA with 2048 bits. RSA takes some tenths of a second.
    ///
    /// The randomness is aws-lc's own. Panics if the operating system gives none.
    #[must_use]
    pub fn generate(algorithm: Algorithm) -> Self {
        let pair = match algorithm {
            Algorithm::Es256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map(KeyPair::Es256),
            Algorithm::EdDsa => Ed25519KeyPair::generate().map(KeyPair::EdDsa),
            Algorithm::Rs256 => RsaKeyPair::generate(KeySize::Rsa2048).map(KeyPair::Rs256),
        };
        let pair = pair.expect("making a key fails only without randomness or memory");
        Self::new(pair).expect("a key just made is within bounds")
    }

    /// The key whose PKCS#8 v1 form [`SigningKey::to_pkcs8`], or another program, wrote. RSA keys
    /// have 2048 to 4096 bits.
    pub fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<Self, SigningKeyError> {
        let pair = match algorithm {
            Algorithm::Es256 => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map(KeyPair::Es256),
            Algorithm::EdDsa => Ed25519KeyPair::from_pkcs8(der).map(KeyPair::EdDsa),
            Algorithm::Rs256 => RsaKeyPair::from_pkcs8(der).map(KeyPair::Rs256),
        };
        let pair = pair.map_err(|rejected| SigningKeyError::Pkcs8 { algorithm, detail: rejected.description_() })?;
        Ok(Self::new(pair)?)
    }

    /// The key in PKCS#8 v1 form (RFC 5208), unencrypted: seal it before it is kept.
    #[must_use]
    pub fn to_pkcs8(&self) -> Zeroizing<Vec<u8>> {
        let der = match &self.pair {
            KeyPair::Es256(pair) => pair.to_pkcs8v1().map(|der| der.as_ref().to_vec()),
            KeyPair::EdDsa(pair) => pair.to_pkcs8v1().map(|der| der.as_ref().to_vec()),
            KeyPair::Rs256(pair) => pair.as_der().map(|der: Pkcs8V1Der<'_>| der.as_ref().to_vec()),
        };
        Zeroizing::new(der.expect("writing a key fails only without memory"))
    }

    /// `kid`: the RFC 7638 thumbprint, 43 characters of base64url.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The algorithm of its signatures.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.jwk.key.algorithm()
    }

    /// The public key, for the JWK set.
    #[must_use]
    pub fn public_jwk(&self) -> &Jwk {
        &self.jwk
    }

    /// The compact JWS (RFC 7515 §3.1) of `claims_json`, with the header `typ`, `alg`, `kid`.
    ///
    /// EdDSA and RS256 give the same token for the same claims; ES256 a new one each time.
    pub fn sign(&self, typ: Typ, claims_json: &[u8]) -> Result<String, TokenTooLong> {
        let header = self.header(typ);
        let bytes = self.token_bytes(typ, claims_json.len())?;
        let mut token = String::with_capacity(bytes);
        base64url::encode_onto(header.as_bytes(), &mut token);
        token.push('.');
        base64url::encode_onto(claims_json, &mut token);
        let signature = self.pair.sign(token.as_bytes());
        token.push('.');
        base64url::encode_onto(&signature, &mut token);
        Ok(token)
    }

    /// How many bytes [`SigningKey::sign`] would write for claims of `claims_bytes` bytes.
    ///
    /// # Errors
    /// As [`SigningKey::sign`], when they are more than [`JWS_BYTES_MAX`].
    pub fn token_bytes(&self, typ: Typ, claims_bytes: usize) -> Result<usize, TokenTooLong> {
        let parts = [self.header(typ).len(), claims_bytes, self.pair.signature_bytes()];
        let bytes = parts.into_iter().map(|bytes| (bytes * 4).div_ceil(3)).sum::<usize>() + 2;
        if bytes > JWS_BYTES_MAX { Err(TokenTooLong { bytes }) } else { Ok(bytes) }
    }

    fn header(&self, typ: Typ) -> String {
        format!(r#"{{"typ":"{typ}{}"#, self.header_end)
    }

    /// A signature over bytes that need not be a token, to test what [`verify`](crate::verify)
    /// makes of headers we never write.
    #[cfg(test)]
    pub(crate) fn sign_bytes(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message)
    }

    fn new(pair: KeyPair) -> Result<Self, RsaPublicKeyError> {
        let mut jwk = Jwk { key_id: None, key: pair.public_key()? };
        let key_id = jwk.thumbprint();
        jwk.key_id = Some(key_id.clone());
        Ok(Self { header_end: format!(r#"","alg":"{}","kid":"{key_id}"}}"#, jwk.key.algorithm()), pair, jwk, key_id })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, {}, redacted)", self.algorithm(), self.key_id)
    }
}

/// aws-lc wipes these when they are dropped.
enum KeyPair {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(RsaKeyPair),
}

impl KeyPair {
    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Es256(pair) => pair
                .sign(&SystemRandom::new(), message)
                .expect("ECDSA fails only without randomness or memory")
                .as_ref()
                .to_vec(),
            Self::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .expect("RSA fails only without memory: the modulus has room for the digest");
                signature
            }
        }
    }

    fn signature_bytes(&self) -> usize {
        match self {
            Self::Es256(_) | Self::EdDsa(_) => 64,
            Self::Rs256(pair) => pair.public_modulus_len(),
        }
    }

    fn public_key(&self) -> Result<PublicKey, RsaPublicKeyError> {
        match self {
            Self::Es256(pair) => {
                let coordinates = &pair.public_key().as_ref()[1..];
                let (x, y) = coordinates.split_at(32);
                Ok(PublicKey::P256 {
                    x: x.try_into().expect("aws-lc gives P-256 points uncompressed"),
                    y: y.try_into().expect("aws-lc gives P-256 points uncompressed"),
                })
            }
            Self::EdDsa(pair) => Ok(PublicKey::Ed25519 {
                x: pair.public_key().as_ref().try_into().expect("an Ed25519 public key has 32 bytes"),
            }),
            Self::Rs256(pair) => RsaPublicKey::from_der(pair.public_key().as_ref()).map(PublicKey::Rsa),
        }
    }
}
