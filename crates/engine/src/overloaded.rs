use crate::{CALLS_MAX, HASHES_WAITING_MAX, SIGNATURES_WAITING_MAX};

/// There is more to do than is done in time. Nothing was begun; a new try a little later may find room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Overloaded {
    /// Too many passwords or secrets are being checked at once.
    #[error("{HASHES_WAITING_MAX} password or secret checks are waiting, which is the most that may; try again")]
    Hashing,
    /// Too many calls are being answered at once.
    #[error("{CALLS_MAX} calls are being answered, which is the most that may; try again")]
    Calls,
    /// RSA signatures are asked for faster than they are made.
    #[error(
        "{SIGNATURES_WAITING_MAX} RSA signatures for each processor wait, which is the most that may for long; try again"
    )]
    Signatures,
}
