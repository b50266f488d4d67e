use std::sync::atomic::{AtomicU64, Ordering};

use crate::{AuthorizationServer, CALLS_MAX, HASHES_WAITING_MAX, SIGNATURES_WAITING_MAX};

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

impl Overloaded {
    /// All of them, each at the place that its number says.
    pub const ALL: [Self; 3] = [Self::Hashing, Self::Calls, Self::Signatures];

    /// Its name in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hashing => "hashing",
            Self::Calls => "calls",
            Self::Signatures => "signatures",
        }
    }
}

/// Counts those who found no room.
#[derive(Debug, Default)]
pub(crate) struct TurnedAway([AtomicU64; Overloaded::ALL.len()]);

impl TurnedAway {
    /// One more for whom there was none.
    pub(crate) fn count(&self, for_want_of: Overloaded) -> Overloaded {
        self.0[for_want_of as usize].fetch_add(1, Ordering::Relaxed);
        for_want_of
    }
}

impl AuthorizationServer {
    /// How many were turned away since the start, in the order of [`Overloaded::ALL`]. Of [`Overloaded::Calls`] and
    /// [`Overloaded::Signatures`] no event tells.
    #[must_use]
    pub fn turned_away(&self) -> [u64; Overloaded::ALL.len()] {
        self.turned_away.0.each_ref().map(|number| number.load(Ordering::Relaxed))
    }
}
