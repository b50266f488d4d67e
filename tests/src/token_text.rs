//! Changing refresh tokens and codes byte by byte, as a forger would.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regrant_grant::{CODE_PREFIX, REFRESH_PREFIX};

/// A refresh token or code after `change` had its 51 bytes.
#[must_use]
pub fn with_bytes(token: &str, change: impl FnOnce(&mut [u8])) -> String {
    let (prefix, encoded) = [REFRESH_PREFIX, CODE_PREFIX]
        .into_iter()
        .find_map(|prefix| Some((prefix, token.strip_prefix(prefix)?)))
        .expect("a test changes a refresh token or a code");
    let mut bytes = URL_SAFE_NO_PAD.decode(encoded).expect("both are base64url");
    change(&mut bytes);
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// A refresh token or code with one of its 408 bits flipped.
#[must_use]
pub fn flipped(token: &str, bit: usize) -> String {
    with_bytes(token, |bytes| bytes[bit / 8] ^= 1 << (bit % 8))
}
