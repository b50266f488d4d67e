use regrant_protocol::{ClientId, Resources, Scope, Subject, Timestamp};

/// What a user allowed a client, so that they need not be asked again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Who allowed it.
    pub user: Subject,
    /// The client that may have it.
    pub client: ClientId,
    /// What it may have.
    pub scope: Scope,
    /// At which resource servers (RFC 8707).
    pub resources: Resources,
    /// When they were last asked.
    pub given_at: Timestamp,
}
