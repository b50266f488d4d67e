//! RSA public keys: their numbers and their bounds.

/// The fewest bits of an RSA modulus (RFC 7518 §3.3).
pub const RSA_MODULUS_BITS_MIN: usize = 2048;

/// The most bits of an RSA modulus: a stranger's key must not buy our time.
pub const RSA_MODULUS_BITS_MAX: usize = 4096;

/// The most bytes of an RSA public exponent; in practice it is 65537.
pub const RSA_EXPONENT_BYTES_MAX: usize = 4;

/// Modulus and exponent within their bounds, big-endian without leading zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RsaPublicKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

/// Why two numbers are not an RSA public key we use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RsaPublicKeyError {
    /// Not the DER form of an `RSAPublicKey`.
    #[error("the RSA public key is not in the DER form of RFC 8017")]
    Encoding,
    /// A modulus out of bounds.
    #[error("the RSA modulus has {bits} bits; {RSA_MODULUS_BITS_MIN} to {RSA_MODULUS_BITS_MAX} are allowed")]
    ModulusBits {
        /// Its length, leading zeros included.
        bits: usize,
    },
    /// An exponent out of bounds.
    #[error(
        "the RSA exponent must be odd, above 1, of at most {RSA_EXPONENT_BYTES_MAX} bytes and without leading zeros"
    )]
    Exponent,
}

impl RsaPublicKey {
    /// The key of these big-endian numbers without leading zeros.
    pub fn new(modulus: Vec<u8>, exponent: Vec<u8>) -> Result<Self, RsaPublicKeyError> {
        let zeros = modulus.first().map_or(0, |first| first.leading_zeros());
        let bits = modulus.len() * 8 - zeros as usize;
        let bits_in_bounds = (RSA_MODULUS_BITS_MIN..=RSA_MODULUS_BITS_MAX).contains(&bits);
        if zeros == 8 || !bits_in_bounds {
            return Err(RsaPublicKeyError::ModulusBits { bits });
        }
        match exponent.as_slice() {
            [] | [0, ..] | [1] => Err(RsaPublicKeyError::Exponent),
            [.., last] if last % 2 == 0 => Err(RsaPublicKeyError::Exponent),
            _ if exponent.len() > RSA_EXPONENT_BYTES_MAX => Err(RsaPublicKeyError::Exponent),
            _ => Ok(Self { modulus, exponent }),
        }
    }

    /// The key of a DER-encoded `RSAPublicKey` (RFC 8017 §A.1.1).
    pub(crate) fn from_der(der: &[u8]) -> Result<Self, RsaPublicKeyError> {
        let (modulus, exponent) = integers(der).ok_or(RsaPublicKeyError::Encoding)?;
        Self::new(unsigned(modulus).to_vec(), unsigned(exponent).to_vec())
    }

    /// `n`, 2048 to 4096 bits.
    #[must_use]
    pub fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    /// `e`, at most [`RSA_EXPONENT_BYTES_MAX`] bytes.
    #[must_use]
    pub fn exponent(&self) -> &[u8] {
        &self.exponent
    }
}

/// The two INTEGERs of a SEQUENCE.
fn integers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (sequence, behind) = read_value(der, TAG_SEQUENCE)?;
    let (first, rest) = read_value(sequence, TAG_INTEGER)?;
    let (second, inside) = read_value(rest, TAG_INTEGER)?;
    (behind.is_empty() && inside.is_empty()).then_some((first, second))
}

/// Content and rest of the DER value at the beginning of `der`.
fn read_value(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, length], rest) = der.split_first_chunk()?;
    if found != tag {
        return None;
    }
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x82 => {
            let (length, rest) = rest.split_first_chunk()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        // 2048 to 4096 bits need exactly two bytes for their length.
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// DER puts a zero before a number whose first bit is set.
fn unsigned(integer: &[u8]) -> &[u8] {
    integer.strip_prefix(&[0]).unwrap_or(integer)
}

const TAG_INTEGER: u8 = 0x02;
const TAG_SEQUENCE: u8 = 0x30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc8017_appendix_a_1_1_numbers_are_read() {
        let modulus = [0x81; 256];
        let der = [&[0x30, 0x82, 0x01, 0x08][..], &[2, 0x82, 0x01, 0x01, 0], &modulus, &[2, 1, 3]];
        let key = RsaPublicKey::from_der(&der.concat()).unwrap();
        assert_eq!(key.modulus(), modulus);
        assert_eq!(key.exponent(), [3]);
    }

    #[test]
    fn other_encodings_are_refused() {
        let cases: [(&[u8], bool, &str); 8] = [
            (&[0x30, 6, 2, 1, 5, 2, 1, 3], true, "two integers"),
            (&[], false, "nothing"),
            (&[0x31, 6, 2, 1, 5, 2, 1, 3], false, "not a sequence"),
            (&[0x30, 6, 4, 1, 5, 2, 1, 3], false, "not an integer"),
            (&[0x30, 7, 2, 1, 5, 2, 1, 3], false, "too short"),
            (&[0x30, 6, 2, 1, 5, 2, 1, 3, 0], false, "something behind"),
            (&[0x30, 7, 2, 1, 5, 2, 1, 3, 0], false, "something inside"),
            (&[0x30, 0x83, 0, 0, 6, 2, 1, 5, 2, 1, 3], false, "long length"),
        ];
        for (der, expected, why) in cases {
            assert_eq!(integers(der).is_some(), expected, "{why}");
        }
    }

    #[test]
    fn numbers_out_of_bounds_are_refused() {
        let n = |first: u8, bytes| {
            let mut modulus = vec![0xff; bytes];
            modulus[0] = first;
            modulus
        };
        let bits = |bits| Some(RsaPublicKeyError::ModulusBits { bits });
        let exponent = Some(RsaPublicKeyError::Exponent);
        let cases = [
            (n(0x80, 256), vec![1, 0, 1], None, "2048 bits"),
            (n(0xff, 512), vec![0xff; 4], None, "4096 bits"),
            (vec![], vec![3], bits(0), "no modulus"),
            (n(0x80, 128), vec![3], bits(1024), "1024 bits"),
            (n(0x7f, 256), vec![3], bits(2047), "2047 bits"),
            (n(1, 513), vec![3], bits(4097), "4097 bits"),
            (n(0, 257), vec![3], bits(2048), "a leading zero"),
            (n(0xff, 256), vec![], exponent, "no exponent"),
            (n(0xff, 256), vec![1], exponent, "exponent 1 signs everything"),
            (n(0xff, 256), vec![2], exponent, "an even exponent"),
            (n(0xff, 256), vec![1, 0], exponent, "exponent 256"),
            (n(0xff, 256), vec![0, 3], exponent, "a leading zero"),
            (n(0xff, 256), vec![0], exponent, "exponent 0"),
            (n(0xff, 256), vec![1; 5], exponent, "five bytes"),
        ];
        for (modulus, exponent, expected, why) in cases {
            assert_eq!(RsaPublicKey::new(modulus, exponent).err(), expected, "{why}");
        }
    }
}
