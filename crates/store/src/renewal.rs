use regrant_protocol::Kid;

use crate::Epoch;

/// What a restored store begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// The epoch; its number is higher than any before.
    pub epoch: Epoch,
    /// The counter, which is higher than any before.
    pub counter: u64,
    /// The oldest master key that counts.
    pub oldest_key: Kid,
    /// The record of the journal after which it is replayed; that of the store, unless what came until then is given up.
    pub replay_after: u64,
}
