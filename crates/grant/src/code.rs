use regrant_protocol::{CodeChallenge, Nonce, Timestamp};

/// How long an authorization code can be redeemed: 60 seconds from the user's consent (RFC 6749 §4.1.2 allows 10 minutes).
pub const CODE_LIFETIME_SECONDS: u32 = 60;

/// What the grant keeps of its authorization request until the code's end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Code {
    /// What the redemption has to prove (RFC 7636 §4.3); `None` when the request carried no challenge.
    pub challenge: Option<CodeChallenge>,
    /// The first 16 bytes of the SHA-256 digest of the redirect URI that the code was sent to.
    pub redirect_uri: [u8; 16],
    /// Whether the request named that URI, rather than leave it to the client's only registered one.
    pub redirect_uri_was_sent: bool,
    /// What the ID token repeats, so that the client knows it for the answer to its own request (OIDC Core §3.1.2.1).
    pub nonce: Option<Nonce>,
    /// When the code can no longer be redeemed.
    pub expires_at: Timestamp,
}

impl Code {
    /// Whether the code's end has come at `now`.
    #[must_use]
    pub fn has_passed(&self, now: Timestamp) -> bool {
        self.expires_at <= now
    }
}
