use regrant_protocol::Kid;
use regrant_store::StoreError;

/// What a master key is to this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyState {
    /// The store was told of it, and it is here.
    InForce,
    /// It is here, and newer than all that are in force, as far as this node knows: what others make under it is understood.
    Prepared,
    /// It is in force, and not here.
    Missing,
    /// What was made under it is dead.
    Retired,
    /// It is not here, and newer than all that this node knows to be in force: another may have put it in force a moment ago.
    Ahead,
    /// There never was one of this number.
    Nobodys,
}

impl KeyState {
    /// Whether what was made under it can be checked here.
    pub(crate) fn is_usable(self) -> bool {
        matches!(self, Self::InForce | Self::Prepared)
    }
}

/// Why nothing is made or checked under a master key that is missing.
pub(crate) fn missing(kid: Kid) -> StoreError {
    StoreError::Unavailable(format!(
        "master key {kid} is in force, and the key file of this node does not have it; copy the key file of the node that made it"
    ))
}
