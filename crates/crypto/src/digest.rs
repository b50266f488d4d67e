//! SHA-256, plain and over several parts.

use aws_lc_rs::digest::{Context, SHA256};

/// SHA-256 (FIPS 180-4) of `bytes`.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    context.update(bytes);
    first_bytes(context)
}

/// The first `N` bytes of SHA-256 over `parts`, each preceded by its length in bytes as a
/// big-endian `u64`, so that moving a byte from one part to the next changes the digest.
///
/// `N` is at most 32; more does not compile.
#[must_use]
pub fn digest<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    first_bytes(context)
}

fn first_bytes<const N: usize>(context: Context) -> [u8; N] {
    const { assert!(N <= 32, "SHA-256 has 32 bytes") };
    let mut bytes = [0; N];
    bytes.copy_from_slice(&context.finish().as_ref()[..N]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_is_that_of_fips_180_4() {
        // The example "abc" of FIPS 180-4.
        let expected = [
            0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03,
            0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
        ];
        assert_eq!(sha256(b"abc"), expected);
    }

    #[test]
    fn parts_carry_their_lengths() {
        // python3: lp = lambda *p: b"".join(len(x).to_bytes(8, "big") + x for x in p)
        //          hashlib.sha256(lp(b"ab", b"c")).digest()[:10].hex()
        let ab_c: [u8; 10] = digest(&[b"ab", b"c"]);
        assert_eq!(ab_c, [0x60, 0x1d, 0x54, 0x76, 0xe2, 0xcc, 0xfe, 0x2c, 0x87, 0xa2]);
        assert_ne!(ab_c, digest(&[b"a", b"bc"]));
        assert_ne!(ab_c, digest(&[b"abc"]));
        assert_ne!(ab_c, digest(&[b"ab", b"c", b""]));
    }

    #[test]
    fn a_shorter_digest_is_the_beginning_of_a_longer_one() {
        let short: [u8; 10] = digest(&[b"claims"]);
        let long: [u8; 32] = digest(&[b"claims"]);
        assert_eq!(short, long[..10]);
    }
}
