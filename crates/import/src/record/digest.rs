use std::fmt;

use crate::Digest;

/// SHA-256 of a foreign token: all that is kept of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// Hashes a token that the foreign system kept in the clear.
    #[must_use]
    pub fn of(token: &str, digest: Digest) -> Self {
        Self::of_bytes(token.as_bytes(), digest)
    }

    /// Hashes bytes that may be no text.
    pub(crate) fn of_bytes(token: &[u8], digest: Digest) -> Self {
        Self(digest(token))
    }

    /// The digest that the foreign system kept itself.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// All 32 bytes, to find the token by.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first 8 bytes in hexadecimal: enough to name a row, of no use to whoever reads the log.
    #[must_use]
    pub fn beginning(&self) -> String {
        use fmt::Write as _;
        self.0[..8].iter().fold(String::with_capacity(16), |mut text, byte| {
            write!(text, "{byte:02x}").expect("a String takes whatever is written to it");
            text
        })
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenDigest({}…)", self.beginning())
    }
}

/// The digest that 64 hexadecimal digits, in either case, say.
pub(crate) fn digest_of_hex(digits: &str) -> Option<TokenDigest> {
    if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(TokenDigest(bytes))
}
