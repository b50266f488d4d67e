use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2::{self, PBKDF2_HMAC_SHA1, PBKDF2_HMAC_SHA256, PBKDF2_HMAC_SHA512};
use zeroize::Zeroizing;

use super::{FOREIGN_SALT_BYTES_MAX, ForeignHashError, ForeignHashForm, hex};

/// The most iterations of PBKDF2: over three times what WSO2 recommends today, and under two seconds of a processor.
pub const PBKDF2_ITERATIONS_MAX: u32 = 2_000_000;
/// The most bytes of a key of PBKDF2.
pub const PBKDF2_KEY_BYTES_MAX: usize = 64;
/// The fewest bytes of a key of PBKDF2: a shorter one would match other passwords too.
pub const PBKDF2_KEY_BYTES_MIN: usize = 16;

/// PBKDF2 with HMAC (RFC 8018 §5.2).
#[derive(Clone)]
pub(super) struct Pbkdf2 {
    prf: Prf,
    iterations: NonZeroU32,
    key: Zeroizing<Vec<u8>>,
    salt: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prf {
    HmacSha1,
    HmacSha256,
    HmacSha512,
}

impl Pbkdf2 {
    pub(super) fn new(
        prf: Prf,
        iterations: u32,
        key: Zeroizing<Vec<u8>>,
        salt: &str,
    ) -> Result<Self, ForeignHashError> {
        let is_bounded = iterations <= PBKDF2_ITERATIONS_MAX;
        let iterations = NonZeroU32::new(iterations)
            .filter(|_| is_bounded)
            .ok_or(ForeignHashError::Cost(ForeignHashForm::Pbkdf2, iterations))?;
        if !(PBKDF2_KEY_BYTES_MIN..=PBKDF2_KEY_BYTES_MAX).contains(&key.len()) {
            return Err(ForeignHashError::Malformed(ForeignHashForm::Pbkdf2));
        }
        if salt.is_empty() || salt.len() > FOREIGN_SALT_BYTES_MAX {
            return Err(ForeignHashError::Salt(ForeignHashForm::Pbkdf2, salt.len()));
        }
        Ok(Self { prf, iterations, key, salt: salt.to_owned() })
    }

    /// Reads what follows the name of the function.
    pub(super) fn parse(prf: Prf, rest: &str) -> Result<Self, ForeignHashError> {
        let malformed = ForeignHashError::Malformed(ForeignHashForm::Pbkdf2);
        let (iterations, rest) = rest.split_once(':').ok_or(malformed)?;
        let (key, salt) = rest.split_once(':').ok_or(malformed)?;
        let count: u32 = iterations.parse().map_err(|_| malformed)?;
        if count.to_string() != iterations {
            return Err(malformed);
        }
        Self::new(prf, count, hex::decode(key).ok_or(malformed)?, salt)
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let algorithm = match self.prf {
            Prf::HmacSha1 => PBKDF2_HMAC_SHA1,
            Prf::HmacSha256 => PBKDF2_HMAC_SHA256,
            Prf::HmacSha512 => PBKDF2_HMAC_SHA512,
        };
        pbkdf2::verify(algorithm, self.iterations, self.salt.as_bytes(), password, &self.key).is_ok()
    }

    pub(super) fn to_text(&self) -> String {
        format!("{}:{}:{}:{}", self.prf.name(), self.iterations, hex::encode(&self.key), self.salt)
    }
}

impl Prf {
    const ALL: [Self; 3] = [Self::HmacSha1, Self::HmacSha256, Self::HmacSha512];

    /// The function that a text form begins with, and what follows.
    pub(super) fn named_in(text: &str) -> Option<(Self, &str)> {
        let (name, rest) = text.split_once(':')?;
        Self::ALL.into_iter().find(|prf| prf.name() == name).map(|prf| (prf, rest))
    }

    /// As the Java platform calls it, in whatever case.
    pub(super) fn of_java(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|prf| {
            let known = match prf {
                Self::HmacSha1 => "PBKDF2WithHmacSHA1",
                Self::HmacSha256 => "PBKDF2WithHmacSHA256",
                Self::HmacSha512 => "PBKDF2WithHmacSHA512",
            };
            known.eq_ignore_ascii_case(name)
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::HmacSha1 => "pbkdf2-sha1",
            Self::HmacSha256 => "pbkdf2-sha256",
            Self::HmacSha512 => "pbkdf2-sha512",
        }
    }
}
