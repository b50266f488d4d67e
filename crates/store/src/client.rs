use regrant_grant::{GrantSecret, Party};
use regrant_protocol::ClientId;

use crate::ClientSettings;

/// A registered client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its name; it never changes and is never given to another.
    pub id: ClientId,
    /// Stands in for a grant id in tokens that the client has for itself.
    pub handle: ClientHandle,
    /// Stands in for a grant's secret in tokens that the client has for itself.
    pub secret: GrantSecret,
    /// Whether it is enabled, its cutoff, and the version of all of this.
    pub party: Party,
    /// What can be changed.
    pub settings: ClientSettings,
}

/// 16 random bytes made with the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientHandle(pub [u8; 16]);

/// A change of a client. Each raises the client's version.
#[derive(Clone, Debug)]
pub enum ClientChange {
    /// New settings, made of those that somebody has read. Where the client has been changed since, nothing is.
    Settings {
        /// The version of what was read.
        seen_version: u64,
        /// The settings.
        settings: Box<ClientSettings>,
    },
    /// Enabled or disabled.
    Enabled(bool),
    /// All its grants and tokens until now end.
    RaiseCutoff,
    /// It is gone for good, with what users allowed it; its name is never given to another.
    Remove,
}
