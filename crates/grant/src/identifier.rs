use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;
use zeroize::ZeroizeOnDrop;

/// Names a grant: 16 random bytes, safe to log.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GrantId(pub [u8; 16]);

/// The text is not a grant id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a grant id is 22 characters of base64url")]
pub struct MalformedGrantId;

impl GrantId {
    /// Reads a grant id as logs show it.
    ///
    /// # Errors
    /// When it is not the base64url encoding of 16 bytes.
    pub fn parse(text: &str) -> Result<Self, MalformedGrantId> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| MalformedGrantId)?;
        bytes.try_into().map(Self).map_err(|_| MalformedGrantId)
    }
}

impl fmt::Display for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Names a login session, the time that a user stays logged in with one browser: 16 random bytes, safe to log.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub [u8; 16]);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The half of the authority key that lies in the row: 16 random bytes. Without it the master key forges nothing.
#[expect(clippy::derived_hash_with_manual_eq, reason = "the comparison is constant-time, its result the derived one")]
#[derive(Clone, Eq, Hash, ZeroizeOnDrop)]
pub struct GrantSecret([u8; 16]);

impl GrantSecret {
    /// Takes 16 random bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes, for deriving the authority key and for the row.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 16] {
        &self.0
    }
}

impl PartialEq for GrantSecret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for GrantSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GrantSecret(redacted)")
    }
}

/// A counter in the grant that only moves forward. 0 is the authorization code or an imported token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub u32);

impl Generation {
    /// The generation of an authorization code.
    pub const CODE: Self = Self(0);
    /// The generation of a token that was imported: as a code, it comes before every token of ours.
    pub const IMPORTED: Self = Self(0);
    /// The generation of the first refresh token, whether a code came before it or not.
    pub const FIRST: Self = Self(1);

    /// The next generation; `None` after the last, which ends the grant rather than begin again.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }

    /// Whether `newer` comes right after this one.
    #[must_use]
    pub fn is_right_before(self, newer: Self) -> bool {
        self.next() == Some(newer)
    }
}

/// Names a token that another system issued: the SHA-256 digest of its string, which nobody keeps. Whoever can guess the
/// string can make it, so it is not for logs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImportedToken(pub [u8; 32]);

impl fmt::Debug for ImportedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ImportedToken(redacted)")
    }
}

/// 16 random bytes made with the store, one per issuer entry, never changed: the issuer may be renamed while tokens live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Realm(pub [u8; 16]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_id_survives_its_text() {
        let id = GrantId([7; 16]);
        assert_eq!(GrantId::parse(&id.to_string()), Ok(id));
        for text in ["", "AAAA", "BwcHBwcHBwcHBwcHBwcHBx", "BwcHBwcHBwcHBwcHBwcHBw=="] {
            assert_eq!(GrantId::parse(text), Err(MalformedGrantId), "{text:?}");
        }
    }

    #[test]
    fn an_id_has_one_look_in_logs() {
        let id = GrantId([7; 16]);
        assert_eq!((id.to_string(), format!("{id:?}")), ("BwcHBwcHBwcHBwcHBwcHBw".to_owned(), id.to_string()));
        let id = SessionId([7; 16]);
        assert_eq!((id.to_string(), format!("{id:?}")), ("BwcHBwcHBwcHBwcHBwcHBw".to_owned(), id.to_string()));
    }

    #[test]
    fn secrets_and_digests_do_not_print_themselves() {
        assert_eq!(format!("{:?}", GrantSecret::new([7; 16])), "GrantSecret(redacted)");
        assert_eq!(format!("{:?}", ImportedToken([7; 32])), "ImportedToken(redacted)");
    }

    #[test]
    fn generations_end_instead_of_wrapping() {
        assert!(Generation(4).is_right_before(Generation(5)));
        assert!(!Generation(4).is_right_before(Generation(6)));
        assert!(!Generation(4).is_right_before(Generation(4)));
        assert_eq!(Generation(u32::MAX).next(), None);
        assert!(!Generation(u32::MAX).is_right_before(Generation(0)));
    }
}
