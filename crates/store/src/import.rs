use std::ops::AddAssign;

use regrant_grant::{GrantId, ImportedBirth, ImportedToken};
use regrant_protocol::{Scope, Timestamp};

use crate::{SLICE_ROWS_MAX, StoreError};

/// A grant of another system, and the tokens of it that are still good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedGrant {
    /// What its row is made from.
    pub birth: ImportedBirth,
    /// The refresh token; `None` where the other system knows access tokens alone.
    pub refresh_token: Option<ImportedToken>,
    /// Its access tokens.
    pub access_tokens: Vec<ImportedAccessToken>,
}

impl ImportedGrant {
    /// What a store says of it where its client or its user is not there.
    #[must_use]
    pub fn ownerless(&self) -> Imported {
        Imported {
            ownerless_refresh_tokens: u64::from(self.refresh_token.is_some()),
            ownerless_access_tokens: self.access_tokens.len() as u64,
            ..Imported::default()
        }
    }

    /// How many rows it becomes at most.
    #[must_use]
    pub fn rows(&self) -> usize {
        1 + usize::from(self.refresh_token.is_some()) + self.access_tokens.len()
    }
}

/// An access token of another system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedAccessToken {
    /// Its digest.
    pub token: ImportedToken,
    /// What it allows, which may be less than its grant.
    pub scope: Scope,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A token that was taken over, as it is found by its digest. It never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FoundToken {
    /// The refresh token of this grant.
    Refresh(GrantId),
    /// An access token of this grant.
    Access(GrantId, Box<ImportedAccessToken>),
}

/// What became of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Refresh tokens that were taken over, each with a grant of its own.
    pub refresh_tokens: u64,
    /// Access tokens that were taken over.
    pub access_tokens: u64,
    /// Tokens of both kinds that had been taken over before, and stay as they are.
    pub known: u64,
    /// Refresh tokens that were left out because there is no such client or no such user.
    pub ownerless_refresh_tokens: u64,
    /// Access tokens that were left out for the same reason.
    pub ownerless_access_tokens: u64,
}

impl AddAssign for Imported {
    fn add_assign(&mut self, other: Self) {
        self.refresh_tokens += other.refresh_tokens;
        self.access_tokens += other.access_tokens;
        self.known += other.known;
        self.ownerless_refresh_tokens += other.ownerless_refresh_tokens;
        self.ownerless_access_tokens += other.ownerless_access_tokens;
    }
}

/// Why nothing was imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Refreshes would have to wait for too long.
    #[error("these grants are {rows} rows, and {SLICE_ROWS_MAX} may be imported at once; import them in several calls")]
    TooManyRows {
        /// How many they are.
        rows: usize,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ImportError {
    /// Whether so many grants may be imported at once: every store asks before it begins.
    ///
    /// # Errors
    /// [`ImportError::TooManyRows`] when they are more than [`SLICE_ROWS_MAX`] rows.
    pub fn check(grants: &[ImportedGrant]) -> Result<(), Self> {
        let rows = grants.iter().map(ImportedGrant::rows).sum();
        if rows > SLICE_ROWS_MAX as usize { Err(Self::TooManyRows { rows }) } else { Ok(()) }
    }
}
