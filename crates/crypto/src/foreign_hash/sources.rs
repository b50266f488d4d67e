//! What each of the systems that we take over keeps, read as it is in their databases.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::password_digest::{Algorithm, PasswordDigest};
use super::pbkdf2::{Pbkdf2, Prf};
use super::{ForeignHash, ForeignHashError, ForeignHashForm, Form, hex};

/// The most bytes of the JSON in which WSO2 keeps a hashed client secret.
const WSO2_SECRET_BYTES_MAX: usize = 512;

impl ForeignHash {
    /// The `password` of bshaffer's `oauth_users`: SHA-1 in hex, without a salt.
    ///
    /// # Errors
    /// [`ForeignHashError::Malformed`] unless it has 40 hex digits, in either case.
    pub fn of_bshaffer(password: &str) -> Result<Self, ForeignHashError> {
        of_hex(Algorithm::Sha1, password, "")
    }

    /// DotAuth's `password`, SHA-256 of password and salt in hex, and the salt of its configuration.
    ///
    /// # Errors
    /// [`ForeignHashError::Malformed`] unless it has 64 hex digits, in either case; [`ForeignHashError::Salt`] when the
    /// salt is too long.
    pub fn of_dotauth(password: &str, salt: &str) -> Result<Self, ForeignHashError> {
        of_hex(Algorithm::Sha256, password, salt)
    }

    /// The `UM_USER_PASSWORD` of WSO2, in base64, and the `UM_SALT_VALUE` that it was salted with, as text.
    /// `digest_function` is the `PasswordDigest` of the user store, `SHA-256` by default.
    ///
    /// # Errors
    /// [`ForeignHashError::Function`] for a function that is not known, among them `PLAIN_TEXT`, which is for the importer to
    /// hash, and `PBKDF2`, which is for [`ForeignHash::of_wso2_pbkdf2`]; and what [`ForeignHash::of_dotauth`] fails with.
    pub fn of_wso2(digest_function: &str, password: &str, salt: Option<&str>) -> Result<Self, ForeignHashError> {
        let algorithm = Algorithm::of_java(digest_function).ok_or(ForeignHashError::Function)?;
        let digest = base64(password).ok_or(ForeignHashError::Malformed(ForeignHashForm::Digest))?;
        Ok(Self(Form::Digest(PasswordDigest::new(algorithm, digest, salt.unwrap_or_default())?)))
    }

    /// The same for a user store whose `PasswordDigest` is `PBKDF2`. WSO2 keeps function and iterations not with the password but
    /// among the properties of the user store: `pbkdf2.prf`, `PBKDF2WithHmacSHA256` by default, and `pbkdf2.iteration.count`,
    /// 10,000 by default. (The length of the key, `pbkdf2.dkLength`, shows.) The salt is not decoded: its text is what counts.
    ///
    /// # Errors
    /// [`ForeignHashError`] says what is malformed, unknown or beyond our bounds.
    pub fn of_wso2_pbkdf2(prf: &str, iterations: u32, password: &str, salt: &str) -> Result<Self, ForeignHashError> {
        let prf = Prf::of_java(prf).ok_or(ForeignHashError::Function)?;
        let key = base64(password).ok_or(ForeignHashError::Malformed(ForeignHashForm::Pbkdf2))?;
        Ok(Self(Form::Pbkdf2(Pbkdf2::new(prf, iterations, key, salt)?)))
    }

    /// A client secret that WSO2 hashed: `{"hash":"…","algorithm":"SHA-256"}`, its members in any order, the hash in hex.
    ///
    /// # Errors
    /// [`ForeignHashError::Malformed`] for other text, [`ForeignHashError::Function`] for an algorithm that is not known.
    pub fn of_wso2_secret(json: &str) -> Result<Self, ForeignHashError> {
        #[derive(Deserialize)]
        struct Hashed {
            hash: String,
            algorithm: String,
        }
        let malformed = ForeignHashError::Malformed(ForeignHashForm::Digest);
        if json.len() > WSO2_SECRET_BYTES_MAX {
            return Err(malformed);
        }
        let Hashed { hash, algorithm } = serde_json::from_str(json).map_err(|_| malformed)?;
        of_hex(Algorithm::of_java(&algorithm).ok_or(ForeignHashError::Function)?, &hash, "")
    }

    /// The `password` of Joomla's `#__users`, but for Argon2id, which [`StoredPassword::of_joomla`] reads too: bcrypt, phpass,
    /// `{SHA256}` with salt, or MD5 with and without.
    ///
    /// [`StoredPassword::of_joomla`]: crate::StoredPassword::of_joomla
    pub(crate) fn of_joomla(password: &str) -> Result<Self, ForeignHashError> {
        if password.starts_with('$') {
            return Self::parse(password);
        }
        let (algorithm, rest) = match password.strip_prefix("{SHA256}") {
            Some(rest) => (Algorithm::Sha256, rest),
            None => (Algorithm::Md5, password),
        };
        let (digest, salt) = rest.split_once(':').unwrap_or((rest, ""));
        of_hex(algorithm, digest, salt)
    }
}

fn of_hex(algorithm: Algorithm, digest: &str, salt: &str) -> Result<ForeignHash, ForeignHashError> {
    let digest = Zeroizing::new(digest.to_ascii_lowercase());
    let digest = hex::decode(&digest).ok_or(ForeignHashError::Malformed(ForeignHashForm::Digest))?;
    Ok(ForeignHash(Form::Digest(PasswordDigest::new(algorithm, digest, salt)?)))
}

fn base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    STANDARD.decode(text).ok().map(Zeroizing::new)
}
