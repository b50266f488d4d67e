use super::fleet::Fleet;

/// What is taken back of what was answered, and has to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TakenBack {
    /// Rotations are taken out of the rows.
    Rotation,
    /// Revocations are.
    Revocation,
    /// Revocations are taken out of the journal.
    Record,
}

/// How much was answered, and is not there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lost {
    pub(super) rotations: usize,
    pub(super) revocations: usize,
    pub(super) records: usize,
}

const TAKE_ROTATIONS: &str =
    "UPDATE regrant.grants SET generation = generation - 1, version = version + 1 WHERE generation > 1";
const TAKE_REVOCATIONS: &str =
    "UPDATE regrant.grants SET revoked_at = NULL, version = version + 1 WHERE revoked_at IS NOT NULL";
const TAKE_RECORDS: &str = "DELETE FROM regrant_journal.records";

impl TakenBack {
    /// Its name in reports.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Rotation => "rotation_taken_back",
            Self::Revocation => "revocation_taken_back",
            Self::Record => "record_taken_back",
        }
    }

    /// Takes back whatever of it there is.
    pub(super) fn plant(self, fleet: &Fleet) {
        match self {
            Self::Rotation => fleet.sql(TAKE_ROTATIONS),
            Self::Revocation => fleet.sql(TAKE_REVOCATIONS),
            Self::Record => fleet.journal_sql(TAKE_RECORDS),
        };
    }

    /// How much of it was missed.
    pub(super) const fn count_in(self, lost: &Lost) -> usize {
        match self {
            Self::Rotation => lost.rotations,
            Self::Revocation => lost.revocations,
            Self::Record => lost.records,
        }
    }
}
