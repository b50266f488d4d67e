//! All cryptography of regrant, and nothing else: no socket, no file, no clock, no rule of OAuth.
//!
//! Every primitive comes from aws-lc-rs, but for Argon2id, and for bcrypt and MD5, which others hashed passwords with. What a
//! reader should know first:
//!
//! - [`KeyRing`]: the master keys and the pepper that live outside the database. Everything below
//!   is derived from them, each under its own label, so that no key serves two purposes.
//! - [`PrefilterKey`] and [`AuthorityKey`]: the two tags of our own tokens. The first refuses a
//!   forgery without the database; the second needs the master key *and* the grant's secret.
//! - [`AccessKey`]: the body of an opaque access token.
//! - [`SealingKey`]: what the database may keep but not read.
//! - [`SigningKey`], [`Jwk`], [`VerifyingKey`], [`verify`]: compact JWS, signed and checked.
//! - [`StoredPassword`], [`ClientSecret`], [`StoredSecret`]: what people and clients prove
//!   themselves with. [`PasswordHash`] is ours, [`ForeignHash`] what other systems kept.
//! - [`Entropy`]: where randomness comes from. It is an argument, so that tests repeat; the
//!   exceptions are what aws-lc draws by itself, new signing keys and the nonces of ES256.
//!
//! Types that hold key material print nothing of it, are not comparable with `==`, cannot be
//! serialized, and are wiped when dropped.

mod algorithm;
mod base64url;
mod client_secret;
mod digest;
mod entropy;
mod foreign_hash;
mod jwk;
mod jws;
mod key_file;
mod key_ring;
mod master_key;
mod opaque;
mod password;
mod private_key;
mod rsa_public_key;
mod seal;
mod signing_key;
mod stored_password;
mod tags;
mod typ;
mod verifying_key;

pub use algorithm::{Algorithm, UnknownAlgorithm};
pub use client_secret::{CLIENT_SECRET_BYTES_MAX, ClientSecret, ClientSecretError, StoredSecret, StoredSecretError};
pub use digest::{digest, sha256};
pub use entropy::{Entropy, SeededEntropy, SystemEntropy, random};
pub use foreign_hash::{
    BCRYPT_COST_MAX, BCRYPT_PASSWORD_BYTES_MAX, FOREIGN_HASH_BYTES_MAX, FOREIGN_SALT_BYTES_MAX, ForeignHash,
    ForeignHashError, ForeignHashForm, PBKDF2_ITERATIONS_MAX, PBKDF2_KEY_BYTES_MAX, PBKDF2_KEY_BYTES_MIN,
    PHPASS_COST_MAX, PHPASS_COST_MIN,
};
pub use jwk::{Jwk, JwkError, PublicKey};
pub use jws::{JWS_BYTES_MAX, JwsError, UnverifiedHeader, unverified_header, verify};
pub use key_file::{KEY_FILE_BYTES_MAX, KeyFileError, LineProblem};
pub use key_ring::{KeyRing, NoKidLeft};
pub use master_key::{MasterKey, Pepper};
pub use opaque::{AccessKey, NotOurClaims};
pub use password::{
    ARGON2_ITERATIONS, ARGON2_ITERATIONS_MAX, ARGON2_LANES, ARGON2_LANES_MAX, ARGON2_MEMORY_KIB, ARGON2_MEMORY_KIB_MAX,
    PASSWORD_BYTES_MAX, PHC_BYTES_MAX, PasswordHash, PasswordHashError, PasswordTooLong, hash_password,
    verify_password,
};
pub use private_key::{PRIVATE_KEY_BYTES_MAX, PrivateJwk, PrivateKeyError};
pub use rsa_public_key::{
    RSA_EXPONENT_BYTES_MAX, RSA_MODULUS_BITS_MAX, RSA_MODULUS_BITS_MIN, RsaPublicKey, RsaPublicKeyError,
};
pub use seal::{SealError, SealingKey};
pub use signing_key::{KeyReference, SigningKey, SigningKeyError, TokenTooLong};
pub use stored_password::{StoredPassword, StoredPasswordError};
pub use tags::{
    AuthorityContext, AuthorityKey, CONTEXT_FIELD_BYTES_MAX, ContextFieldTooLong, HEAD_BYTES, MESSAGE_BYTES,
    PrefilterKey, PrefilterKeys, Purpose, authority_key, prefilter_key,
};
pub use typ::Typ;
pub use verifying_key::VerifyingKey;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_shared_among_threads() {
        fn shared<T: Send + Sync + 'static>() {}
        shared::<KeyRing>();
        shared::<PrefilterKeys>();
        shared::<AuthorityKey>();
        shared::<AccessKey>();
        shared::<SealingKey>();
        shared::<SigningKey>();
        shared::<VerifyingKey>();
        shared::<StoredPassword>();
        shared::<StoredSecret>();
        shared::<Box<dyn Entropy>>();
    }
}
