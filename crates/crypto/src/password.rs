//! Passwords, and secrets that people chose: Argon2id (RFC 9106) in PHC strings.

use std::fmt;

use argon2::PasswordVerifier as _;
use argon2::password_hash::phc;
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Params, PasswordHasher as _, Version};
use zeroize::Zeroizing;

/// The memory of one hash: with the next two, the first choice of the OWASP password storage
/// cheat sheet.
pub const ARGON2_MEMORY_KIB: u32 = 19 * 1024;
/// The passes over that memory.
pub const ARGON2_ITERATIONS: u32 = 2;
/// The lanes of that memory.
pub const ARGON2_LANES: u32 = 1;

/// The most memory a stored hash may ask for, so that no row exhausts ours.
pub const ARGON2_MEMORY_KIB_MAX: u32 = 256 * 1024;
/// The most passes a stored hash may ask for.
pub const ARGON2_ITERATIONS_MAX: u32 = 10;
/// The most lanes a stored hash may ask for.
pub const ARGON2_LANES_MAX: u32 = 16;

/// The most bytes of a password; a longer one matches no hash.
pub const PASSWORD_BYTES_MAX: usize = 1024;
/// The most bytes of a PHC string.
pub const PHC_BYTES_MAX: usize = 256;

/// What is kept of a password: a PHC string of Argon2id within our bounds.
#[derive(Clone)]
pub struct PasswordHash(Zeroizing<String>);

/// Longer than [`PASSWORD_BYTES_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the password has {bytes} bytes, more than the {PASSWORD_BYTES_MAX} allowed")]
pub struct PasswordTooLong {
    /// Its length.
    pub bytes: usize,
}

/// Why a text is not a [`PasswordHash`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordHashError {
    /// Longer than [`PHC_BYTES_MAX`].
    #[error("the password hash has {bytes} bytes, more than the {PHC_BYTES_MAX} allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Not a PHC string with salt and hash.
    #[error("the password hash is not a PHC string with salt and hash")]
    Form,
    /// Another algorithm, or an older version.
    #[error("the password hash is not Argon2id version 19 (`$argon2id$v=19$…`)")]
    Algorithm,
    /// Parameters that Argon2 does not have, or that cost more than we allow.
    #[error(
        "the password hash asks for parameters out of bounds; at most m={ARGON2_MEMORY_KIB_MAX}, \
         t={ARGON2_ITERATIONS_MAX}, p={ARGON2_LANES_MAX} are allowed"
    )]
    Parameters,
}

/// Hashes a password with [`ARGON2_MEMORY_KIB`], [`ARGON2_ITERATIONS`] and [`ARGON2_LANES`].
/// `salt` must be random and used once.
///
/// Takes some tens of milliseconds: keep it off the threads that serve requests.
pub fn hash_password(password: &[u8], salt: [u8; 16]) -> Result<PasswordHash, PasswordTooLong> {
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(PasswordTooLong { bytes: password.len() });
    }
    let params = Params::new(ARGON2_MEMORY_KIB, ARGON2_ITERATIONS, ARGON2_LANES, None)
        .expect("our parameters are within those of Argon2");
    let phc = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_with_salt(password, &salt)
        .expect("Argon2 takes a password of 1024 bytes and a salt of 16");
    Ok(PasswordHash(Zeroizing::new(phc.to_string())))
}

/// Whether `password` is the one that was hashed, at the cost the hash itself asks for.
///
/// For an unknown user, verify against [`PasswordHash::decoy`]: the answer then takes as long.
#[must_use]
pub fn verify_password(hash: &PasswordHash, password: &[u8]) -> bool {
    password.len() <= PASSWORD_BYTES_MAX && Argon2::default().verify_password(password, hash.expose()).is_ok()
}

impl PasswordHash {
    /// Accepts Argon2id version 19 within our bounds.
    pub fn parse(text: &str) -> Result<Self, PasswordHashError> {
        if text.len() > PHC_BYTES_MAX {
            return Err(PasswordHashError::TooLong { bytes: text.len() });
        }
        let phc = phc::PasswordHash::new(text).map_err(|_| PasswordHashError::Form)?;
        if phc.salt.is_none() || phc.hash.is_none() {
            return Err(PasswordHashError::Form);
        }
        let version: u32 = Version::V0x13.into();
        if phc.algorithm != ARGON2ID_IDENT || phc.version != Some(version) {
            return Err(PasswordHashError::Algorithm);
        }
        let params = Params::try_from(&phc).map_err(|_| PasswordHashError::Parameters)?;
        let within_bounds = params.m_cost() <= ARGON2_MEMORY_KIB_MAX
            && params.t_cost() <= ARGON2_ITERATIONS_MAX
            && params.p_cost() <= ARGON2_LANES_MAX;
        if !within_bounds {
            return Err(PasswordHashError::Parameters);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// A hash with our parameters that no password is known to match: its output is all zeros,
    /// which nobody can find a password for.
    #[must_use]
    pub fn decoy() -> Self {
        Self(Zeroizing::new(DECOY.to_owned()))
    }

    /// The PHC string, for the database.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(redacted)")
    }
}

const DECOY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[cfg(test)]
mod tests {
    use super::*;

    // python3: from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
    //          Argon2id(salt=bytes(range(16)), length=32, iterations=2, lanes=1,
    //                   memory_cost=19456).derive_phc_encoded(b"correct horse battery staple")
    const OURS: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$gYJZtjEAJqjg26xdLmknq8/bB7MiWPrE9hsYuA+SkIU";
    // The same with iterations=3, lanes=4, memory_cost=65536.
    const OTHER: &str =
        "$argon2id$v=19$m=65536,t=3,p=4$AAECAwQFBgcICQoLDA0ODw$hTsnKkTbFCHAKWJmmlXrCZTzyrOF7RxMeSU+7hm6tJ4";
    // The first again, for b"a" * 1025.
    const OF_1025_BYTES: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$JlebCjKVr871Ymt4v2+oya4fHk8NLxYz/3wx+ZgJ16o";
    const PASSWORD: &[u8] = b"correct horse battery staple";

    #[test]
    fn a_hash_is_the_one_computed_elsewhere() {
        let salt = std::array::from_fn(|i| i as u8);
        assert_eq!(hash_password(PASSWORD, salt).unwrap().expose(), OURS);
    }

    #[test]
    fn only_the_password_matches_whatever_the_parameters() {
        for phc in [OURS, OTHER] {
            let hash = PasswordHash::parse(phc).unwrap();
            assert!(verify_password(&hash, PASSWORD), "{phc}");
            assert!(!verify_password(&hash, &PASSWORD[1..]), "{phc}");
            assert!(!verify_password(&hash, b""), "{phc}");
        }
    }

    #[test]
    fn the_decoy_costs_as_much_as_ours_and_matches_nothing() {
        let decoy = PasswordHash::decoy();
        assert!(PasswordHash::parse(decoy.expose()).is_ok());
        let cost = |phc: &str| {
            let fields: Vec<_> = phc.split('$').map(str::to_owned).collect();
            (fields[1..4].to_vec(), fields[4].len(), fields[5].len())
        };
        assert_eq!(cost(decoy.expose()), cost(OURS));
        for password in [b"", PASSWORD] {
            assert!(!verify_password(&decoy, password));
        }
    }

    #[test]
    fn a_password_that_is_too_long_is_refused() {
        let longest = [b'a'; PASSWORD_BYTES_MAX];
        let too_long = [b'a'; PASSWORD_BYTES_MAX + 1];
        let hash = hash_password(&longest, [1; 16]).unwrap();
        assert!(verify_password(&hash, &longest));
        let of_too_long = PasswordHash::parse(OF_1025_BYTES).unwrap();
        assert!(!verify_password(&of_too_long, &too_long));
        assert_eq!(hash_password(&too_long, [1; 16]).err(), Some(PasswordTooLong { bytes: 1025 }));
    }

    #[test]
    fn a_hash_out_of_bounds_is_refused() {
        use PasswordHashError::{Algorithm, Form, Parameters};
        let cost = |cost| OURS.replace("m=19456,t=2,p=1", cost);
        let cases = [
            (cost("m=262144,t=10,p=16"), None, "the most we allow"),
            (cost("m=262145,t=1,p=1"), Some(Parameters), "memory"),
            (cost("m=19456,t=11,p=1"), Some(Parameters), "iterations"),
            (cost("m=19456,t=2,p=17"), Some(Parameters), "lanes"),
            (cost("m=4294967295,t=4294967295,p=1"), Some(Parameters), "everything"),
            (cost("m=1,t=2,p=1"), Some(Parameters), "less memory than Argon2 needs"),
            (cost("m=x,t=2,p=1"), Some(Parameters), "not a number"),
            (OURS.replace("argon2id", "argon2i"), Some(Algorithm), "Argon2i"),
            (OURS.replace("argon2id", "scrypt"), Some(Algorithm), "scrypt"),
            (OURS.replace("v=19", "v=16"), Some(Algorithm), "an old version"),
            (OURS.replace("$v=19", ""), Some(Algorithm), "no version"),
            (OURS[..OURS.len() - 44].to_owned(), Some(Form), "no hash"),
            (OURS[1..].to_owned(), Some(Form), "no dollar sign"),
            (String::new(), Some(Form), "nothing"),
            ("$2y$10$abcdefghijklmnopqrstuv".to_owned(), Some(Form), "bcrypt"),
            ("$".repeat(PHC_BYTES_MAX + 1), Some(PasswordHashError::TooLong { bytes: 257 }), "too long"),
        ];
        for (text, expected, why) in cases {
            assert_eq!(PasswordHash::parse(&text).err(), expected, "{why}");
        }
    }

    #[test]
    fn debug_does_not_print_the_hash() {
        assert_eq!(format!("{:?}", PasswordHash::decoy()), "PasswordHash(redacted)");
    }
}
