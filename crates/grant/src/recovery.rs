use regrant_protocol::{EpochNumber, Timestamp};

use crate::{Binding, ClientKind, Grant, RefreshFacts};

/// How a store that was restored takes, for a time, the tokens of the epoch that its backup is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Recovery {
    /// The epoch that the backup is of; tokens of others before the present one are dead.
    pub former: EpochNumber,
    /// From when on all of its tokens are dead that were not taken.
    pub until: Timestamp,
    /// What becomes of senders that prove nothing.
    pub public: RecoverPublic,
}

/// What becomes of tokens from senders that prove nothing, while a store recovers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecoverPublic {
    /// Their users log in again.
    LogInAgain,
    /// Those ahead of their row are taken, be it from a thief who stole one after the backup and is faster than its owner.
    AcceptAhead,
}

impl Recovery {
    /// Whether the store still recovers.
    #[must_use]
    pub fn goes_on(&self, now: Timestamp) -> bool {
        now < self.until
    }

    /// Whether it takes a token that is not of the present epoch, though the restore ended it.
    ///
    /// One ahead of its row was issued after the backup, and only the true line of successors could lead to it. One at its row was
    /// current in the backup and may have been superseded since: only a sender that proves itself is believed that it was not,
    /// by client authentication or by the key that the grant is bound to. A retry verifier is no such proof.
    pub(crate) fn takes(&self, row: &Grant, facts: &RefreshFacts, now: Timestamp) -> bool {
        if !self.goes_on(now) || facts.epoch != self.former || facts.generation.next().is_none() {
            return false;
        }
        let is_proven = is_proven(row, facts);
        if self.is_ahead(row, facts) {
            is_proven || self.public == RecoverPublic::AcceptAhead
        } else {
            is_proven && (facts.generation, facts.kid, facts.epoch) == (row.generation, row.kid, row.epoch)
        }
    }

    /// Whether the retry rule holds for a token that the row of the backup has superseded: its sender proves itself, and may not
    /// have heard the answer before the backup was made, nor anything since.
    pub(crate) fn lets_retry(&self, row: &Grant, facts: &RefreshFacts, now: Timestamp) -> bool {
        let is_superseded = row.epoch == self.former && facts.generation.is_right_before(row.generation);
        self.goes_on(now) && is_superseded && is_proven(row, facts)
    }

    /// Whether the token was issued after the backup, so that the row's idle end is not its own.
    pub(crate) fn is_ahead(&self, row: &Grant, facts: &RefreshFacts) -> bool {
        facts.epoch == self.former && facts.generation > row.generation
    }
}

/// Whether the sender is known. The key of a binding was compared before the generation was looked at.
fn is_proven(row: &Grant, facts: &RefreshFacts) -> bool {
    facts.client_kind == ClientKind::Confidential || row.binding != Binding::None
}
