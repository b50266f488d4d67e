use std::fmt;
use std::sync::Arc;

use crate::text::serde_as_text;

/// The longest nonce that is accepted, in bytes.
pub const NONCE_BYTES_MAX: usize = 512;

/// The value by which a client recognizes the ID token of its own request (OpenID Connect Core §3.1.2.1): echoed, never judged.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Nonce(Arc<str>);

/// Why a text is not a nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NonceError {
    /// Empty, or more than [`NONCE_BYTES_MAX`].
    #[error("nonce is {0} bytes long; it must have 1 to {NONCE_BYTES_MAX}")]
    Length(usize),
    /// A control character.
    #[error("nonce contains a control character")]
    Character,
}

impl Nonce {
    /// Reads the request parameter `nonce`.
    ///
    /// # Errors
    /// When it is empty, too long, or has a control character.
    pub fn parse(text: &str) -> Result<Self, NonceError> {
        if !(1..=NONCE_BYTES_MAX).contains(&text.len()) {
            return Err(NonceError::Length(text.len()));
        }
        if text.contains(char::is_control) {
            return Err(NonceError::Character);
        }
        Ok(Self(text.into()))
    }

    /// The nonce as it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

serde_as_text!(Nonce);

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_has_1_to_512_bytes_and_no_controls() {
        for (text, expected) in [
            ("n-0S6_WzA2Mj".to_owned(), None),
            ("é <script> \"".to_owned(), None),
            ("x".repeat(512), None),
            (String::new(), Some(NonceError::Length(0))),
            ("x".repeat(513), Some(NonceError::Length(513))),
            ("é".repeat(257), Some(NonceError::Length(514))),
            ("a\nb".to_owned(), Some(NonceError::Character)),
            ("a\0b".to_owned(), Some(NonceError::Character)),
            ("a\u{85}b".to_owned(), Some(NonceError::Character)),
        ] {
            assert_eq!(Nonce::parse(&text).err(), expected, "{text:?}");
        }
    }
}
