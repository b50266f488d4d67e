use std::fmt;

use super::{
    BCRYPT_COST_MAX, FOREIGN_HASH_BYTES_MAX, FOREIGN_SALT_BYTES_MAX, PBKDF2_ITERATIONS_MAX, PBKDF2_KEY_BYTES_MAX,
    PBKDF2_KEY_BYTES_MIN, PHPASS_COST_MAX, PHPASS_COST_MIN,
};

/// The family of a [`ForeignHash`](super::ForeignHash), for errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignHashForm {
    /// MD5, SHA-1, SHA-256 or SHA-512, with salt or without.
    Digest,
    /// PBKDF2 (RFC 8018 §5.2).
    Pbkdf2,
    /// bcrypt.
    Bcrypt,
    /// The portable hashes of phpass.
    Phpass,
}

/// Why a text is not a [`ForeignHash`](super::ForeignHash). None says what the text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForeignHashError {
    /// Longer than [`FOREIGN_HASH_BYTES_MAX`].
    #[error("the password hash has {bytes} bytes, more than the {FOREIGN_HASH_BYTES_MAX} allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// It begins as none of the forms does.
    #[error(
        "the password hash has no form that is known; those of Argon2id, bcrypt, phpass, PBKDF2, MD5, SHA-1, SHA-256 \
         and SHA-512 are: see the text forms of passwords that are taken over"
    )]
    Unknown,
    /// Cut off, or not made by who should have made it.
    #[error("the {0} hash is cut off or malformed; {shape}", shape = .0.shape())]
    Malformed(ForeignHashForm),
    /// A cost that would keep a processor busy for too long, or that no such hash has.
    #[error("the {0} hash asks for a cost of {1}; {bounds}", bounds = .0.bounds())]
    Cost(ForeignHashForm, u32),
    /// A salt that is longer than [`FOREIGN_SALT_BYTES_MAX`], or missing where there has to be one.
    #[error(
        "the salt of the {0} hash has {1} bytes; at most {FOREIGN_SALT_BYTES_MAX} are allowed, and PBKDF2 needs one"
    )]
    Salt(ForeignHashForm, usize),
    /// The other system was configured to hash with a function that we do not have.
    #[error(
        "the other system hashes with a function that is not known; MD5, SHA-1, SHA-256 and SHA-512 are, alone and in PBKDF2"
    )]
    Function,
}

impl ForeignHashForm {
    fn shape(self) -> &'static str {
        match self {
            Self::Digest => "after the name of the digest comes as much hex or base64 as it has bytes",
            Self::Pbkdf2 => "it is made of iterations, key and salt",
            Self::Bcrypt => "it is `$2y$`, `$2a$` or `$2b$`, two digits, `$` and 53 characters",
            Self::Phpass => "it is `$P$` or `$H$` and 31 characters",
        }
    }

    fn bounds(self) -> String {
        match self {
            Self::Digest => "it has none".to_owned(),
            Self::Pbkdf2 => format!(
                "1 to {PBKDF2_ITERATIONS_MAX} iterations are allowed, and a key of {PBKDF2_KEY_BYTES_MIN} to \
                 {PBKDF2_KEY_BYTES_MAX} bytes"
            ),
            Self::Bcrypt => format!("4 to {BCRYPT_COST_MAX} is allowed"),
            Self::Phpass => format!("{PHPASS_COST_MIN} to {PHPASS_COST_MAX} is allowed"),
        }
    }
}

impl fmt::Display for ForeignHashForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Digest => "salted or plain",
            Self::Pbkdf2 => "PBKDF2",
            Self::Bcrypt => "bcrypt",
            Self::Phpass => "phpass",
        })
    }
}
