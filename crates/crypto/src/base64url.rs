//! base64url without padding (RFC 4648 §5, RFC 7515 §2), in its one canonical form.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn encode_onto(bytes: &[u8], text: &mut String) {
    URL_SAFE_NO_PAD.encode_string(bytes, text);
}

/// `None` for padding, foreign characters and spare bits: bytes have one spelling.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Like [`decode`], for exactly `N` bytes that may be a secret.
pub(crate) fn decode_array<const N: usize>(text: &str) -> Option<Zeroizing<[u8; N]>> {
    let bytes = Zeroizing::new(decode(text)?);
    let mut array = Zeroizing::new([0; N]);
    (bytes.len() == N).then(|| {
        array.copy_from_slice(&bytes);
        array
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_spelling_is_read() {
        let cases: [(&str, Option<&[u8]>, &str); 8] = [
            ("", Some(b""), "nothing"),
            ("AA", Some(&[0]), "one byte"),
            ("-_8", Some(&[0xfb, 0xff]), "the two characters of the url alphabet"),
            ("AB", None, "spare bits"),
            ("AA==", None, "padding"),
            ("A", None, "half a byte"),
            ("+/8", None, "the other alphabet"),
            ("AA\n", None, "whitespace"),
        ];
        for (text, bytes, why) in cases {
            assert_eq!(decode(text).as_deref(), bytes, "{why}");
        }
    }

    #[test]
    fn an_array_has_exactly_its_length() {
        assert_eq!(decode_array::<2>("-_8").as_deref(), Some(&[0xfb, 0xff]));
        assert!(decode_array::<1>("-_8").is_none());
        assert!(decode_array::<3>("-_8").is_none());
    }
}
