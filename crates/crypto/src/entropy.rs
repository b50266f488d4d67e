//! Where randomness comes from.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::hmac;

/// A source of random bytes, given as an argument to whatever needs some.
pub trait Entropy: Send + Sync {
    /// Overwrites all of `bytes`. A source that cannot must panic: nothing that asks for
    /// randomness may go on without it.
    fn fill(&self, bytes: &mut [u8]);
}

/// `N` bytes from `entropy`.
#[must_use]
pub fn random<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}

/// The generator of aws-lc, seeded by the operating system. The one for production.
///
/// Panics if the operating system gives no randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is the one place where randomness enters")]
    fn fill(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes).expect("the operating system gave no randomness; nothing is safe without it");
    }
}

/// The same bytes for the same seed, in the order they are asked for: HMAC-SHA-256 of a counter.
///
/// For tests and simulations. **Never in production**: whoever knows the seed knows every key.
pub struct SeededEntropy {
    key: hmac::Key,
    blocks_used: AtomicU64,
}

impl SeededEntropy {
    /// A source whose bytes depend on `seed` alone.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &seed.to_be_bytes()), blocks_used: AtomicU64::new(0) }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let block = self.blocks_used.fetch_add(1, Ordering::Relaxed);
            let tag = hmac::sign(&self.key, &block.to_be_bytes());
            chunk.copy_from_slice(&tag.as_ref()[..chunk.len()]);
        }
    }
}

impl fmt::Debug for SeededEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SeededEntropy(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_does_not_repeat_itself() {
        assert_ne!(random::<32>(&SystemEntropy), random::<32>(&SystemEntropy));
    }

    #[test]
    fn a_seed_repeats_itself_and_no_other() {
        let first = SeededEntropy::new(7);
        let second = SeededEntropy::new(7);
        let bytes: [u8; 100] = random(&first);
        assert_eq!(bytes, random(&second));
        assert_ne!(bytes, random(&first), "the next bytes are others");
        assert_ne!(bytes, random(&SeededEntropy::new(8)));
    }

    #[test]
    fn every_byte_is_filled() {
        // 5 × 100 zero bytes in the same place by chance: about 100 in 2^40.
        let entropy = SeededEntropy::new(1);
        let mut seen = [0; 100];
        for _ in 0..5 {
            for (seen, byte) in seen.iter_mut().zip(random::<100>(&entropy)) {
                *seen |= byte;
            }
        }
        assert!(seen.iter().all(|&byte| byte != 0));
    }

    #[test]
    fn debug_does_not_print_the_seed() {
        assert_eq!(format!("{:?}", SeededEntropy::new(7)), "SeededEntropy(redacted)");
    }
}
