use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::TokenDigest;
use crate::record::digest_of_hex;

/// A token or secret as WSO2 keeps it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kept<'a> {
    /// `{"hash":"…","algorithm":"SHA-256"}`, its members in either order: this is what is looked up.
    Hash(TokenDigest),
    /// A hash that cannot be looked up: by another algorithm, or not all there. It says what is wrong.
    OtherHash(String),
    /// Encrypted with a key of the server.
    Encrypted,
    /// In the clear.
    Plain(&'a str),
}

/// What is wrong with a hash by SHA-256 that is none.
const MALFORMED: &str = "its hash is not the 64 hexadecimal digits of SHA-256";
/// How many bytes of ciphertext there are at least: RSA with 1024 bits gives 128.
const CIPHERTEXT_BYTES_MIN: usize = 64;

/// Tells what `text` is.
pub(super) fn kept(text: &str) -> Kept<'_> {
    if let Ok(Value::Object(object)) = serde_json::from_str::<Value>(text) {
        let member = |name| object.get(name).and_then(Value::as_str);
        if let (Some(hash), Some(algorithm)) = (member("hash"), member("algorithm")) {
            let is_sha256 = algorithm.eq_ignore_ascii_case("SHA-256") || algorithm.eq_ignore_ascii_case("SHA256");
            return match digest_of_hex(hash) {
                _ if !is_sha256 => {
                    Kept::OtherHash(format!("it is hashed by {algorithm}, and only SHA-256 is looked up"))
                }
                Some(digest) => Kept::Hash(digest),
                None => Kept::OtherHash(MALFORMED.to_owned()),
            };
        }
    }
    if is_ciphertext(text) { Kept::Encrypted } else { Kept::Plain(text) }
}

/// Whether `text` is base64 of what is no text, or of WSO2's own envelope of a ciphertext, `{"c":…}`. Tokens that contain
/// their user's name are base64 too, but of text.
fn is_ciphertext(text: &str) -> bool {
    STANDARD.decode(text).is_ok_and(|bytes| {
        bytes.starts_with(b"{\"c\"") || (bytes.len() >= CIPHERTEXT_BYTES_MIN && std::str::from_utf8(&bytes).is_err())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_told_by_its_form() {
        let hex = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        let digest = digest_of_hex(hex).unwrap();
        let in_order = format!(r#"{{"hash":"{hex}","algorithm":"SHA-256"}}"#);
        let reversed = format!(r#"{{"algorithm":"SHA-256","hash":"{}"}}"#, hex.to_uppercase());
        let named = STANDARD.encode("2c2a7e0e-9f0f-4f5b-8d6c-0d8a1b2c3d4e:admin@carbon.super and some more to be long");
        let envelope = STANDARD.encode(r#"{"c":"AAAA","t":"RSA"}"#);
        let rsa = STANDARD.encode([0xC3; 256]);
        let cases = [
            (in_order.as_str(), Kept::Hash(digest), "as it is mostly written"),
            (reversed.as_str(), Kept::Hash(digest), "members the other way round, digits in capitals"),
            (
                r#"{"hash":"12","algorithm":"SHA-512"}"#,
                Kept::OtherHash("it is hashed by SHA-512, and only SHA-256 is looked up".to_owned()),
                "another algorithm",
            ),
            (r#"{"hash":"12","algorithm":"SHA-256"}"#, Kept::OtherHash(MALFORMED.to_owned()), "a digit too few"),
            ("2c2a7e0e-9f0f-4f5b-8d6c-0d8a1b2c3d4e", Kept::Plain("2c2a7e0e-9f0f-4f5b-8d6c-0d8a1b2c3d4e"), "a UUID"),
            (hex, Kept::Plain(hex), "a token of 64 hexadecimal digits"),
            (named.as_str(), Kept::Plain(&named), "a token with its user in it"),
            (envelope.as_str(), Kept::Encrypted, "an envelope"),
            (rsa.as_str(), Kept::Encrypted, "a bare ciphertext"),
        ];
        for (text, expected, why) in cases {
            assert_eq!(kept(text), expected, "{why}");
        }
    }
}
