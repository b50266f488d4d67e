//! Public keys as JSON (RFC 7517), in and out, and their thumbprints (RFC 7638).

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

use crate::algorithm::Algorithm;
use crate::rsa_public_key::{RsaPublicKey, RsaPublicKeyError};
use crate::{base64url, sha256};

/// A public signature key, checked in form: whoever holds one may publish it.
///
/// Reading refuses private members, other uses than `sig`, and keys none of our algorithms uses.
/// Whether an elliptic point lies on its curve is checked by
/// [`VerifyingKey::new`](crate::VerifyingKey::new).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Members", into = "Members")]
pub struct Jwk {
    /// `kid`, chosen by whoever published the key; ours is the thumbprint.
    pub key_id: Option<String>,
    /// The key itself.
    pub key: PublicKey,
}

/// The numbers of a public key, big-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// `EC` on `P-256` (RFC 7518 §6.2), for ES256.
    P256 {
        /// The point's first coordinate.
        x: [u8; 32],
        /// Its second.
        y: [u8; 32],
    },
    /// `OKP` with `Ed25519` (RFC 8037 §2), for EdDSA.
    Ed25519 {
        /// The public key.
        x: [u8; 32],
    },
    /// `RSA` (RFC 7518 §6.3), for RS256.
    Rsa(RsaPublicKey),
}

/// Why a JSON object is not a [`Jwk`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwkError {
    /// It holds a private key, which is no longer one.
    #[error("the JWK has the member `d`: it is a private key and must be replaced")]
    Private,
    /// `kty` and `crv` name no key we use.
    #[error("the JWK is none of EC with P-256, OKP with Ed25519, and RSA")]
    Kind,
    /// `use` is another than `sig`.
    #[error("the JWK's `use` is not `sig`")]
    Use,
    /// `alg` is not the algorithm of such a key.
    #[error("the JWK's `alg` is not the one regrant uses with such a key (ES256, EdDSA, RS256)")]
    Algorithm,
    /// A number is missing or wrong.
    #[error("the JWK's `{0}` is missing, not canonical base64url, or of a wrong length")]
    Number(&'static str),
    /// RSA numbers out of bounds.
    #[error(transparent)]
    Rsa(#[from] RsaPublicKeyError),
}

impl Jwk {
    /// RFC 7638: base64url of SHA-256 over the required members, 43 characters.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        let encode = base64url::encode;
        let members = match &self.key {
            PublicKey::P256 { x, y } => {
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, encode(x), encode(y))
            }
            PublicKey::Ed25519 { x } => {
                format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(x))
            }
            PublicKey::Rsa(key) => {
                format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, encode(key.exponent()), encode(key.modulus()))
            }
        };
        encode(&sha256(members.as_bytes()))
    }
}

impl PublicKey {
    /// The one algorithm this key is used with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::P256 { .. } => Algorithm::Es256,
            Self::Ed25519 { .. } => Algorithm::EdDsa,
            Self::Rsa(_) => Algorithm::Rs256,
        }
    }

    fn read(members: &Members) -> Result<Self, JwkError> {
        match (members.kty.as_str(), members.crv.as_deref()) {
            ("EC", Some("P-256")) => {
                Ok(Self::P256 { x: coordinate("x", members.x.as_deref())?, y: coordinate("y", members.y.as_deref())? })
            }
            ("OKP", Some("Ed25519")) => Ok(Self::Ed25519 { x: coordinate("x", members.x.as_deref())? }),
            ("RSA", None) => {
                let n = number("n", members.n.as_deref())?;
                let e = number("e", members.e.as_deref())?;
                Ok(Self::Rsa(RsaPublicKey::new(n, e)?))
            }
            _ => Err(JwkError::Kind),
        }
    }
}

fn coordinate(name: &'static str, text: Option<&str>) -> Result<[u8; 32], JwkError> {
    text.and_then(base64url::decode_array).map(|bytes| *bytes).ok_or(JwkError::Number(name))
}

fn number(name: &'static str, text: Option<&str>) -> Result<Vec<u8>, JwkError> {
    text.and_then(base64url::decode).ok_or(JwkError::Number(name))
}

/// A [`Jwk`] as it is written.
#[derive(Default, Serialize, Deserialize)]
struct Members {
    kty: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crv: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    y: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    e: Option<String>,
    #[serde(rename = "use", default, skip_serializing_if = "Option::is_none")]
    usage: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alg: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    #[serde(default, deserialize_with = "is_present", skip_serializing)]
    d: bool,
}

/// True whatever the value: even `"d": null` is not the member of a public key.
fn is_present<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(value).map(|_| true)
}

impl TryFrom<Members> for Jwk {
    type Error = JwkError;

    fn try_from(members: Members) -> Result<Self, JwkError> {
        if members.d {
            return Err(JwkError::Private);
        }
        if members.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return Err(JwkError::Use);
        }
        let key = PublicKey::read(&members)?;
        let expected = key.algorithm().as_str();
        if members.alg.is_some_and(|alg| alg != expected) {
            return Err(JwkError::Algorithm);
        }
        Ok(Self { key_id: members.kid, key })
    }
}

impl From<Jwk> for Members {
    fn from(jwk: Jwk) -> Self {
        let encode = |bytes: &[u8]| Some(base64url::encode(bytes));
        let key = match &jwk.key {
            PublicKey::P256 { x, y } => Self {
                kty: "EC".to_owned(),
                crv: Some("P-256".to_owned()),
                x: encode(x),
                y: encode(y),
                ..Self::default()
            },
            PublicKey::Ed25519 { x } => {
                Self { kty: "OKP".to_owned(), crv: Some("Ed25519".to_owned()), x: encode(x), ..Self::default() }
            }
            PublicKey::Rsa(rsa) => {
                Self { kty: "RSA".to_owned(), n: encode(rsa.modulus()), e: encode(rsa.exponent()), ..Self::default() }
            }
        };
        Self {
            usage: Some("sig".to_owned()),
            alg: Some(jwk.key.algorithm().as_str().to_owned()),
            kid: jwk.key_id,
            ..key
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verifying_key::VerifyingKey;

    /// RFC 7515 §A.3.1.
    const EC: &str = r#"{"kty":"EC","crv":"P-256",
        "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
    /// RFC 8037 §A.2.
    const OKP: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    /// RFC 7638 §3.1.
    const RSA: &str = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;

    fn read(json: &str) -> Jwk {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn rfc7638_section_3_1_and_rfc8037_appendix_a_3_thumbprints() {
        assert_eq!(read(RSA).thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        assert_eq!(read(OKP).thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        // python3: base64url of sha256 over the RFC 7515 key's four members, in order.
        assert_eq!(read(EC).thumbprint(), "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
    }

    #[test]
    fn what_is_printed_is_read_back_and_names_use_and_algorithm() {
        for (json, alg) in [(EC, "ES256"), (OKP, "EdDSA"), (RSA, "RS256")] {
            let jwk = read(json);
            let printed = serde_json::to_value(&jwk).unwrap();
            assert_eq!(printed["use"], "sig");
            assert_eq!(printed["alg"], alg);
            assert_eq!(printed["kid"].as_str(), jwk.key_id.as_deref());
            assert_eq!(serde_json::from_value::<Jwk>(printed).unwrap(), jwk);
        }
    }

    #[test]
    fn a_key_without_kid_goes_by_its_thumbprint() {
        let jwk = read(EC);
        let key = VerifyingKey::new(&jwk).unwrap();
        assert_eq!(key.key_id(), jwk.thumbprint());
        assert_eq!(VerifyingKey::new(&read(RSA)).unwrap().key_id(), "2011-04-29");
    }

    #[test]
    fn a_point_off_the_curve_is_refused() {
        let jwk = read(&EC.replace("x_FEzRu9", "x_FEzRu8"));
        assert_eq!(VerifyingKey::new(&jwk).err(), Some(JwkError::Number("y")));
    }

    #[test]
    fn keys_we_must_not_use_are_refused() {
        let with = |json: &str, member: &str| json.replacen('{', &format!("{{{member},"), 1);
        let cases = [
            (with(EC, r#""d":"AA""#), JwkError::Private),
            (with(RSA, r#""d":null"#), JwkError::Private),
            (r#"{"kty":"oct","k":"AA"}"#.to_owned(), JwkError::Kind),
            (EC.replace("P-256", "P-384"), JwkError::Kind),
            (OKP.replace("Ed25519", "X25519"), JwkError::Kind),
            (EC.replace("EC", "ec"), JwkError::Kind),
            (with(EC, r#""use":"enc""#), JwkError::Use),
            (with(EC, r#""alg":"none""#), JwkError::Algorithm),
            (RSA.replace("RS256", "PS256"), JwkError::Algorithm),
            (with(OKP, r#""alg":"ES256""#), JwkError::Algorithm),
            (EC.replace("f83O", "f8"), JwkError::Number("x")),
            (EC.replace("WI5a0", "WI5a1"), JwkError::Number("y")),
            (OKP.replace("\"x\"", "\"z\""), JwkError::Number("x")),
            (RSA.replace("AQAB", "AQAB="), JwkError::Number("e")),
            (RSA.replace("AQAB", "AQ"), RsaPublicKeyError::Exponent.into()),
            (RSA.replace("0vx7agoebG", ""), RsaPublicKeyError::ModulusBits { bits: 1991 }.into()),
        ];
        for (json, expected) in cases {
            let error = serde_json::from_str::<Jwk>(&json).unwrap_err().to_string();
            assert!(error.starts_with(&expected.to_string()), "{json}: {error}");
        }
    }
}
