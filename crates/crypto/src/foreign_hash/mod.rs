//! Passwords as other systems kept them, which are checked as they are until Argon2id replaces them.

mod bcrypt;
mod error;
mod hex;
mod password_digest;
mod pbkdf2;
mod phpass;
mod sources;

use std::fmt;

pub use bcrypt::{BCRYPT_COST_MAX, BCRYPT_PASSWORD_BYTES_MAX};
pub use error::{ForeignHashError, ForeignHashForm};
pub use pbkdf2::{PBKDF2_ITERATIONS_MAX, PBKDF2_KEY_BYTES_MAX, PBKDF2_KEY_BYTES_MIN};
pub use phpass::{PHPASS_COST_MAX, PHPASS_COST_MIN};

use self::bcrypt::Bcrypt;
use self::password_digest::PasswordDigest;
use self::pbkdf2::Pbkdf2;
use self::phpass::Phpass;
use crate::password::PASSWORD_BYTES_MAX;

/// The most bytes of a [`ForeignHash`] in its text form.
pub const FOREIGN_HASH_BYTES_MAX: usize = 320;
/// The most bytes of the salt of a digest or of PBKDF2.
pub const FOREIGN_SALT_BYTES_MAX: usize = 128;

/// What another system kept of a password or client secret. It prints nothing of itself.
///
/// The text form names what it is:
///
/// | form | text |
/// |---|---|
/// | digest of the password | `md5:`, `sha1:`, `sha256:` or `sha512:`, then lower case hex |
/// | digest of password and salt, one after the other | the same, then `:` and the salt as it is |
/// | PBKDF2 | `pbkdf2-sha1:`, `pbkdf2-sha256:` or `pbkdf2-sha512:`, then iterations, `:`, the key in lower case hex, `:`, the salt as it is |
/// | bcrypt | `$2y$`, `$2a$` or `$2b$`, as everybody writes it |
/// | phpass | `$P$` or `$H$`, as everybody writes it |
///
/// A salt is text, of which the bytes in UTF-8 count. It comes last, and may contain colons.
#[derive(Clone)]
pub struct ForeignHash(Form);

#[derive(Clone)]
enum Form {
    Digest(PasswordDigest),
    Pbkdf2(Pbkdf2),
    Bcrypt(Bcrypt),
    Phpass(Phpass),
}

impl ForeignHash {
    /// Reads the text form.
    ///
    /// # Errors
    /// [`ForeignHashError`] says what is malformed, or which cost is beyond our bounds.
    pub fn parse(text: &str) -> Result<Self, ForeignHashError> {
        if text.len() > FOREIGN_HASH_BYTES_MAX {
            return Err(ForeignHashError::TooLong { bytes: text.len() });
        }
        if text.starts_with("$2") {
            return Ok(Self(Form::Bcrypt(Bcrypt::parse(text)?)));
        }
        if text.starts_with("$P$") || text.starts_with("$H$") {
            return Ok(Self(Form::Phpass(Phpass::parse(text)?)));
        }
        if let Some((prf, rest)) = pbkdf2::Prf::named_in(text) {
            return Ok(Self(Form::Pbkdf2(Pbkdf2::parse(prf, rest)?)));
        }
        match password_digest::Algorithm::named_in(text) {
            Some((algorithm, rest)) => Ok(Self(Form::Digest(PasswordDigest::parse(algorithm, rest)?))),
            None => Err(ForeignHashError::Unknown),
        }
    }

    /// Whether this was made of `password`. A password of more than [`PASSWORD_BYTES_MAX`] bytes matches nothing.
    ///
    /// Takes up to some seconds where the hash asks for the most we allow: keep it off the threads that serve requests.
    #[must_use]
    pub fn matches(&self, password: &[u8]) -> bool {
        password.len() <= PASSWORD_BYTES_MAX
            && match &self.0 {
                Form::Digest(digest) => digest.matches(password),
                Form::Pbkdf2(pbkdf2) => pbkdf2.matches(password),
                Form::Bcrypt(bcrypt) => bcrypt.matches(password),
                Form::Phpass(phpass) => phpass.matches(password),
            }
    }

    /// Whether every byte of `password` counts for [`ForeignHash::matches`]: bcrypt looks at
    /// [`BCRYPT_PASSWORD_BYTES_MAX`] bytes alone, so that a longer password that matches may end in anything.
    #[must_use]
    pub fn covers(&self, password: &[u8]) -> bool {
        match &self.0 {
            Form::Bcrypt(_) => password.len() <= BCRYPT_PASSWORD_BYTES_MAX,
            Form::Digest(_) | Form::Pbkdf2(_) | Form::Phpass(_) => true,
        }
    }

    /// The text form, for the database.
    #[must_use]
    pub fn to_text(&self) -> String {
        match &self.0 {
            Form::Digest(digest) => digest.to_text(),
            Form::Pbkdf2(pbkdf2) => pbkdf2.to_text(),
            Form::Bcrypt(bcrypt) => bcrypt.to_text(),
            Form::Phpass(phpass) => phpass.to_text(),
        }
    }
}

impl fmt::Debug for ForeignHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ForeignHash(redacted)")
    }
}

#[cfg(test)]
mod known_answers;
#[cfg(test)]
mod tests;
