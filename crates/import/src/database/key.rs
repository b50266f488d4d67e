use std::fmt;

use zeroize::Zeroizing;

/// The key of a row as its database has it, text or not: what reading goes on after. It may be a token, and is wiped when dropped.
#[derive(Clone)]
pub(crate) enum Key {
    /// A whole number.
    Integer(i64),
    /// A number that is none of these.
    Real(f64),
    /// What the database calls text, UTF-8 or not.
    Text(Zeroizing<Vec<u8>>),
    /// Bytes.
    Blob(Zeroizing<Vec<u8>>),
}

impl Key {
    /// The same for all keys that some database takes for one: text without its case.
    pub(crate) fn folded(&self) -> Vec<u8> {
        match self {
            Self::Integer(number) => number.to_be_bytes().to_vec(),
            Self::Real(number) => number.to_be_bytes().to_vec(),
            Self::Text(bytes) | Self::Blob(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => text.to_lowercase().into_bytes(),
                Err(_) => bytes.to_vec(),
            },
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(redacted)")
    }
}
