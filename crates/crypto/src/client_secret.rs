//! Client secrets (RFC 6749 §2.3.1): made, presented, and what is kept of them.

use std::fmt;

use aws_lc_rs::hmac;
use subtle::ConstantTimeEq as _;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::base64url;
use crate::entropy::Entropy;
use crate::master_key::Pepper;
use crate::password::{PASSWORD_BYTES_MAX, hash_password};
use crate::stored_password::{StoredPassword, StoredPasswordError};

/// The most bytes of a client secret.
pub const CLIENT_SECRET_BYTES_MAX: usize = PASSWORD_BYTES_MAX;

/// A client secret, as presented or newly made.
#[derive(ZeroizeOnDrop)]
pub struct ClientSecret(String);

/// Why a text is not a [`ClientSecret`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientSecretError {
    /// Empty, which is the same as absent (RFC 6749 §3.2).
    #[error("the client secret is empty")]
    Empty,
    /// Longer than [`CLIENT_SECRET_BYTES_MAX`].
    #[error("the client secret has {bytes} bytes, more than the {CLIENT_SECRET_BYTES_MAX} allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
}

impl ClientSecret {
    /// A secret that somebody presents or chose.
    pub fn new(secret: &str) -> Result<Self, ClientSecretError> {
        match secret.len() {
            0 => Err(ClientSecretError::Empty),
            bytes if bytes > CLIENT_SECRET_BYTES_MAX => Err(ClientSecretError::TooLong { bytes }),
            _ => Ok(Self(secret.to_owned())),
        }
    }

    /// A new secret: `rgs_` and 32 random bytes in base64url, 47 characters.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        entropy.fill(bytes.as_mut_slice());
        let mut secret = String::with_capacity(PREFIX.len() + 43);
        secret.push_str(PREFIX);
        base64url::encode_onto(bytes.as_slice(), &mut secret);
        Self(secret)
    }

    /// The secret, for the one answer that shows it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret(redacted)")
    }
}

/// What the database keeps of a client secret.
#[derive(Clone)]
pub enum StoredSecret {
    /// HMAC-SHA-256 under the pepper: quick, and enough for the 256 random bits of a secret that
    /// we made.
    Keyed([u8; 32]),
    /// As a password: for secrets that somebody chose or brought along.
    Chosen(StoredPassword),
}

/// Why a text is not a [`StoredSecret`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoredSecretError {
    /// After `hmac:` follow other than 32 bytes.
    #[error("the stored client secret does not give 32 bytes of base64url after `hmac:`")]
    Keyed,
    /// Neither `hmac:` nor a password hash we accept.
    #[error("the stored client secret is neither `hmac:…` nor a password hash: {0}")]
    Chosen(#[from] StoredPasswordError),
}

impl StoredSecret {
    /// What to keep of a secret that [`ClientSecret::generate`] made.
    #[must_use]
    pub fn keyed(pepper: &Pepper, secret: &ClientSecret) -> Self {
        Self::Keyed(key(pepper, secret))
    }

    /// What to keep of a secret that somebody chose. `salt` must be random and used once.
    ///
    /// Takes some tens of milliseconds: keep it off the threads that serve requests.
    #[must_use]
    pub fn chosen(secret: &ClientSecret, salt: [u8; 16]) -> Self {
        let hash = hash_password(secret.0.as_bytes(), salt).expect("a client secret is no longer than a password");
        Self::Chosen(hash.into())
    }

    /// Whether this is the keyed form of `secret`, in constant time. A chosen secret never is.
    #[must_use]
    pub fn matches_keyed(&self, pepper: &Pepper, secret: &ClientSecret) -> bool {
        match self {
            Self::Keyed(kept) => key(pepper, secret).ct_eq(kept).into(),
            Self::Chosen(_) => false,
        }
    }

    /// Whether this was made of `secret`, whichever form it has. Takes some tens of milliseconds
    /// for a chosen secret.
    #[must_use]
    pub fn matches(&self, pepper: &Pepper, secret: &ClientSecret) -> bool {
        match self {
            Self::Keyed(_) => self.matches_keyed(pepper, secret),
            Self::Chosen(hash) => hash.matches(secret.0.as_bytes()),
        }
    }

    /// Reads what [`StoredSecret::to_text`] wrote.
    pub fn parse(text: &str) -> Result<Self, StoredSecretError> {
        match text.strip_prefix(KEYED) {
            Some(bytes) => {
                base64url::decode_array(bytes).map(|bytes| Self::Keyed(*bytes)).ok_or(StoredSecretError::Keyed)
            }
            None => Ok(Self::Chosen(StoredPassword::parse(text)?)),
        }
    }

    /// The text for the database: `hmac:` and base64url, or that of a [`StoredPassword`].
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Keyed(bytes) => format!("{KEYED}{}", base64url::encode(bytes)),
            Self::Chosen(hash) => hash.to_text(),
        }
    }
}

impl fmt::Debug for StoredSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keyed(_) => "StoredSecret::Keyed(redacted)",
            Self::Chosen(_) => "StoredSecret::Chosen(redacted)",
        })
    }
}

fn key(pepper: &Pepper, secret: &ClientSecret) -> [u8; 32] {
    let mut context = hmac::Context::with_key(pepper.hmac_key());
    context.update(b"regrant/1/client-secret/");
    context.update(secret.0.as_bytes());
    let mut bytes = [0; 32];
    bytes.copy_from_slice(context.sign().as_ref());
    bytes
}

const PREFIX: &str = "rgs_";
const KEYED: &str = "hmac:";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PasswordHash;
    use crate::entropy::{SeededEntropy, SystemEntropy};
    use crate::foreign_hash::{ForeignHash, ForeignHashError};

    const OF_CHOSEN: &str = "7be403e3cc82262248913b70f596a31b93f656e0da8ce5d1bf757c63ef7a8db4";

    fn pepper() -> Pepper {
        Pepper::from_bytes([5; 32])
    }

    fn secret(text: &str) -> ClientSecret {
        ClientSecret::new(text).unwrap()
    }

    #[test]
    fn a_generated_secret_is_prefix_and_256_bits() {
        let made = ClientSecret::generate(&SystemEntropy);
        let bytes = made.expose().strip_prefix("rgs_").unwrap();
        assert!(base64url::decode_array::<32>(bytes).is_some());
        assert_eq!(made.expose().len(), 47);
        assert_ne!(made.expose(), ClientSecret::generate(&SystemEntropy).expose());
    }

    #[test]
    fn a_secret_has_bounds() {
        let too_long = "a".repeat(CLIENT_SECRET_BYTES_MAX + 1);
        assert_eq!(ClientSecret::new("").err(), Some(ClientSecretError::Empty));
        assert_eq!(ClientSecret::new(&too_long).err(), Some(ClientSecretError::TooLong { bytes: 1025 }));
        assert!(ClientSecret::new(&too_long[1..]).is_ok());
    }

    #[test]
    fn a_keyed_secret_is_the_one_computed_by_hand() {
        // python3: hmac.new(b"\x05" * 32, b"regrant/1/client-secret/rgs_secret", hashlib.sha256)
        let stored = StoredSecret::keyed(&pepper(), &secret("rgs_secret"));
        assert_eq!(stored.to_text(), "hmac:FTbV6iWebwb3WZGia6TE_iAsTQ6-xQERdb4vW6Mn5ew");
    }

    #[test]
    fn a_keyed_secret_matches_itself_under_its_pepper() {
        let made = ClientSecret::generate(&SeededEntropy::new(1));
        let stored = StoredSecret::parse(&StoredSecret::keyed(&pepper(), &made).to_text()).unwrap();
        let other_pepper = Pepper::from_bytes([6; 32]);
        assert!(stored.matches_keyed(&pepper(), &made));
        assert!(stored.matches(&pepper(), &made));
        assert!(!stored.matches(&pepper(), &secret("rgs_secret")));
        assert!(!stored.matches_keyed(&pepper(), &secret("rgs_secret")));
        assert!(!stored.matches_keyed(&other_pepper, &made));
    }

    #[test]
    fn a_chosen_secret_matches_by_argon2id_alone() {
        let stored = StoredSecret::chosen(&secret("chosen"), [1; 16]);
        let stored = StoredSecret::parse(&stored.to_text()).unwrap();
        assert!(matches!(stored, StoredSecret::Chosen(StoredPassword::Argon2id(_))));
        assert!(stored.matches(&pepper(), &secret("chosen")));
        assert!(!stored.matches(&pepper(), &secret("Chosen")));
        assert!(!stored.matches_keyed(&pepper(), &secret("chosen")));
    }

    #[test]
    fn a_secret_that_another_system_hashed_matches_as_it_is() {
        // python3: hashlib.sha256(b"chosen").hexdigest()
        let json = r#"{"hash":"@","algorithm":"SHA-256"}"#.replace('@', OF_CHOSEN);
        let taken_over = StoredSecret::Chosen(StoredPassword::Foreign(ForeignHash::of_wso2_secret(&json).unwrap()));
        assert_eq!(taken_over.to_text(), format!("sha256:{OF_CHOSEN}"));
        let stored = StoredSecret::parse(&taken_over.to_text()).unwrap();
        assert!(stored.matches(&pepper(), &secret("chosen")));
        assert!(!stored.matches(&pepper(), &secret("Chosen")));
        assert!(!stored.matches_keyed(&pepper(), &secret("chosen")));
    }

    #[test]
    fn other_texts_are_refused() {
        let form = StoredSecretError::Chosen(StoredPasswordError::Foreign(ForeignHashError::Unknown));
        let cases = [
            ("", form),
            ("rgs_secret", form),
            ("hmac:", StoredSecretError::Keyed),
            ("hmac:FTbV6iWebwb3WZGia6TE_iAsTQ6-xQERdb4vW6Mn5ew=", StoredSecretError::Keyed),
            ("hmac:FTbV6iWebwb3WZGia6TE", StoredSecretError::Keyed),
        ];
        for (text, expected) in cases {
            assert_eq!(StoredSecret::parse(text).err(), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn debug_prints_no_secret() {
        let printed = format!(
            "{:?} {:?} {:?}",
            secret("chosen"),
            StoredSecret::Keyed([77; 32]),
            StoredSecret::Chosen(PasswordHash::decoy().into())
        );
        assert_eq!(printed, "ClientSecret(redacted) StoredSecret::Keyed(redacted) StoredSecret::Chosen(redacted)");
    }
}
