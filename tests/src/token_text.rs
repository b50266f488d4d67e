//! Changing refresh tokens byte by byte, as a forger would.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regrant_grant::REFRESH_PREFIX;

/// A refresh token after `change` had its 51 bytes.
#[must_use]
pub fn with_bytes(refresh_token: &str, change: impl FnOnce(&mut [u8])) -> String {
    let encoded = refresh_token.strip_prefix(REFRESH_PREFIX).expect("a test changes a refresh token");
    let mut bytes = URL_SAFE_NO_PAD.decode(encoded).expect("a refresh token is base64url");
    change(&mut bytes);
    format!("{REFRESH_PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// A refresh token with one of its 408 bits flipped.
#[must_use]
pub fn flipped(refresh_token: &str, bit: usize) -> String {
    with_bytes(refresh_token, |bytes| bytes[bit / 8] ^= 1 << (bit % 8))
}
