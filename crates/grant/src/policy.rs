use regrant_protocol::Lifetime;

/// The longest retry window of a sender that proves itself: 24 hours.
pub const RETRY_WINDOW_PROVEN_SECONDS: u32 = 24 * 60 * 60;
/// The longest retry window of a sender that holds a retry verifier: 1 hour.
pub const RETRY_WINDOW_CHALLENGE_SECONDS: u32 = 60 * 60;
/// The longest retry window of a sender that proves nothing: 60 seconds.
pub const RETRY_WINDOW_BEARER_SECONDS: u32 = 60;
/// How long after a rotation its own first try may still arrive: 10 seconds on the way, and 10 in the server.
pub const OVERTAKEN_TRY_SECONDS_MAX: u32 = 20;
/// The longest time after its redemption in which a code may be redeemed again: 10 seconds.
pub const CODE_RETRY_SECONDS_MAX: u32 = 10;

/// A client's settings, as far as the rule needs them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    /// What a refresh does to the refresh token.
    pub rotation: RotationMode,
    /// The retry window in seconds; `None` for the longest that the sender's proof allows, 0 for no retries.
    pub retry_window_seconds: Option<u32>,
    /// What reuse does; `None` for what fits the sender's proof.
    pub on_reuse: Option<OnReuse>,
    /// What becomes narrower when a refresh asks for less scope than was granted.
    pub scope_narrowing: ScopeNarrowing,
    /// What a refresh does to the access tokens that came before it.
    pub old_access_tokens: OldAccessTokens,
    /// How long after its redemption a code with PKCE gives the same tokens again, in seconds; 0 for never, and never more
    /// than [`CODE_RETRY_SECONDS_MAX`].
    pub code_retry_seconds: u32,
    /// How long an access token lives.
    pub access_lifetime: Lifetime,
    /// How long a refresh token lives unless it is used.
    pub idle_lifetime: Lifetime,
    /// How long a grant lives whatever happens.
    pub absolute_lifetime: Lifetime,
}

/// What a refresh does to the refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RotationMode {
    /// The token is superseded by its successor.
    Rotate,
    /// The same token is used again and again.
    Reuse,
    /// The token is used once, and none follows.
    Consume,
    /// A sibling grant is made, and the presented token stays.
    Fork,
}

/// What reuse of a superseded token does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnReuse {
    /// It ends the grant: thief and owner cannot be told apart (RFC 9700 §4.14.2).
    Revoke,
    /// It is refused and reported: the thief cannot use the token without the sender's key.
    Alert,
}

/// What becomes narrower when a refresh asks for less scope than was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScopeNarrowing {
    /// The access token of this refresh (RFC 6749 §6: the refresh token has the scope of the one before).
    AccessToken,
    /// The grant, for good: other servers do so, and their clients may count on it.
    Grant,
}

/// What a refresh does to the access tokens that came before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OldAccessTokens {
    /// They live to their end.
    Keep,
    /// They are good no longer for whoever asks the server: see [`Grant::has_replaced`](crate::Grant::has_replaced).
    End,
}
