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

impl Consent {
    /// Whether it allows `scope` at `resources`. Without resources access is for whatever the client is for by default: that is
    /// neither part of what was allowed at resources that were named, nor the whole of it.
    #[must_use]
    pub fn covers(&self, scope: &Scope, resources: &Resources) -> bool {
        scope.is_within(&self.scope)
            && resources.is_within(&self.resources)
            && resources.is_empty() == self.resources.is_empty()
    }
}
