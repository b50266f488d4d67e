use regrant_protocol::{ClientId, Scope};

use super::Origin;

/// What a user allowed a client, without being asked again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignConsent {
    /// The row it was read from.
    pub origin: Origin,
    /// The user's [`subject`](crate::ForeignUser::subject).
    pub subject: String,
    /// The client.
    pub client: ClientId,
    /// What was allowed.
    pub scope: Scope,
}
