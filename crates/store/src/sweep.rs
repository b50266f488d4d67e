use std::ops::AddAssign;

use regrant_protocol::Timestamp;

use crate::StoreError;

/// What one slice of a sweep is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sweep {
    /// Where it goes on.
    pub from: SweepPosition,
    /// How many rows it looks at, at most [`SLICE_ROWS_MAX`](crate::SLICE_ROWS_MAX).
    pub rows_max: u32,
    /// When the store's clock shows more, nothing is removed.
    pub clock_at_most: Timestamp,
}

/// How far a sweep has come: the table, and the key after which it goes on, as the store orders keys. It begins with the
/// first table and an empty key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SweepPosition {
    /// In the grants.
    Grants(Vec<u8>),
    /// In the access tokens that were revoked alone.
    AccessTokens(Vec<u8>),
    /// In the login sessions.
    Sessions(Vec<u8>),
    /// In the access tokens that were imported.
    ImportedAccessTokens(Vec<u8>),
    /// In the refresh tokens that were imported, of which those are remembered that might come again.
    ImportedRefreshTokens(Vec<u8>),
}

impl Default for SweepPosition {
    fn default() -> Self {
        Self::Grants(Vec::new())
    }
}

/// What one slice did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swept {
    /// The store's clock.
    pub now: Timestamp,
    /// What it removed.
    pub removed: Removed,
    /// Where the next slice goes on; `None` when everything was looked at.
    pub next: Option<SweepPosition>,
}

/// How many rows were removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Grants that ended.
    pub grants: u64,
    /// Access tokens that were revoked alone, or imported, and would have ended by now.
    pub access_tokens: u64,
    /// Login sessions that ended.
    pub sessions: u64,
}

impl AddAssign for Removed {
    fn add_assign(&mut self, other: Self) {
        self.grants += other.grants;
        self.access_tokens += other.access_tokens;
        self.sessions += other.sessions;
    }
}

/// Why a slice removed nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SweepError {
    /// The clock jumped: by a wrong clock everything has ended.
    #[error("the clock of the store shows {now:?}, and should show {at_most:?} at most; compare it with another clock")]
    ClockAhead {
        /// What it shows.
        now: Timestamp,
        /// What it could show.
        at_most: Timestamp,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
