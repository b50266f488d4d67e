use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use regrant_protocol::{Secret, Timestamp};

/// The longest answer of an old server that is read, in bytes.
pub const OLD_SERVER_ANSWER_BYTES_MAX: usize = 64 * 1024;
/// How long one question to an old server may take, in seconds. A caller does not wait for as long; what comes later is kept for its retry.
pub const OLD_SERVER_SECONDS_MAX: u64 = 20;

/// The way to the server whose place this one takes, for one client: whoever implements it knows the addresses, and the client's
/// credentials there.
///
/// Each question is sent once, over TLS or to this machine: no redirect is followed, and nothing is repeated. No answer is longer than
/// [`OLD_SERVER_ANSWER_BYTES_MAX`] or takes longer than [`OLD_SERVER_SECONDS_MAX`].
#[async_trait]
pub trait OldServer: Send + Sync + 'static {
    /// Asks, and gives the whole answer, whatever its status.
    ///
    /// # Errors
    /// When there is no answer; nobody knows then whether the question arrived.
    async fn ask(&self, question: OldServerQuestion<'_>) -> Result<OldServerAnswer, OldServerSilent>;
}

/// What an old server is asked.
#[derive(Clone, Copy, Debug)]
pub enum OldServerQuestion<'a> {
    /// To refresh this token, by the client's credentials (RFC 6749 §6).
    Refresh(&'a Secret),
    /// What this access token stands for, by the client's credentials (RFC 7662 §2.1).
    Introspect(&'a Secret),
    /// Who the user of this access token is, by the token itself (OpenID Connect Core §5.3.1).
    UserInfo(&'a Secret),
    /// To end this refresh token, by the client's credentials (RFC 7009 §2.1).
    Revoke(&'a Secret),
}

/// What an old server answered.
#[derive(Clone, Debug)]
pub struct OldServerAnswer {
    /// The HTTP status.
    pub status: u16,
    /// `Retry-After`, where it was given and could be read.
    pub retry_after_seconds: Option<u32>,
    /// The body; empty where it is not UTF-8.
    pub body: Secret,
}

/// Why an old server gave no answer. The text goes to the log, and to no caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct OldServerSilent(pub String);

/// From where the refresh tokens of one client may be taken over, and how.
#[derive(Clone)]
pub struct OldServerSettings {
    /// The way there.
    pub server: Arc<dyn OldServer>,
    /// From this moment on it is not asked any more.
    pub until: Timestamp,
    /// What says who the user is.
    pub user_from: UserSource,
    /// The member of that which names the user: a text, or a whole number.
    pub user_claim: String,
    /// What `iss` of a JWT that says who the user is has to be; `None` for anything.
    pub issuer: Option<String>,
    /// What `aud` of such a JWT has to name; `None` for anything.
    pub audience: Option<String>,
    /// What becomes of a user who is not known here.
    pub unknown_users: UnknownUsers,
    /// The most tokens that are presented there at the same time.
    pub at_once_max: u32,
    /// The most tokens that are presented there in a second.
    pub per_second_max: u32,
    /// Whether what it still holds is revoked there once the user goes on here.
    pub revokes: bool,
    /// Whether a token that nobody knows is of this client where its sender names none; at most of one client.
    pub is_for_unnamed: bool,
}

/// What says who the user of an old server's token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserSource {
    /// The claims of the ID token that comes with the answer.
    IdToken,
    /// The claims of the access token that comes with the answer, which is a JWT.
    AccessToken,
    /// What the old server says of the access token at its introspection endpoint.
    Introspection,
    /// What it says of the user at its userinfo endpoint.
    UserInfo,
}

/// What becomes of a user whom an old server names and nobody knows here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownUsers {
    /// They are made, without a password.
    Create,
    /// Their token is refused.
    Refuse,
}

impl fmt::Debug for OldServerSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OldServerSettings")
            .field("until", &self.until)
            .field("user_from", &self.user_from)
            .finish_non_exhaustive()
    }
}
