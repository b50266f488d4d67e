use base64::Engine as _;
use base64::alphabet::BCRYPT;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::NO_PAD;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{ForeignHashError, ForeignHashForm};

/// The most that a bcrypt hash may cost: about a second of a processor.
pub const BCRYPT_COST_MAX: u32 = 14;
/// The bytes of a password that bcrypt looks at.
pub const BCRYPT_PASSWORD_BYTES_MAX: usize = 72;

/// The least that bcrypt knows.
const COST_MIN: u32 = 4;
/// `$2y$10$`, a salt of 22 characters and a hash of 31.
const TEXT_BYTES: usize = 60;
const SALT: std::ops::Range<usize> = 7..29;
/// The alphabet of bcrypt, in its one canonical form.
const BASE64: GeneralPurpose = GeneralPurpose::new(&BCRYPT, NO_PAD);

/// bcrypt, as OpenBSD and PHP write it. The versions `2y`, `2a` and `2b` are the same function; `2x` is an old fault.
#[derive(Clone)]
pub(super) struct Bcrypt {
    text: Zeroizing<String>,
    cost: u32,
    salt: [u8; 16],
    hash: Zeroizing<Vec<u8>>,
}

impl Bcrypt {
    pub(super) fn parse(text: &str) -> Result<Self, ForeignHashError> {
        let malformed = ForeignHashError::Malformed(ForeignHashForm::Bcrypt);
        let is_version = ["$2y$", "$2a$", "$2b$"].iter().any(|version| text.starts_with(version));
        if !is_version || !text.is_ascii() || text.len() != TEXT_BYTES || text.as_bytes()[6] != b'$' {
            return Err(malformed);
        }
        let (tens, ones) = (text.as_bytes()[4], text.as_bytes()[5]);
        if !tens.is_ascii_digit() || !ones.is_ascii_digit() {
            return Err(malformed);
        }
        let cost = u32::from(tens - b'0') * 10 + u32::from(ones - b'0');
        if !(COST_MIN..=BCRYPT_COST_MAX).contains(&cost) {
            return Err(ForeignHashError::Cost(ForeignHashForm::Bcrypt, cost));
        }
        let salt = BASE64.decode(&text[SALT]).map_err(|_| malformed)?;
        let hash = BASE64.decode(&text[SALT.end..]).map_err(|_| malformed)?;
        Ok(Self {
            text: Zeroizing::new(text.to_owned()),
            cost,
            salt: salt.try_into().map_err(|_| malformed)?,
            hash: Zeroizing::new(hash),
        })
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        // It ends in a zero byte, as a text of C does, unless that is beyond what counts.
        let mut key = Zeroizing::new(Vec::with_capacity(password.len() + 1));
        key.extend_from_slice(password);
        key.push(0);
        key.truncate(BCRYPT_PASSWORD_BYTES_MAX);
        let hash = Zeroizing::new(::bcrypt::bcrypt(self.cost, self.salt, &key));
        hash[..self.hash.len()].ct_eq(&self.hash).into()
    }

    pub(super) fn to_text(&self) -> String {
        (*self.text).clone()
    }
}
