use aws_lc_rs::digest::{self, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA512};
use md5::{Digest as _, Md5};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{FOREIGN_SALT_BYTES_MAX, ForeignHashError, ForeignHashForm, hex};

/// One digest of a password, and of the salt behind it where there is one.
#[derive(Clone)]
pub(super) struct PasswordDigest {
    algorithm: Algorithm,
    digest: Zeroizing<Vec<u8>>,
    salt: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Md5,
    Sha1,
    Sha256,
    Sha512,
}

impl PasswordDigest {
    pub(super) fn new(algorithm: Algorithm, digest: Zeroizing<Vec<u8>>, salt: &str) -> Result<Self, ForeignHashError> {
        if digest.len() != algorithm.bytes() {
            return Err(ForeignHashError::Malformed(ForeignHashForm::Digest));
        }
        if salt.len() > FOREIGN_SALT_BYTES_MAX {
            return Err(ForeignHashError::Salt(ForeignHashForm::Digest, salt.len()));
        }
        Ok(Self { algorithm, digest, salt: salt.to_owned() })
    }

    /// Reads what follows the name of the digest.
    pub(super) fn parse(algorithm: Algorithm, rest: &str) -> Result<Self, ForeignHashError> {
        let malformed = ForeignHashError::Malformed(ForeignHashForm::Digest);
        let (digest, salt) = match rest.split_once(':') {
            Some((_, "")) => return Err(malformed),
            Some(parts) => parts,
            None => (rest, ""),
        };
        Self::new(algorithm, hex::decode(digest).ok_or(malformed)?, salt)
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        self.algorithm.digest(password, self.salt.as_bytes()).ct_eq(&self.digest).into()
    }

    pub(super) fn to_text(&self) -> String {
        let (name, digest) = (self.algorithm.name(), hex::encode(&self.digest));
        if self.salt.is_empty() { format!("{name}:{digest}") } else { format!("{name}:{digest}:{}", self.salt) }
    }
}

impl Algorithm {
    const ALL: [Self; 4] = [Self::Md5, Self::Sha1, Self::Sha256, Self::Sha512];

    /// The digest that a text form begins with, and what follows.
    pub(super) fn named_in(text: &str) -> Option<(Self, &str)> {
        let (name, rest) = text.split_once(':')?;
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name).map(|algorithm| (algorithm, rest))
    }

    /// As the Java platform calls it, in whatever case.
    pub(super) fn of_java(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| {
            let names: &[&str] = match algorithm {
                Self::Md5 => &["MD5"],
                Self::Sha1 => &["SHA", "SHA1", "SHA-1"],
                Self::Sha256 => &["SHA-256", "SHA256"],
                Self::Sha512 => &["SHA-512", "SHA512"],
            };
            names.iter().any(|known| known.eq_ignore_ascii_case(name))
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    fn digest(self, password: &[u8], salt: &[u8]) -> Zeroizing<Vec<u8>> {
        let algorithm = match self {
            Self::Md5 => {
                return Zeroizing::new(Md5::new().chain_update(password).chain_update(salt).finalize().to_vec());
            }
            Self::Sha1 => &SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &SHA256,
            Self::Sha512 => &SHA512,
        };
        let mut context = digest::Context::new(algorithm);
        context.update(password);
        context.update(salt);
        Zeroizing::new(context.finish().as_ref().to_vec())
    }
}
