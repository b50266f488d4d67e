//! Checking a compact JWS (RFC 7515).

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use crate::base64url;
use crate::typ::Typ;
use crate::verifying_key::VerifyingKey;

/// The most bytes of a compact JWS, signed or accepted.
pub const JWS_BYTES_MAX: usize = 8192;

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// Longer than [`JWS_BYTES_MAX`].
    #[error("the token has {bytes} bytes, more than the {JWS_BYTES_MAX} allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Not three parts with dots between them, none of them empty.
    #[error("the token is not three non-empty parts with dots between them")]
    Parts,
    /// A part that is not base64url without padding and spare bits.
    #[error("the token's {0} is not canonical base64url")]
    Encoding(&'static str),
    /// A header that is not a JSON object with `alg`, `kid` and `typ`, each once and a string.
    #[error("the token's header is not a JSON object with the strings `alg`, `kid` and `typ`")]
    Header,
    /// A header with `crit`: we know no extension that one must understand.
    #[error("the token's header has `crit`, and no extension is supported")]
    Critical,
    /// Another type than expected.
    #[error("the token's `typ` is not `{expected}`")]
    Typ {
        /// What it should be.
        expected: Typ,
    },
    /// No key has the header's `kid`.
    #[error("the token's `kid` names none of the keys; fetch the JWK set again if it may be old")]
    UnknownKey,
    /// The header's `alg` is not the algorithm of the key; `none` never is.
    #[error("the token's `alg` is not the algorithm of the key that its `kid` names")]
    Algorithm,
    /// The signature is not one of the key over header and claims.
    #[error("the token's signature is wrong")]
    Signature,
}

/// The payload of `token`, if one of `keys` signed it as a `typ`.
///
/// The header's `kid` chooses the key, and the key the algorithm: the header's `alg` can only
/// agree. Nothing but the signature, header and form is checked: what the claims say, and that
/// they are JSON, is the caller's.
pub fn verify(token: &str, keys: &[VerifyingKey], typ: Typ) -> Result<Vec<u8>, JwsError> {
    if token.len() > JWS_BYTES_MAX {
        return Err(JwsError::TooLong { bytes: token.len() });
    }
    let (message, signature) = token.rsplit_once('.').ok_or(JwsError::Parts)?;
    let (header, payload) = message.split_once('.').ok_or(JwsError::Parts)?;
    let parts = [header, payload, signature];
    if payload.contains('.') || parts.iter().any(|part| part.is_empty()) {
        return Err(JwsError::Parts);
    }
    let decode = |part, name| base64url::decode(part).ok_or(JwsError::Encoding(name));
    let header = Header::read(&decode(header, "header")?)?;
    let claims = decode(payload, "payload")?;
    let signature = decode(signature, "signature")?;

    // RFC 7515 §4.1.11: a recipient that does not understand an extension must refuse.
    if header.crit {
        return Err(JwsError::Critical);
    }
    if !typ.is_meant_by(&header.typ) {
        return Err(JwsError::Typ { expected: typ });
    }
    let key = keys.iter().find(|key| key.key_id() == header.kid).ok_or(JwsError::UnknownKey)?;
    // RFC 8725 §3.1: a key is used with one algorithm, whatever the header says.
    if header.alg != key.algorithm().as_str() {
        return Err(JwsError::Algorithm);
    }
    if !key.verifies(message.as_bytes(), &signature) {
        return Err(JwsError::Signature);
    }
    Ok(claims)
}

/// What the header of a token says of it, which anybody can write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnverifiedHeader {
    /// The key that it names.
    pub kid: String,
    /// The type that it names; see [`Typ::is_meant_by`].
    pub typ: String,
}

/// The header of `token`, whoever made it; `None` where [`verify`] would not read it either.
#[must_use]
pub fn unverified_header(token: &str) -> Option<UnverifiedHeader> {
    if token.len() > JWS_BYTES_MAX {
        return None;
    }
    let (header, _) = token.split_once('.')?;
    let Header { kid, typ, .. } = Header::read(&base64url::decode(header)?).ok()?;
    Some(UnverifiedHeader { kid, typ })
}

/// Members other than these are ignored (RFC 7515 §4), and those that name keys (`jwk`, `jku`,
/// `x5c`, `x5u`) with good reason.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    typ: String,
    #[serde(default, deserialize_with = "is_present")]
    crit: bool,
}

impl Header {
    fn read(json: &[u8]) -> Result<Self, JwsError> {
        // serde would also read the members out of an array.
        if json.trim_ascii_start().first() != Some(&b'{') {
            return Err(JwsError::Header);
        }
        // RFC 7515 §5.2: the header is UTF-8, in the members that are ignored too.
        let json = str::from_utf8(json).map_err(|_| JwsError::Header)?;
        serde_json::from_str(json).map_err(|_| JwsError::Header)
    }
}

/// True whatever the value, be it null.
fn is_present<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(value).map(|_| true)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::sync::LazyLock;

    use super::*;
    use crate::algorithm::Algorithm;
    use crate::signing_key::SigningKey;

    static ES256: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(Algorithm::Es256));
    static EDDSA: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(Algorithm::EdDsa));
    static KEYS: LazyLock<Vec<VerifyingKey>> =
        LazyLock::new(|| [&*ES256, &*EDDSA].map(|key| VerifyingKey::new(key.public_jwk()).unwrap()).to_vec());

    const CLAIMS: &[u8] = br#"{"sub":"me"}"#;

    fn check(token: &str) -> Result<Vec<u8>, JwsError> {
        verify(token, &KEYS, Typ::ACCESS_TOKEN)
    }

    /// A token signed by the Ed25519 key over this header.
    fn with_header(header: &str) -> String {
        let message = format!("{}.{}", base64url::encode(header.as_bytes()), base64url::encode(CLAIMS));
        let signature = EDDSA.sign_bytes(message.as_bytes());
        format!("{message}.{}", base64url::encode(&signature))
    }

    #[test]
    fn the_header_is_held_to_the_letter() {
        let kid = EDDSA.key_id();
        let other = ES256.key_id();
        let typ = JwsError::Typ { expected: Typ::ACCESS_TOKEN };
        let cases = [
            (r#"{"typ":"at+jwt","alg":"EdDSA","kid":"KID"}"#, None),
            (r#" {"kid":"KID","x":{},"alg":"EdDSA","typ":"application/AT+jwt"} "#, None),
            (r#"{"typ":"JWT","alg":"EdDSA","kid":"KID"}"#, Some(typ)),
            (r#"{"typ":"at+jwt","alg":"none","kid":"KID"}"#, Some(JwsError::Algorithm)),
            (r#"{"typ":"at+jwt","alg":"eddsa","kid":"KID"}"#, Some(JwsError::Algorithm)),
            (r#"{"typ":"at+jwt","alg":"ES256","kid":"KID"}"#, Some(JwsError::Algorithm)),
            (r#"{"typ":"at+jwt","alg":"EdDSA","kid":"OTHER"}"#, Some(JwsError::Algorithm)),
            (r#"{"typ":"at+jwt","alg":"ES256","kid":"OTHER"}"#, Some(JwsError::Signature)),
            (r#"{"typ":"at+jwt","alg":"EdDSA","kid":"kid"}"#, Some(JwsError::UnknownKey)),
            (r#"{"typ":"at+jwt","alg":"EdDSA","kid":"KID","crit":["b64"]}"#, Some(JwsError::Critical)),
            (r#"{"typ":"at+jwt","alg":"EdDSA","kid":"KID","crit":[]}"#, Some(JwsError::Critical)),
            (r#"{"typ":"at+jwt","alg":"EdDSA","kid":"KID","crit":null}"#, Some(JwsError::Critical)),
            (r#"{"typ":"at+jwt","alg":"EdDSA"}"#, Some(JwsError::Header)),
            (r#"{"alg":"EdDSA","kid":"KID"}"#, Some(JwsError::Header)),
            (r#"{"typ":"at+jwt","kid":"KID"}"#, Some(JwsError::Header)),
            (r#"{"typ":"at+jwt","alg":"EdDSA","kid":"KID","alg":"EdDSA"}"#, Some(JwsError::Header)),
            (r#"{"typ":"at+jwt","alg":["EdDSA"],"kid":"KID"}"#, Some(JwsError::Header)),
            (r#"{"typ":"at+jwt","alg":"EdDSA","kid":"KID"}{}"#, Some(JwsError::Header)),
            (r#"["EdDSA","KID","at+jwt"]"#, Some(JwsError::Header)),
            (r#""at+jwt""#, Some(JwsError::Header)),
            ("at+jwt", Some(JwsError::Header)),
        ];
        for (header, expected) in cases {
            let header = header.replace("KID", kid).replace("OTHER", other);
            let token = with_header(&header);
            assert_eq!(check(&token).err(), expected, "{header}");
        }
    }

    #[test]
    fn the_form_is_held_to_the_letter() {
        let token = EDDSA.sign(Typ::ACCESS_TOKEN, CLAIMS).unwrap();
        let (message, signature) = token.rsplit_once('.').unwrap();
        let (header, payload) = message.split_once('.').unwrap();
        let cases = [
            (token.clone(), None, "as signed"),
            (message.to_owned(), Some(JwsError::Parts), "two parts"),
            (header.to_owned(), Some(JwsError::Parts), "one part"),
            (format!("{token}.{payload}"), Some(JwsError::Parts), "four parts"),
            (format!("{token}...."), Some(JwsError::Parts), "many dots"),
            (format!("{message}."), Some(JwsError::Parts), "no signature"),
            (format!("{header}..{signature}"), Some(JwsError::Parts), "no payload"),
            (format!(".{payload}.{signature}"), Some(JwsError::Parts), "no header"),
            (String::new(), Some(JwsError::Parts), "nothing"),
            (format!("{token}=="), Some(JwsError::Encoding("signature")), "padding"),
            (format!("{token}\n"), Some(JwsError::Encoding("signature")), "a line end"),
            (format!(" {token}"), Some(JwsError::Encoding("header")), "a space"),
            (format!("{header}.{payload}+.{signature}"), Some(JwsError::Encoding("payload")), "the other alphabet"),
            (format!("{header}.{payload}.{}", &signature[..80]), Some(JwsError::Signature), "a shorter signature"),
            ("a".repeat(JWS_BYTES_MAX + 1), Some(JwsError::TooLong { bytes: JWS_BYTES_MAX + 1 }), "too long"),
        ];
        for (token, expected, why) in cases {
            assert_eq!(check(&token).err(), expected, "{why}");
        }
    }

    #[test]
    fn a_header_is_read_without_a_key_and_only_if_it_is_one() {
        let token = EDDSA.sign(Typ::ACCESS_TOKEN, CLAIMS).unwrap();
        let expected = UnverifiedHeader { kid: EDDSA.key_id().to_owned(), typ: "at+jwt".to_owned() };
        assert_eq!(unverified_header(&token), Some(expected));
        let too_long = format!("{token}{}", "a".repeat(JWS_BYTES_MAX));
        for none in ["", "rgx_abc", "e30.e30.c2ln", "eyJ.e30.c2ln", token.replace('.', "").as_str(), &too_long] {
            assert_eq!(unverified_header(none), None, "{none}");
        }
    }

    #[test]
    fn a_key_that_is_gone_verifies_nothing() {
        let token = EDDSA.sign(Typ::ACCESS_TOKEN, CLAIMS).unwrap();
        let without = &KEYS[..1];
        assert_eq!(verify(&token, without, Typ::ACCESS_TOKEN), Err(JwsError::UnknownKey));
    }

    proptest! {
        #[test]
        fn what_was_signed_is_verified(claims in prop::collection::vec(any::<u8>(), 1..2000)) {
            for key in [&*ES256, &*EDDSA] {
                let token = key.sign(Typ::ACCESS_TOKEN, &claims).unwrap();
                prop_assert_eq!(check(&token), Ok(claims.clone()));
            }
        }

        #[test]
        fn a_flipped_bit_is_found(index: prop::sample::Index, bit in 0..7u32) {
            for key in [&*ES256, &*EDDSA] {
                let mut token = key.sign(Typ::ACCESS_TOKEN, CLAIMS).unwrap().into_bytes();
                let index = index.index(token.len());
                token[index] ^= 1 << bit;
                let token = String::from_utf8(token).unwrap();
                prop_assert!(check(&token).is_err(), "{token}");
            }
        }

        #[test]
        fn no_text_makes_it_panic(token: String) {
            prop_assert!(check(&token).is_err());
        }
    }
}
