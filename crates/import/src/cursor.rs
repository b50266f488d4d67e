use std::fmt;
use std::str::FromStr;

use crate::{Digest, TokenDigest};

/// How far reading got: every row of a table up to one was given out.
///
/// The row is named by the digest of its key, because in some tables the key is the token. Its text is
/// `table:64 hexadecimal digits`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub(crate) table: String,
    after: TokenDigest,
}

/// A text that is no cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no cursor; one looks like oauth_clients:9f86d0…, with 64 hexadecimal digits")]
pub struct CursorError;

impl Cursor {
    pub(crate) fn new(table: &str, key: &str, digest: Digest) -> Self {
        Self { table: table.to_owned(), after: TokenDigest::of(key, digest) }
    }

    /// Whether `key` is that of the row.
    pub(crate) fn names(&self, key: &str, digest: Digest) -> bool {
        TokenDigest::of(key, digest) == self.after
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.table)?;
        self.after.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (table, digits) = text.rsplit_once(':').ok_or(CursorError)?;
        let after = crate::record::digest_of_hex(digits).ok_or(CursorError)?;
        Ok(Self { table: table.to_owned(), after })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_being_written_down_and_shows_no_token() {
        let cursor = Cursor::new("oauth_refresh_tokens", "secret-token", regrant_crypto::sha256);
        let text = cursor.to_string();
        assert!(!text.contains("secret-token"));
        let read: Cursor = text.parse().unwrap();
        assert_eq!(read, cursor);
        assert!(read.names("secret-token", regrant_crypto::sha256));
        assert!(!read.names("other", regrant_crypto::sha256));
        for text in ["", "oauth", "oauth:12", "oauth:zz"] {
            assert_eq!(text.parse::<Cursor>(), Err(CursorError), "{text:?}");
        }
    }
}
