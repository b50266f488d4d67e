//! Private keys as other programs write them: PEM (RFC 7468) and JWK (RFC 7517).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::algorithm::Algorithm;
use crate::base64url;
use crate::signing_key::{RsaNumbers, SigningKey, SigningKeyError};

/// The longest text of a private key that is read, in bytes: RSA with 4096 bits takes less than half of it.
pub const PRIVATE_KEY_BYTES_MAX: usize = 16 * 1024;

/// Why a text is not a private key that we can sign with. Nothing of the key is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrivateKeyError {
    /// Longer than [`PRIVATE_KEY_BYTES_MAX`].
    #[error("the private key is longer than {PRIVATE_KEY_BYTES_MAX} bytes, which no key is")]
    TooLong,
    /// No `-----BEGIN …-----` of an unencrypted private key.
    #[error(
        "there is no unencrypted private key in PEM; it begins with -----BEGIN PRIVATE KEY-----, and an encrypted one \
         has to be decrypted first (openssl pkcs8)"
    )]
    Pem,
    /// Not a JSON object with `kty`.
    #[error("the private key is not a JWK: a JSON object with the members of RFC 7517")]
    Jwk,
    /// A JWK without `d`.
    #[error("the JWK is a public key; the private one has the member \"d\" as well")]
    Public,
    /// A member that is missing, or no base64url.
    #[error("the JWK's `{0}` is missing, or not base64url of the right length")]
    Member(&'static str),
    /// A kind of key that none of our algorithms uses.
    #[error("the private key is none of EC with P-256, Ed25519, and RSA with 2048 to 4096 bits")]
    Kind,
    /// The `alg` of a JWK is not what we sign with such a key.
    #[error("the JWK's `alg` is not the one that such a key signs with here (ES256, EdDSA, RS256)")]
    Algorithm,
}

/// A private key as a JWK set has it, with the name that its owner gave it.
pub struct PrivateJwk {
    /// The key.
    pub key: SigningKey,
    /// `kid`, where it has one.
    pub key_id: Option<String>,
}

impl SigningKey {
    /// The first private key of a PEM text: PKCS#8, or the older forms of EC (RFC 5915) and RSA (RFC 8017) keys.
    ///
    /// # Errors
    /// When there is none, it is encrypted, or of a kind that we do not sign with.
    pub fn from_pem(pem: &str) -> Result<Self, PrivateKeyError> {
        if pem.len() > PRIVATE_KEY_BYTES_MAX {
            return Err(PrivateKeyError::TooLong);
        }
        let (label, der) = first_private_key(pem).ok_or(PrivateKeyError::Pem)?;
        let candidates: &[Algorithm] = match label {
            "EC PRIVATE KEY" => &[Algorithm::Es256],
            "RSA PRIVATE KEY" => return Self::from_rsa_der(&der).map_err(|_| PrivateKeyError::Kind),
            _ => &Algorithm::ALL,
        };
        let read = |&algorithm: &Algorithm| match algorithm {
            Algorithm::Es256 => Self::from_ec_der(&der),
            Algorithm::EdDsa | Algorithm::Rs256 => Self::from_pkcs8(algorithm, &der),
        };
        candidates.iter().find_map(|algorithm| read(algorithm).ok()).ok_or(PrivateKeyError::Kind)
    }
}

impl PrivateJwk {
    /// Reads a private JWK: `EC` on `P-256`, `OKP` with `Ed25519`, or `RSA` with its two primes.
    ///
    /// # Errors
    /// Says which member is wrong.
    pub fn parse(json: &str) -> Result<Self, PrivateKeyError> {
        if json.len() > PRIVATE_KEY_BYTES_MAX {
            return Err(PrivateKeyError::TooLong);
        }
        let members: Members = serde_json::from_str(json).map_err(|_| PrivateKeyError::Jwk)?;
        let d = number("d", members.d.as_deref()).map_err(|error| match members.d {
            None => PrivateKeyError::Public,
            Some(_) => error,
        })?;
        let key = match (members.kty.as_str(), members.crv.as_deref()) {
            ("EC", Some("P-256")) => {
                let (x, y) = (number("x", members.x.as_deref())?, number("y", members.y.as_deref())?);
                SigningKey::from_p256(&d, &x, &y)
            }
            ("OKP", Some("Ed25519")) => SigningKey::from_ed25519(&d, &number("x", members.x.as_deref())?),
            ("RSA", None) => SigningKey::from_rsa(&RsaNumbers {
                n: number("n", members.n.as_deref())?,
                e: number("e", members.e.as_deref())?,
                d,
                p: number("p", members.p.as_deref())?,
                q: number("q", members.q.as_deref())?,
                dp: number("dp", members.dp.as_deref())?,
                dq: number("dq", members.dq.as_deref())?,
                qi: number("qi", members.qi.as_deref())?,
            }),
            _ => return Err(PrivateKeyError::Kind),
        };
        let key = key.map_err(|error: SigningKeyError| match error {
            SigningKeyError::Pkcs8 { .. } => PrivateKeyError::Member("d"),
            SigningKeyError::Rsa(_) => PrivateKeyError::Kind,
        })?;
        if members.alg.as_deref().is_some_and(|alg| alg != key.algorithm().as_str()) {
            return Err(PrivateKeyError::Algorithm);
        }
        Ok(Self { key, key_id: members.kid.clone() })
    }
}

/// The members of a private JWK (RFC 7518 §6, RFC 8037 §2).
#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
struct Members {
    kty: String,
    crv: Option<String>,
    alg: Option<String>,
    kid: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    d: Option<String>,
    p: Option<String>,
    q: Option<String>,
    dp: Option<String>,
    dq: Option<String>,
    qi: Option<String>,
}

fn number(name: &'static str, text: Option<&str>) -> Result<Zeroizing<Vec<u8>>, PrivateKeyError> {
    text.and_then(base64url::decode).map(Zeroizing::new).ok_or(PrivateKeyError::Member(name))
}

/// Label and content of the first block whose label ends in `PRIVATE KEY` and that is not encrypted.
fn first_private_key(pem: &str) -> Option<(&str, Zeroizing<Vec<u8>>)> {
    const LABELS: [&str; 3] = ["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"];
    let mut rest = pem;
    while let Some((_, begun)) = rest.split_once("-----BEGIN ") {
        let (label, body) = begun.split_once("-----")?;
        let (body, after) = body.split_once("-----END ")?;
        if LABELS.contains(&label) {
            let text: Zeroizing<String> = Zeroizing::new(body.split_whitespace().collect());
            return STANDARD.decode(&*text).ok().map(|der| (label, Zeroizing::new(der)));
        }
        rest = after;
    }
    None
}

impl fmt::Debug for PrivateJwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateJwk({:?}, {:?})", self.key, self.key_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jws::{JwsError, verify};
    use crate::typ::Typ;
    use crate::verifying_key::VerifyingKey;
    use crate::{KeyReference, PublicKey};

    fn pem(label: &str, der: &[u8]) -> String {
        let text = STANDARD.encode(der);
        let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
    }

    /// The content of the OCTET STRING in PKCS#8: the older form of a key of this algorithm.
    fn older_form(key: &SigningKey) -> Vec<u8> {
        let der = key.to_pkcs8();
        let at = if key.algorithm() == Algorithm::Rs256 { 26 } else { 29 };
        der[at..].to_vec()
    }

    #[test]
    fn a_key_is_read_in_every_form_that_openssl_writes() {
        for algorithm in Algorithm::ALL {
            let key = SigningKey::generate(algorithm);
            let mut forms = vec![pem("PRIVATE KEY", &key.to_pkcs8())];
            match algorithm {
                // As `openssl ecparam -genkey` has it, with the parameters first.
                Algorithm::Es256 => forms.push(
                    pem("EC PARAMETERS", &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07])
                        + &pem("EC PRIVATE KEY", &older_form(&key)),
                ),
                Algorithm::Rs256 => forms.push(pem("RSA PRIVATE KEY", &older_form(&key))),
                Algorithm::EdDsa => {}
            }
            for text in forms {
                let read = SigningKey::from_pem(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
                assert_eq!((read.algorithm(), read.key_id()), (algorithm, key.key_id()));
            }
        }
    }

    #[test]
    fn what_is_no_private_key_says_why() {
        let encrypted = pem("ENCRYPTED PRIVATE KEY", &[1, 2, 3]);
        for (text, expected) in [
            (String::new(), PrivateKeyError::Pem),
            (encrypted, PrivateKeyError::Pem),
            (pem("PUBLIC KEY", &[1]), PrivateKeyError::Pem),
            (pem("CERTIFICATE", &[1]), PrivateKeyError::Pem),
            ("-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----".to_owned(), PrivateKeyError::Pem),
            (pem("PRIVATE KEY", &[1, 2, 3]), PrivateKeyError::Kind),
            (pem("RSA PRIVATE KEY", &[1, 2, 3]), PrivateKeyError::Kind),
            (" ".repeat(PRIVATE_KEY_BYTES_MAX + 1), PrivateKeyError::TooLong),
        ] {
            assert_eq!(SigningKey::from_pem(&text).err(), Some(expected), "{text}");
        }
    }

    /// The numbers of an RSA key, out of its DER form (RFC 8017 §A.1.2): all after the version.
    fn rsa_numbers(der: &[u8]) -> Vec<String> {
        let mut rest = &der[4..];
        let mut numbers = Vec::new();
        while let [2, length, after @ ..] = rest {
            let (length, after) = match length {
                0x82 => (usize::from(after[0]) << 8 | usize::from(after[1]), &after[2..]),
                0x81 => (usize::from(after[0]), &after[1..]),
                short => (usize::from(*short), after),
            };
            let number = &after[..length];
            numbers.push(base64url::encode(if number[0] == 0 && length > 1 { &number[1..] } else { number }));
            rest = &after[length..];
        }
        numbers
    }

    #[test]
    fn a_private_jwk_is_read_with_its_name() {
        let rsa = SigningKey::generate(Algorithm::Rs256);
        let numbers = rsa_numbers(&older_form(&rsa));
        let [_, n, e, d, p, q, dp, dq, qi] = &numbers[..] else { panic!("{}", numbers.len()) };
        let rsa_jwk = serde_json::json!({
            "kty": "RSA", "alg": "RS256", "n": n, "e": e, "d": d, "p": p, "q": q, "dp": dp, "dq": dq, "qi": qi
        });
        for (json, kid, thumbprint) in [
            // RFC 7517 appendix A.2.
            (
                r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
                "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
                "d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE","use":"enc","kid":"1"}"#,
                Some("1"),
                "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s",
            ),
            // RFC 8037 appendix A.1 and A.3.
            (
                r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
                "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
                None,
                "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
            ),
            (&rsa_jwk.to_string(), None, rsa.key_id()),
        ] {
            let read = PrivateJwk::parse(json).unwrap();
            assert_eq!((read.key_id.as_deref(), read.key.key_id()), (kid, thumbprint));
            assert!(format!("{read:?}").contains("redacted"));
        }
    }

    #[test]
    fn a_jwk_that_is_no_private_key_says_why() {
        let ed25519 = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;
        let d = r#""d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A""#;
        for (json, expected) in [
            ("{}".to_owned(), PrivateKeyError::Jwk),
            ("[]".to_owned(), PrivateKeyError::Jwk),
            (format!("{ed25519}}}"), PrivateKeyError::Public),
            (format!(r#"{ed25519},"d":"A="}}"#), PrivateKeyError::Member("d")),
            (format!(r#"{ed25519},"d":"AAAA"}}"#), PrivateKeyError::Member("d")),
            (format!(r#"{ed25519},"alg":"ES256",{d}}}"#), PrivateKeyError::Algorithm),
            (format!(r#"{{"kty":"oct","k":"AAAA",{d}}}"#), PrivateKeyError::Kind),
            (format!(r#"{{"kty":"EC","crv":"P-384",{d}}}"#), PrivateKeyError::Kind),
            (format!(r#"{{"kty":"EC","crv":"P-256",{d}}}"#), PrivateKeyError::Member("x")),
        ] {
            assert_eq!(PrivateJwk::parse(&json).err(), Some(expected), "{json}");
        }
    }

    #[test]
    fn a_header_says_which_key_it_was_as_its_writer_wants() {
        let key = SigningKey::generate(Algorithm::Es256);
        let mut jwk = key.public_jwk().clone();
        jwk.key_id = Some("mine".to_owned());
        let keys = [VerifyingKey::new(&jwk).unwrap()];
        let signed = |reference| key.sign_referring(Typ::DPOP_PROOF, reference, b"{}").unwrap();
        assert_eq!(verify(&signed(KeyReference::Id("mine")), &keys, Typ::DPOP_PROOF), Ok(b"{}".to_vec()));
        assert_eq!(verify(&signed(KeyReference::Id("\"")), &keys, Typ::DPOP_PROOF), Err(JwsError::UnknownKey));
        for (reference, has_jwk) in [(KeyReference::Embedded, true), (KeyReference::None, false)] {
            let token = signed(reference);
            let header = base64url::decode(token.split('.').next().unwrap()).unwrap();
            let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
            assert!(header.get("kid").is_none());
            let embedded = header.get("jwk").map(|jwk| serde_json::from_value::<crate::Jwk>(jwk.clone()).unwrap());
            assert_eq!(embedded.is_some(), has_jwk);
            assert!(
                embedded.is_none_or(|own| own.key == key.public_jwk().key && matches!(own.key, PublicKey::P256 { .. }))
            );
        }
    }
}
