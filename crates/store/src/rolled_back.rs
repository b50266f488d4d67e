use regrant_protocol::{EpochNumber, Timestamp};

use crate::{HighWater, JournalMisfit, JournalSpan, Reached};

/// How it is known that a database is not as it was: it or what is outside it was put back to an earlier day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RolledBack {
    /// The mark is ahead.
    #[error("the high-water mark says that it had come to {marked}, and it is at {found}")]
    BehindMark {
        /// What the mark says.
        marked: Place,
        /// What the database says.
        found: Place,
    },
    /// The journal is ahead, by more than what a crash leaves.
    #[error("the journal was written when it had come to {journalled}, and it is at {found}")]
    BehindJournal {
        /// What the journal says.
        journalled: Place,
        /// What the database says.
        found: Place,
    },
    /// The journal ends before the last record that the database has.
    #[error(
        "the journal ends with record {last}, and the database has record {known}: put the newer journal back, or move this one \
         away to begin another"
    )]
    JournalBehind {
        /// The journal's last.
        last: u64,
        /// The database's last.
        known: u64,
    },
    /// The journal begins after what the database has.
    #[error(
        "the journal begins after record {begins_after}, and the database has only the records up to {known}: put the older \
         journal back"
    )]
    JournalGap {
        /// What is before the journal.
        begins_after: u64,
        /// The database's last.
        known: u64,
    },
    /// A token told.
    #[error("it was presented a token that is ahead of its row")]
    TokenAhead {
        /// When.
        at: Timestamp,
    },
}

impl RolledBack {
    /// Whether a restore is what helps: it is the database that was put back, and not the journal.
    #[must_use]
    pub const fn needs_restore(&self) -> bool {
        match self {
            Self::BehindMark { .. } | Self::BehindJournal { .. } | Self::TokenAhead { .. } => true,
            Self::JournalBehind { .. } | Self::JournalGap { .. } => false,
        }
    }

    /// Compares what a database in `epoch` says with what is outside it.
    ///
    /// A database that is ahead of its mark is what a crash leaves, and a journal that is ahead by the records of one commit.
    ///
    /// # Errors
    /// The first thing by which it is known that they do not belong together any more.
    pub fn check(
        water: &HighWater,
        epoch: EpochNumber,
        mark: Option<Reached>,
        journal: Option<JournalSpan>,
    ) -> Result<(), Self> {
        let found = Place { epoch, counter: water.counter };
        if let Some(at) = water.halted_at {
            return Err(Self::TokenAhead { at });
        }
        if let Some(marked) = mark.map(Place::from).filter(|marked| *marked > found) {
            return Err(Self::BehindMark { marked, found });
        }
        let Some(journal) = journal else { return Ok(()) };
        if let Some(journalled) = journal.reached.map(Place::from) {
            let after_crash = Place { counter: found.counter.saturating_add(1), ..found };
            if journalled > after_crash {
                return Err(Self::BehindJournal { journalled, found });
            }
        }
        let known = water.journalled;
        journal.fit(known).map_err(|misfit| match misfit {
            JournalMisfit::EndsBefore => Self::JournalBehind { last: journal.last, known },
            JournalMisfit::BeginsAfter => Self::JournalGap { begins_after: journal.begins_after, known },
        })
    }
}

/// How far a database has come: the epoch first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Its epoch.
    pub epoch: EpochNumber,
    /// Its counter.
    pub counter: u64,
}

impl From<Reached> for Place {
    fn from(reached: Reached) -> Self {
        Self { epoch: reached.epoch, counter: reached.counter }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of epoch {}", self.counter, self.epoch.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WATER: HighWater = HighWater { counter: 40, journalled: 7, halted_at: None };
    const EPOCH: EpochNumber = EpochNumber(2);

    fn reached(epoch: u8, counter: u64) -> Reached {
        Reached { epoch: EpochNumber(epoch), counter }
    }

    fn place(epoch: u8, counter: u64) -> Place {
        Place::from(reached(epoch, counter))
    }

    #[test]
    fn a_mark_ahead_of_the_database_tells_of_a_rollback_and_one_behind_it_of_a_crash() {
        let found = place(2, 40);
        let behind = |marked| Err(RolledBack::BehindMark { marked, found });
        for (mark, expected) in [
            (None, Ok(())),
            (Some(reached(2, 39)), Ok(())),
            (Some(reached(2, 40)), Ok(())),
            (Some(reached(1, 99)), Ok(())),
            (Some(reached(2, 41)), behind(place(2, 41))),
            (Some(reached(3, 1)), behind(place(3, 1))),
        ] {
            assert_eq!(RolledBack::check(&WATER, EPOCH, mark, None), expected, "{mark:?}");
        }
    }

    #[test]
    fn a_journal_may_be_ahead_by_one_commit_and_no_more() {
        let found = place(2, 40);
        let span = |begins_after, last, reached| JournalSpan { begins_after, last, reached };
        for (why, journal, expected) in [
            ("it is empty and new", span(7, 7, None), Ok(())),
            ("all of it is known", span(0, 7, Some(reached(2, 33))), Ok(())),
            ("a crash came between it and the commit", span(0, 9, Some(reached(2, 41))), Ok(())),
            (
                "more than a crash",
                span(0, 9, Some(reached(2, 42))),
                Err(RolledBack::BehindJournal { journalled: place(2, 42), found }),
            ),
            (
                "a restore was broken off",
                span(0, 8, Some(reached(3, 41))),
                Err(RolledBack::BehindJournal { journalled: place(3, 41), found }),
            ),
            ("it was put back", span(0, 6, Some(reached(2, 30))), Err(RolledBack::JournalBehind { last: 6, known: 7 })),
            ("it begins too late", span(8, 8, None), Err(RolledBack::JournalGap { begins_after: 8, known: 7 })),
        ] {
            assert_eq!(RolledBack::check(&WATER, EPOCH, None, Some(journal)), expected, "{why}");
        }
    }

    #[test]
    fn a_store_that_met_a_token_ahead_of_its_row_says_so_first() {
        let at = Timestamp::from_seconds(5);
        let water = HighWater { halted_at: Some(at), ..WATER };
        let told = RolledBack::check(&water, EPOCH, Some(reached(9, 9)), None).unwrap_err();
        assert_eq!(told, RolledBack::TokenAhead { at });
        assert!(told.needs_restore());
    }
}
