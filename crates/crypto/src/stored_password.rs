//! What is kept of a password: Argon2id, or for now what another system kept.

use std::fmt;

use crate::foreign_hash::{ForeignHash, ForeignHashError};
use crate::password::{PasswordHash, PasswordHashError, verify_password};

/// What the database keeps of a password, or of a client secret that somebody chose.
#[derive(Clone)]
pub enum StoredPassword {
    /// Ours.
    Argon2id(PasswordHash),
    /// Another system's, until the password is entered next.
    Foreign(ForeignHash),
}

/// Why a text is not a [`StoredPassword`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoredPasswordError {
    /// It begins with `$argon2`, and is none that we accept.
    #[error(transparent)]
    Argon2id(#[from] PasswordHashError),
    /// It is none of another system that we accept.
    #[error(transparent)]
    Foreign(#[from] ForeignHashError),
}

impl StoredPassword {
    /// Reads what [`StoredPassword::to_text`] wrote.
    ///
    /// # Errors
    /// [`StoredPasswordError`] says what is malformed, or which cost is beyond our bounds.
    pub fn parse(text: &str) -> Result<Self, StoredPasswordError> {
        if text.starts_with(ARGON2) {
            return Ok(Self::Argon2id(PasswordHash::parse(text)?));
        }
        Ok(Self::Foreign(ForeignHash::parse(text)?))
    }

    /// The `password` of Joomla's `#__users`, whichever of its forms it has.
    ///
    /// # Errors
    /// As [`StoredPassword::parse`].
    pub fn of_joomla(password: &str) -> Result<Self, StoredPasswordError> {
        if password.starts_with(ARGON2) {
            return Self::parse(password);
        }
        Ok(Self::Foreign(ForeignHash::of_joomla(password)?))
    }

    /// Whether `password` is the one.
    ///
    /// Takes some tens of milliseconds for Argon2id, and what a foreign form asks for: keep it off the threads that serve requests.
    /// Where a stranger waits for the answer, let no follow only after an Argon2id call: some foreign forms are quick.
    #[must_use]
    pub fn matches(&self, password: &[u8]) -> bool {
        match self {
            Self::Argon2id(hash) => verify_password(hash, password),
            Self::Foreign(hash) => hash.matches(password),
        }
    }

    /// Whether [`hash_password`](crate::hash_password) should replace this, now that `password` matched. Not where the password is
    /// longer than what its form looks at: what was entered may then be another than what was chosen.
    #[must_use]
    pub fn is_to_be_replaced(&self, password: &[u8]) -> bool {
        match self {
            Self::Argon2id(_) => false,
            Self::Foreign(hash) => hash.covers(password),
        }
    }

    /// The text for the database: a PHC string, or the text form of a [`ForeignHash`].
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Argon2id(hash) => hash.expose().to_owned(),
            Self::Foreign(hash) => hash.to_text(),
        }
    }
}

impl From<PasswordHash> for StoredPassword {
    fn from(hash: PasswordHash) -> Self {
        Self::Argon2id(hash)
    }
}

impl fmt::Debug for StoredPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Argon2id(_) => "StoredPassword::Argon2id(redacted)",
            Self::Foreign(_) => "StoredPassword::Foreign(redacted)",
        })
    }
}

const ARGON2: &str = "$argon2";
