use crate::{AnnouncedKey, HighWater, Identity};

/// What a store says of itself while nobody uses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which store it is.
    pub identity: Identity,
    /// How far it had come.
    pub high_water: HighWater,
    /// The master keys that it knew of.
    pub announced_keys: Vec<AnnouncedKey>,
}
