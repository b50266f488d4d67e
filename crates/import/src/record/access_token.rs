use regrant_protocol::{ClientId, Scope, Timestamp};

use super::{Origin, TokenDigest, TokenUser};

/// An access token that is still good.
#[derive(Clone, Debug)]
pub struct ForeignAccessToken {
    /// The row it was read from.
    pub origin: Origin,
    /// What the token is found by.
    pub digest: TokenDigest,
    /// The client it was given to, which is one of the database.
    pub client: ClientId,
    /// The user it speaks for; `None` for a client's own token.
    pub user: Option<TokenUser>,
    /// What it grants; `None` is SQL's NULL.
    pub scope: Option<Scope>,
    /// When it was given out, where the row says so.
    pub issued_at: Option<Timestamp>,
    /// When it ends; `None` for one that never does (WSO2's negative validity).
    pub expires_at: Option<Timestamp>,
}
