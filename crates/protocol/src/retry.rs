use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

use crate::Secret;

/// The part of SHA-256(verifier) that a rotation keeps, so that a later retry can prove that it comes from the same sender.
#[expect(clippy::derived_hash_with_manual_eq, reason = "the comparison is constant-time, its result the derived one")]
#[derive(Clone, Copy, Eq, Hash)]
pub struct RetryChallenge([u8; Self::BYTES]);

/// Why a `retry_challenge` or `retry_verifier` cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RetryError {
    /// The challenge is not 43 characters of base64url.
    #[error("retry_challenge is not the base64url encoding, without padding, of a SHA-256 digest")]
    Challenge,
    /// The verifier is not 43 to 128 unreserved characters.
    #[error("retry_verifier is not 43 to 128 characters of A-Z a-z 0-9 - . _ ~")]
    Verifier,
}

impl RetryChallenge {
    /// How many bytes of the digest are kept.
    pub const BYTES: usize = 16;

    /// Reads the request parameter `retry_challenge`.
    ///
    /// # Errors
    /// When it is not the base64url encoding of 32 bytes.
    pub fn parse(text: &str) -> Result<Self, RetryError> {
        let digest = URL_SAFE_NO_PAD.decode(text).map_err(|_| RetryError::Challenge)?;
        let digest: [u8; 32] = digest.try_into().map_err(|_| RetryError::Challenge)?;
        Ok(Self::of_digest(&digest))
    }

    /// The challenge that belongs to the SHA-256 digest of a verifier.
    #[must_use]
    pub fn of_digest(digest: &[u8; 32]) -> Self {
        let mut kept = [0; Self::BYTES];
        kept.copy_from_slice(&digest[..Self::BYTES]);
        Self(kept)
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

impl PartialEq for RetryChallenge {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for RetryChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RetryChallenge(redacted)")
    }
}

/// What only the sender of the first try knows: 43 to 128 unreserved characters, as a PKCE verifier (RFC 7636 §4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryVerifier(Secret);

impl RetryVerifier {
    /// Reads the request parameter `retry_verifier`.
    ///
    /// # Errors
    /// When it is too short, too long, or has other characters.
    pub fn parse(text: &str) -> Result<Self, RetryError> {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if (43..=128).contains(&text.len()) && text.bytes().all(unreserved) {
            Ok(Self(Secret::new(text.to_owned())))
        } else {
            Err(RetryError::Verifier)
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

    #[test]
    fn a_challenge_is_43_characters_of_canonical_base64url() {
        let canonical = URL_SAFE_NO_PAD.encode([7; 32]);
        assert_eq!(RetryChallenge::parse(&canonical).unwrap().as_bytes(), &[7; 16]);
        for text in ["", &canonical[..42], &format!("{canonical}="), &canonical.replace('c', "d"), &"é".repeat(20)] {
            assert_eq!(RetryChallenge::parse(text), Err(RetryError::Challenge), "{text:?}");
        }
    }

    #[test]
    fn a_verifier_is_43_to_128_unreserved_characters() {
        for (length, accepted) in [(42, false), (43, true), (128, true), (129, false)] {
            assert_eq!(RetryVerifier::parse(&"a".repeat(length)).is_ok(), accepted, "{length}");
        }
        assert!(RetryVerifier::parse(&"+".repeat(43)).is_err());
    }
}
