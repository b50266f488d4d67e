use regrant_grant::{Realm, Recovery};
use regrant_protocol::{EpochNumber, Kid, Timestamp};

use crate::StoreError;

/// What makes this store different from every other: made with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// 16 random bytes that never change.
    pub realm: Realm,
    /// Every epoch, the present one last; never empty.
    pub epochs: Vec<Epoch>,
}

impl Identity {
    /// The present epoch.
    #[must_use]
    pub fn epoch(&self) -> &Epoch {
        self.epochs.last().expect("a store is made with its first epoch")
    }

    /// The epoch of this number.
    #[must_use]
    pub fn epoch_numbered(&self, number: EpochNumber) -> Option<&Epoch> {
        self.epochs.iter().find(|epoch| epoch.number == number)
    }
}

/// A time between two restores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// Its number.
    pub number: EpochNumber,
    /// 16 random bytes that go into every authority tag made in it.
    pub random: [u8; 16],
    /// How tokens of the epoch before it are taken for a time; `None` when they are dead.
    pub recovery: Option<Recovery>,
}

/// A master key that the store has been told of. The key itself is not in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnnouncedKey {
    /// Its number.
    pub kid: Kid,
    /// A value by which a key file of another store is told apart.
    pub check_value: [u8; 8],
}

/// A signing key, sealed under a master key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSigningKey {
    /// Its `kid` in the key set.
    pub key_id: String,
    /// The JWS algorithm it signs with.
    pub algorithm: String,
    /// The master key it is sealed under.
    pub sealed_under: Kid,
    /// The sealed private key; empty once the key is withdrawn.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it may sign. Until then it is published, so that nobody meets its name unprepared.
    pub signs_from: Timestamp,
    /// When it was withdrawn: from then on it neither signs nor verifies. `None` while it counts.
    pub withdrawn_at: Option<Timestamp>,
}

/// What can be changed of a signing key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SigningKeyChange {
    /// It counts no longer, for good: the time is kept, and the sealed private key is not. One that was withdrawn before
    /// keeps its first time.
    Withdraw(Timestamp),
    /// The same key under another master key.
    Reseal {
        /// The master key.
        sealed_under: Kid,
        /// The sealed private key.
        sealed: Vec<u8>,
    },
}

/// Why a store does not add a signing key that is sealed under this master key, which was retired.
#[must_use]
pub fn sealed_under_retired(kid: Kid) -> StoreError {
    StoreError::Unavailable(format!("master key {kid} was retired a moment ago, and seals nothing any more; ask again"))
}

/// What is left of the keys after an emergency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKeys {
    /// The master key, newer than all others or announced already.
    pub master: AnnouncedKey,
    /// The signing keys, none of which was there before.
    pub signing: Vec<SealedSigningKey>,
    /// When the other signing keys are withdrawn.
    pub withdrawn_at: Timestamp,
}
