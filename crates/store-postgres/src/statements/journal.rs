//! The journal, in a database of its own.

pub(crate) const SELECT_HAS_JOURNAL: &str = "SELECT to_regclass('regrant_journal.journal') IS NOT NULL";
pub(crate) const CREATE_JOURNAL: &str = "
    CREATE SCHEMA IF NOT EXISTS regrant_journal;
    CREATE TABLE regrant_journal.journal (
        only_row     boolean PRIMARY KEY DEFAULT true CHECK (only_row),
        realm        uuid NOT NULL,
        begins_after bigint NOT NULL
    );
    CREATE TABLE regrant_journal.records (
        number  bigint PRIMARY KEY,
        counter bigint NOT NULL,
        epoch   smallint NOT NULL,
        ending  text NOT NULL -- JSON
    )";
pub(crate) const INSERT_JOURNAL: &str = "INSERT INTO regrant_journal.journal (realm, begins_after) VALUES ($1, $2)";

pub(crate) const SELECT_SPAN: &str = "
    SELECT realm, begins_after, last.number, last.epoch, last.counter
    FROM regrant_journal.journal
    LEFT JOIN (SELECT number, epoch, counter FROM regrant_journal.records ORDER BY number DESC LIMIT 1) AS last ON true";
/// Adds records after this one, when that is the last: all of them or none.
pub(crate) const INSERT_RECORDS: &str = "
    INSERT INTO regrant_journal.records (number, epoch, counter, ending)
    SELECT $2 + new.place, $3, $4, new.ending
    FROM regrant_journal.journal, unnest($5::text[]) WITH ORDINALITY AS new (ending, place)
    WHERE realm = $1
      AND $2 = coalesce((SELECT number FROM regrant_journal.records ORDER BY number DESC LIMIT 1), begins_after)";
pub(crate) const SELECT_RECORDS: &str =
    "SELECT number, ending FROM regrant_journal.records WHERE number > $1 ORDER BY number LIMIT $2";

/// What a record says was done, done again.
pub(crate) const END_GRANT: &str =
    "UPDATE grants SET revoked_at = $2, version = version + 1 WHERE id = $1 AND revoked_at IS NULL";
/// Cutoffs are unsigned.
pub(crate) const LIFT_CLIENT_CUTOFF: &str = "
    UPDATE clients SET cutoff = $2, version = version + 1
    WHERE id = $1 AND cutoff::bigint & 4294967295 < $3 AND removed_at IS NULL";
pub(crate) const LIFT_USER_CUTOFF: &str = "
    UPDATE users SET cutoff = $2, version = version + 1
    WHERE subject = $1 AND cutoff::bigint & 4294967295 < $3 AND removed_at IS NULL";
