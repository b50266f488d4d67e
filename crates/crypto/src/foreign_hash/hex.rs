use zeroize::Zeroizing;

/// Lower case hex.
pub(super) fn encode(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// `None` for anything but pairs of lower case hex digits.
pub(super) fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let value = |digit: &u8| DIGITS.iter().position(|known| known == digit).and_then(|at| u8::try_from(at).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(value(high)? << 4 | value(low)?)).collect::<Option<Vec<u8>>>();
    bytes.filter(|_| rest.is_empty()).map(Zeroizing::new)
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pairs_of_lower_case_digits_are_read() {
        for (text, bytes) in [
            ("", Some(vec![])),
            ("00ff7a", Some(vec![0, 255, 0x7a])),
            ("0", None),
            ("0g", None),
            ("FF", None),
            ("0x", None),
            ("éé", None),
        ] {
            assert_eq!(decode(text).map(|bytes| bytes.to_vec()), bytes, "{text}");
        }
        assert_eq!(encode(&[0, 255, 0x7a]), "00ff7a");
    }
}
