use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::Secret;

/// SHA-256 of the code verifier: what an authorization request shows, so that only its sender can redeem the code (RFC 7636).
#[expect(clippy::derived_hash_with_manual_eq, reason = "the comparison is constant-time, its result the derived one")]
#[derive(Clone, Copy, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CodeChallenge([u8; Self::BYTES]);

/// Why `code_challenge`, its method or `code_verifier` cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PkceError {
    /// The challenge is not 43 characters of base64url.
    #[error("code_challenge is not the base64url encoding, without padding, of a SHA-256 digest")]
    Challenge,
    /// No method, which would mean `plain` (RFC 7636 §4.3).
    #[error("code_challenge_method is missing, which means plain; send S256")]
    MethodMissing,
    /// `plain`, or a method that is not known.
    #[error("code_challenge_method is not supported; send S256")]
    Method,
    /// The verifier is not 43 to 128 unreserved characters.
    #[error("code_verifier is not 43 to 128 characters of A-Z a-z 0-9 - . _ ~")]
    Verifier,
}

impl CodeChallenge {
    /// The length of a SHA-256 digest.
    pub const BYTES: usize = 32;

    /// The only value of `code_challenge_method` that is accepted.
    pub const METHOD: &'static str = "S256";

    /// Reads the request parameters `code_challenge` and `code_challenge_method`.
    ///
    /// # Errors
    /// When the method is not `S256`, or the challenge is not the canonical base64url encoding of 32 bytes.
    pub fn parse(challenge: &str, method: Option<&str>) -> Result<Self, PkceError> {
        match method {
            Some(Self::METHOD) => {}
            Some(_) => return Err(PkceError::Method),
            None => return Err(PkceError::MethodMissing),
        }
        let digest = URL_SAFE_NO_PAD.decode(challenge).map_err(|_| PkceError::Challenge)?;
        digest.try_into().map(Self).map_err(|_| PkceError::Challenge)
    }

    /// The challenge that belongs to the SHA-256 digest of a verifier.
    #[must_use]
    pub const fn of_digest(digest: &[u8; Self::BYTES]) -> Self {
        Self(*digest)
    }

    /// The challenge as a store kept it.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// What a store keeps.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl PartialEq for CodeChallenge {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for CodeChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeChallenge(redacted)")
    }
}

impl From<CodeChallenge> for String {
    fn from(challenge: CodeChallenge) -> Self {
        URL_SAFE_NO_PAD.encode(challenge.0)
    }
}

impl TryFrom<String> for CodeChallenge {
    type Error = PkceError;

    fn try_from(text: String) -> Result<Self, PkceError> {
        Self::parse(&text, Some(Self::METHOD))
    }
}

/// What only the sender of the authorization request knows: 43 to 128 unreserved characters (RFC 7636 §4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeVerifier(Secret);

impl CodeVerifier {
    /// Reads the request parameter `code_verifier`.
    ///
    /// # Errors
    /// When it is too short, too long, or has other characters.
    pub fn parse(text: &str) -> Result<Self, PkceError> {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if (43..=128).contains(&text.len()) && text.bytes().all(unreserved) {
            Ok(Self(Secret::new(text.to_owned())))
        } else {
            Err(PkceError::Verifier)
        }
    }

    /// The verifier itself, to be hashed.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636 Appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const DIGEST: [u8; 32] = [
        19, 211, 30, 150, 26, 26, 216, 236, 47, 22, 177, 12, 76, 152, 46, 8, 118, 168, 120, 173, 109, 241, 68, 86, 110,
        225, 137, 74, 203, 112, 249, 195,
    ];
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn rfc7636_appendix_b() {
        let challenge = CodeChallenge::parse(CHALLENGE, Some("S256")).unwrap();
        assert_eq!(challenge, CodeChallenge::of_digest(&DIGEST));
        assert_eq!(challenge, CodeChallenge::from_bytes(*challenge.as_bytes()));
        assert_eq!(CodeVerifier::parse(VERIFIER).unwrap().expose(), VERIFIER);
        let json = serde_json::to_string(&challenge).unwrap();
        assert_eq!(json, format!("\"{CHALLENGE}\""));
        assert_eq!(serde_json::from_str::<CodeChallenge>(&json).unwrap(), challenge);
    }

    #[test]
    fn rfc7636_section_4_3_the_method_is_s256_and_a_missing_one_means_plain() {
        for (method, fault) in [
            (None, PkceError::MethodMissing),
            (Some("plain"), PkceError::Method),
            (Some("s256"), PkceError::Method),
            (Some("S512"), PkceError::Method),
            (Some(""), PkceError::Method),
        ] {
            assert_eq!(CodeChallenge::parse(CHALLENGE, method), Err(fault), "{method:?}");
        }
    }

    #[test]
    fn rfc7636_section_4_2_a_challenge_is_43_characters_of_canonical_base64url() {
        for (text, why) in [
            ("", "empty"),
            (&CHALLENGE[..42], "42 characters"),
            (&format!("{CHALLENGE}A"), "44 characters"),
            (&format!("{CHALLENGE}="), "padding"),
            (&CHALLENGE.replace("-cM", "-cN"), "bits beyond the digest"),
            (&CHALLENGE.replace('-', "+"), "the other alphabet"),
            (&CHALLENGE.replace('-', " "), "a space"),
            (&"é".repeat(21), "other letters"),
        ] {
            assert_eq!(CodeChallenge::parse(text, Some("S256")), Err(PkceError::Challenge), "{why}");
        }
    }

    #[test]
    fn a_challenge_differs_when_any_bit_does_and_prints_nothing() {
        let challenge = CodeChallenge::of_digest(&DIGEST);
        for bit in 0..256 {
            let mut other = DIGEST;
            other[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(challenge, CodeChallenge::from_bytes(other), "bit {bit}");
        }
        assert_eq!(format!("{challenge:?}"), "CodeChallenge(redacted)");
        assert!(!format!("{:?}", CodeVerifier::parse(VERIFIER)).contains(VERIFIER));
    }

    #[test]
    fn rfc7636_section_4_1_a_verifier_is_43_to_128_unreserved_characters() {
        for (length, accepted) in [(0, false), (42, false), (43, true), (128, true), (129, false)] {
            assert_eq!(CodeVerifier::parse(&"a".repeat(length)).is_ok(), accepted, "{length}");
        }
        assert!(CodeVerifier::parse(&"Az09-._~".repeat(6)).is_ok());
        for other in ["+", "=", "/", " ", "é", "\0", "%"] {
            assert_eq!(CodeVerifier::parse(&format!("{VERIFIER}{other}")), Err(PkceError::Verifier), "{other:?}");
        }
    }
}
