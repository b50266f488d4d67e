//! The two tags of our own tokens.
//!
//! ```text
//!  0..23  head             version, kid, epoch, grant id, generation
//! 23..31  prefilter tag    of the head and the realm, under a key made of the master key
//! 31..51  authority tag    of the grant's facts and bytes 0..31, under a key made of the
//!                          master key and the grant's secret
//! ```
//!
//! The prefilter turns a forged token away before the database is asked. The authority tag is what
//! a token is worth: a stolen master key or a stolen database alone cannot make one.

mod authority;
mod prefilter;

pub use authority::{
    AuthorityContext, AuthorityKey, CONTEXT_FIELD_BYTES_MAX, ContextFieldTooLong, MESSAGE_BYTES, authority_key,
};
pub use prefilter::{PrefilterKey, PrefilterKeys, prefilter_key};

/// The bytes before the tags: version, kid, epoch, grant id and generation.
pub const HEAD_BYTES: usize = 23;

/// What a token is for. Each purpose has its own keys, so that no token passes for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// A refresh token.
    Refresh,
    /// An authorization code.
    Code,
    /// An access token.
    Access,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 3] = [Self::Refresh, Self::Code, Self::Access];

    /// The word that enters the key derivation.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Refresh => "refresh",
            Self::Code => "code",
            Self::Access => "access",
        }
    }
}
