use regrant_grant::SessionId;
use regrant_protocol::{Subject, Timestamp};

/// The most login sessions of one user that go on: one more ends the oldest.
pub const LIVE_SESSIONS_MAX: u32 = 200;

/// The time that a user stays logged in with one browser. The browser holds its name and a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its name.
    pub id: SessionId,
    /// SHA-256 of the secret: whoever reads the store cannot take the session over.
    pub secret_digest: [u8; 32],
    /// Who is logged in.
    pub user: Subject,
    /// When it began.
    pub created_at: Timestamp,
    /// When the user last proved who they are (`auth_time`).
    pub authenticated_at: Timestamp,
    /// When it ends, or ended.
    pub expires_at: Timestamp,
}
