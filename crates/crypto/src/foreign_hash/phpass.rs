use md5::{Digest as _, Md5};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{ForeignHashError, ForeignHashForm};

/// The most that a phpass hash may cost: 2 to the power of this rounds of MD5, under a second of a processor.
pub const PHPASS_COST_MAX: u32 = 20;
/// The least that phpass knows.
pub const PHPASS_COST_MIN: u32 = 7;

/// `$P$`, the cost in one character, a salt of 8 and a hash of 22.
const TEXT_BYTES: usize = 34;
const COST_AT: usize = 3;
const SALT: std::ops::Range<usize> = 4..12;
const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A portable hash of phpass, as WordPress, phpBB and Joomla made them.
#[derive(Clone)]
pub(super) struct Phpass {
    text: Zeroizing<String>,
    cost: u32,
}

impl Phpass {
    /// Reads a text that begins with `$P$` or `$H$`.
    pub(super) fn parse(text: &str) -> Result<Self, ForeignHashError> {
        let malformed = ForeignHashError::Malformed(ForeignHashForm::Phpass);
        if text.len() != TEXT_BYTES || !text.bytes().skip(COST_AT).all(|byte| ALPHABET.contains(&byte)) {
            return Err(malformed);
        }
        // 16 bytes are 21 characters and 2 bits.
        if !text.ends_with(['.', '/', '0', '1']) {
            return Err(malformed);
        }
        let cost_character = text.as_bytes()[COST_AT];
        let cost = ALPHABET.iter().position(|known| *known == cost_character).ok_or(malformed)?;
        let cost = u32::try_from(cost).map_err(|_| malformed)?;
        if !(PHPASS_COST_MIN..=PHPASS_COST_MAX).contains(&cost) {
            return Err(ForeignHashError::Cost(ForeignHashForm::Phpass, cost));
        }
        Ok(Self { text: Zeroizing::new(text.to_owned()), cost })
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let text = self.text.as_bytes();
        let mut hash = Md5::new().chain_update(&text[SALT]).chain_update(password).finalize();
        for _ in 0..1_u32 << self.cost {
            hash = Md5::new().chain_update(hash).chain_update(password).finalize();
        }
        encode(hash.as_slice()).as_bytes().ct_eq(&text[SALT.end..]).into()
    }

    pub(super) fn to_text(&self) -> String {
        (*self.text).clone()
    }
}

/// The base 64 of phpass: three bytes are one number, the first the least, and so are its four digits.
fn encode(bytes: &[u8]) -> Zeroizing<String> {
    let digits = bytes.chunks(3).flat_map(|chunk| {
        let number = chunk.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte));
        (0..=chunk.len()).map(move |digit| char::from(ALPHABET[number >> (6 * digit) & 63]))
    });
    Zeroizing::new(digits.collect())
}
