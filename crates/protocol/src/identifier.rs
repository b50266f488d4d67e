use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use crate::text::serde_as_text;

/// The longest identifier that is accepted, in bytes.
const IDENTIFIER_BYTES_MAX: usize = 255;

/// Why a text is not an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// It is empty.
    #[error("it is empty; give it at least one character")]
    Empty,
    /// It is longer than an identifier may be.
    #[error("it is {0} bytes long; the most is {IDENTIFIER_BYTES_MAX}")]
    TooLong(usize),
    /// It has a character that an identifier may not have.
    #[error("it contains the character {0:?}, which is not allowed there")]
    Character(char),
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Accepts `text` when it has the form of this identifier: 1 to 255 bytes of allowed characters.
            ///
            /// # Errors
            /// Says what is wrong with it.
            pub fn parse(text: &str) -> Result<Self, IdentifierError> {
                let allowed: fn(char) -> bool = $allowed;
                if text.is_empty() {
                    return Err(IdentifierError::Empty);
                }
                if text.len() > IDENTIFIER_BYTES_MAX {
                    return Err(IdentifierError::TooLong(text.len()));
                }
                match text.chars().find(|&character| !allowed(character)) {
                    Some(character) => Err(IdentifierError::Character(character)),
                    None => Ok(Self(text.into())),
                }
            }

            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        serde_as_text!($name);

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

identifier! {
    /// A client identifier: visible ASCII and spaces (RFC 6749 §2.2, Appendix A.1).
    ClientId, |character| matches!(character, ' '..='~')
}

identifier! {
    /// The `sub` of a user or client: visible ASCII, unique and never given to another (RFC 9068 §2.2, OpenID Connect Core §2).
    Subject, |character| matches!(character, ' '..='~')
}

identifier! {
    /// The name by which a user logs in: any text without control characters.
    Username, |character| !character.is_control()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6749_appendix_a_client_ids_are_visible_ascii() {
        let long = "x".repeat(256);
        for (text, expected) in [
            ("TestClient", None),
            ("Test Client ID", None),
            ("a:b+c%", None),
            ("", Some(IdentifierError::Empty)),
            ("a\nb", Some(IdentifierError::Character('\n'))),
            ("é", Some(IdentifierError::Character('é'))),
            (&long, Some(IdentifierError::TooLong(256))),
        ] {
            assert_eq!(ClientId::parse(text).err(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_username_may_be_any_text_but_controls() {
        assert!(Username::parse("Jörg Müller").is_ok());
        assert_eq!(Username::parse("a\0"), Err(IdentifierError::Character('\0')));
    }
}
