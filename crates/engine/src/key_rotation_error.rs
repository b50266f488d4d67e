use regrant_crypto::{Algorithm, NoKidLeft};
use regrant_protocol::Kid;
use regrant_store::{ChangeError, StoreError};

use crate::signing::SigningKeysError;
use crate::{EMERGENCY_KIDS_FROM, KeyFileNotWritten, PUBLISHED_KEYS_MAX};

/// Why keys were not rotated. Nothing has to be undone: asked again, or started again, the server goes on from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRotationError {
    /// There is no number for another master key.
    #[error(transparent)]
    NoKidLeft(#[from] NoKidLeft),
    /// What numbers there are left for master keys are kept for emergencies.
    #[error(
        "master key {EMERGENCY_KIDS_FROM} is in use, and the numbers from there to 255 are kept for emergencies; begin a \
         new store to rotate master keys as before"
    )]
    KidsForEmergencies,
    /// The key file was not written.
    #[error(transparent)]
    KeyFile(#[from] KeyFileNotWritten),
    /// Another node has announced a master key of this number.
    #[error(
        "another node has put a master key {0} in force; copy its key file to this node, which reads it within a second"
    )]
    KidTaken(Kid),
    /// A key that is in force is not in the key file.
    #[error(
        "master key {0} is in force, and the key file of this node does not have it; copy the key file of the node that \
         made it, or ask that one"
    )]
    KeyMissing(Kid),
    /// Another node could not use the tokens that would be made under the key.
    #[error(
        "node {node:?} has not loaded master key {kid}; prepare the key, copy the key file to that node, which reads it \
         within a second, and ask again"
    )]
    NodeNotReady {
        /// The node, as operators know it.
        node: String,
        /// The master key.
        kid: Kid,
    },
    /// The key set is full.
    #[error(
        "the key set has {PUBLISHED_KEYS_MAX} keys for {0}, the most that it may; withdraw one whose tokens have all ended"
    )]
    TooManyKeys(Algorithm),
    /// There is no such key.
    #[error("there is no signing key {0:?}")]
    UnknownKey(String),
    /// The key signs now.
    #[error("signing key {0} signs now; rotate it, and withdraw it when the new one signs")]
    KeySigns(String),
    /// A signing key is not to be had.
    #[error(transparent)]
    SigningKeys(#[from] SigningKeysError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl KeyRotationError {
    /// Why the store does not take a master key.
    pub(crate) fn of_master_key(error: ChangeError, kid: Kid) -> Self {
        match error {
            ChangeError::Store(error) => Self::Store(error),
            ChangeError::Taken(_) | ChangeError::Unknown(_) | ChangeError::Outdated(_) => Self::KidTaken(kid),
            other => Self::Store(StoreError::Unavailable(other.to_string())),
        }
    }
}
