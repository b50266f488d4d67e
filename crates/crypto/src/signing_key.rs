//! Private keys, and the tokens they sign.

use std::fmt;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPairComponents, KeySize, PublicKeyComponents};
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
use crate::verifying_key::UNCOMPRESSED_POINT;

/// How the header of a signed token says which key it was signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyReference<'a> {
    /// By `kid`, a name that both sides know (RFC 7515 §4.1.4).
    Id(&'a str),
    /// By `jwk`, the public key itself (RFC 7515 §4.1.3): whoever checks it learns no more than that somebody has the key.
    Embedded,
    /// Not at all: whoever checks it has one key for each algorithm.
    None,
}

/// The numbers of a private RSA key (RFC 7518 §6.3), big-endian.
pub(crate) struct RsaNumbers {
    pub(crate) n: Zeroizing<Vec<u8>>,
    pub(crate) e: Zeroizing<Vec<u8>>,
    pub(crate) d: Zeroizing<Vec<u8>>,
    pub(crate) p: Zeroizing<Vec<u8>>,
    pub(crate) q: Zeroizing<Vec<u8>>,
    pub(crate) dp: Zeroizing<Vec<u8>>,
    pub(crate) dq: Zeroizing<Vec<u8>>,
    pub(crate) qi: Zeroizing<Vec<u8>>,
}

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
        Self::parsed(algorithm, pair)
    }

    /// A P-256 key in the form of RFC 5915, or in PKCS#8.
    pub(crate) fn from_ec_der(der: &[u8]) -> Result<Self, SigningKeyError> {
        Self::parsed(
            Algorithm::Es256,
            EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map(KeyPair::Es256),
        )
    }

    /// An RSA key in the form of RFC 8017 §A.1.2.
    pub(crate) fn from_rsa_der(der: &[u8]) -> Result<Self, SigningKeyError> {
        Self::parsed(Algorithm::Rs256, RsaKeyPair::from_der(der).map(KeyPair::Rs256))
    }

    /// A P-256 key from its numbers.
    pub(crate) fn from_p256(d: &[u8], x: &[u8], y: &[u8]) -> Result<Self, SigningKeyError> {
        let point = [&[UNCOMPRESSED_POINT], x, y].concat();
        let pair = EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_FIXED_SIGNING, d, &point);
        Self::parsed(Algorithm::Es256, pair.map(KeyPair::Es256))
    }

    /// An Ed25519 key from its seed.
    pub(crate) fn from_ed25519(seed: &[u8], x: &[u8]) -> Result<Self, SigningKeyError> {
        let pair = Ed25519KeyPair::from_seed_and_public_key(seed, x);
        Self::parsed(Algorithm::EdDsa, pair.map(KeyPair::EdDsa))
    }

    /// An RSA key from its numbers.
    pub(crate) fn from_rsa(numbers: &RsaNumbers) -> Result<Self, SigningKeyError> {
        let pair = RsaKeyPair::from_components(&KeyPairComponents {
            public_key: PublicKeyComponents { n: numbers.n.as_slice(), e: numbers.e.as_slice() },
            d: numbers.d.as_slice(),
            p: numbers.p.as_slice(),
            q: numbers.q.as_slice(),
            dP: numbers.dp.as_slice(),
            dQ: numbers.dq.as_slice(),
            qInv: numbers.qi.as_slice(),
        });
        Self::parsed(Algorithm::Rs256, pair.map(KeyPair::Rs256))
    }

    fn parsed(algorithm: Algorithm, pair: Result<KeyPair, KeyRejected>) -> Result<Self, SigningKeyError> {
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
        self.sign_under(&self.header(typ), claims_json)
    }

    /// As [`SigningKey::sign`], with another way to say which key it was.
    ///
    /// # Errors
    /// As there.
    pub fn sign_referring(
        &self,
        typ: Typ,
        reference: KeyReference<'_>,
        claims_json: &[u8],
    ) -> Result<String, TokenTooLong> {
        let mut header = serde_json::json!({ "typ": typ.as_str(), "alg": self.algorithm().as_str() });
        match reference {
            KeyReference::Id(id) => header["kid"] = id.into(),
            KeyReference::Embedded => {
                let bare = Jwk { key_id: None, key: self.jwk.key.clone() };
                header["jwk"] = serde_json::to_value(bare).expect("texts always serialize");
            }
            KeyReference::None => {}
        }
        self.sign_under(&header.to_string(), claims_json)
    }

    fn sign_under(&self, header: &str, claims_json: &[u8]) -> Result<String, TokenTooLong> {
        let bytes = self.bytes_under(header, claims_json.len())?;
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
        self.bytes_under(&self.header(typ), claims_bytes)
    }

    fn bytes_under(&self, header: &str, claims_bytes: usize) -> Result<usize, TokenTooLong> {
        let parts = [header.len(), claims_bytes, self.pair.signature_bytes()];
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
