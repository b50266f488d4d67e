use regrant_protocol::{ClientId, Scope, Timestamp};

use super::{Expiry, Origin, TokenDigest, TokenUser};

/// A refresh token that its system would still take; dead ones are never records.
#[derive(Clone, Debug)]
pub struct ForeignRefreshToken {
    /// The row it was read from.
    pub origin: Origin,
    /// What the token is found by.
    pub digest: TokenDigest,
    /// The client it was given to, which is one of the database.
    pub client: ClientId,
    /// The user it speaks for; `None` where there is none, as for a client's own token.
    pub user: Option<TokenUser>,
    /// What it grants. `None` (SQL's NULL) is not the empty scope: to bshaffer it means "whatever the client may ask for".
    pub scope: Option<Scope>,
    /// When it was given out, where the row says so.
    pub issued_at: Option<Timestamp>,
    /// When it ends.
    pub expires_at: Expiry,
}
