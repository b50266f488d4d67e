use async_trait::async_trait;
use regrant_grant::GrantId;
use regrant_protocol::{ClientId, Scope, Subject};
use serde_json::{Map, Value};

/// Adds claims to access tokens, for example a role from another database.
///
/// It is asked before anything is written, at every issue and every refresh, and has to answer the same for the same
/// request: a retried refresh asks again. It has [`CLAIMS_SECONDS_MAX`](crate::CLAIMS_SECONDS_MAX).
#[async_trait]
pub trait ClaimsHook: Send + Sync + 'static {
    /// The claims to add to access tokens, JWT or opaque, and so to what introspection tells. Names that the server itself uses,
    /// [`RESERVED_NAMES`](regrant_protocol::AccessTokenClaims::RESERVED_NAMES), are refused; so is a token that would be
    /// too large.
    ///
    /// # Errors
    /// When they are not to be had now: then nothing is written, and the client is answered 503 and may try again.
    async fn claims(&self, of: &ClaimsRequest<'_>) -> Result<Map<String, Value>, ClaimsUnavailable>;
}

/// Whose access token is about to be made.
#[derive(Clone, Copy, Debug)]
pub struct ClaimsRequest<'a> {
    /// The client that gets it.
    pub client: &'a ClientId,
    /// The user that it is about; `None` when the client acts for itself.
    pub subject: Option<&'a Subject>,
    /// Its grant; `None` when the client acts for itself.
    pub grant: Option<GrantId>,
    /// Its scope.
    pub scope: &'a Scope,
}

/// Why there are no claims now. The text goes to the log, and to no caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the claims hook has no answer: {0}")]
pub struct ClaimsUnavailable(pub String);
