use regrant_protocol::{EpochNumber, Timestamp};

use crate::Ending;

/// What a database says of itself, by which its copy from an earlier day is known for what it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HighWater {
    /// A counter that only grows: raised at the start, with what is journalled, and once a second while something is written.
    pub counter: u64,
    /// The number of the last record of the journal that the database has; 0 for none.
    pub journalled: u64,
    /// When a token was presented that is ahead of its row; `None` when none was since the last restore.
    pub halted_at: Option<Timestamp>,
}

/// How far a database had come, as something outside it has written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// The database's counter.
    pub counter: u64,
    /// Its epoch.
    pub epoch: EpochNumber,
}

/// The high-water mark: a small file outside the database that says how far it has come.
pub trait Mark: Send {
    /// What it said when it was opened; `None` when there was none yet.
    fn seen(&self) -> Option<Reached>;

    /// Writes down, soon and not necessarily before this returns, that what is durable has come so far. A crash before that leaves
    /// the mark behind the database, which is no fault.
    fn raise(&self, reached: Reached);

    /// The last record of the journal that the database has: written down when the mark is raised next, so that a restore knows how
    /// far the journal has to go. A mark that keeps no such number lets a restore take any.
    fn journalled(&self, _number: u64) {}
}

/// One record of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number: one more than that of the record before.
    pub number: u64,
    /// The counter of the database that has it.
    pub counter: u64,
    /// What ended.
    pub ending: Ending,
}

/// From where to where a journal goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalSpan {
    /// The number before its first record: what came until then is not in it.
    pub begins_after: u64,
    /// The number of its last record; `begins_after` when it has none.
    pub last: u64,
    /// How far the database had come that wrote its last record.
    pub reached: Option<Reached>,
}

/// How a journal and a database do not fit together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalMisfit {
    /// The journal ends before the last record that the database has.
    EndsBefore,
    /// The journal begins after what the database has.
    BeginsAfter,
}

impl JournalSpan {
    /// Whether it goes on where a database ends that has the records up to `known`.
    ///
    /// # Errors
    /// How it does not.
    pub const fn fit(&self, known: u64) -> Result<(), JournalMisfit> {
        if self.last < known {
            Err(JournalMisfit::EndsBefore)
        } else if self.begins_after > known {
            Err(JournalMisfit::BeginsAfter)
        } else {
            Ok(())
        }
    }
}

/// The revocation journal: a file outside the database to which endings are only added.
pub trait Journal: Send {
    /// From where to where it goes.
    fn span(&self) -> JournalSpan;

    /// Adds endings, and returns the number of the last record when all of them are durable.
    ///
    /// # Errors
    /// [`OutsideError`]; then none of them counts, though some may be found after a crash.
    fn append(&mut self, reached: Reached, endings: &[Ending]) -> Result<u64, OutsideError>;

    /// The first records after the one of this number, at most [`JOURNAL_RECORDS_READ_MAX`].
    ///
    /// # Errors
    /// [`OutsideError`], when they cannot be read.
    fn read_after(&mut self, number: u64) -> Result<Vec<Record>, OutsideError>;
}

/// The most records of a journal that are read at once.
pub const JOURNAL_RECORDS_READ_MAX: usize = 1_000;

/// What there is outside a database.
#[derive(Default)]
pub struct Outside {
    /// The high-water mark.
    pub mark: Option<Box<dyn Mark>>,
    /// The revocation journal.
    pub journal: Option<Box<dyn Journal>>,
}

/// Why something outside the database cannot be used: what it is, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct OutsideError(pub String);

impl OutsideError {
    /// A journal that goes to the record `last` has none of this number.
    #[must_use]
    pub fn record_missing(number: u64, last: u64) -> Self {
        Self(format!("the journal lacks record {number} of {last}; put it back from a copy"))
    }
}
