//! How far the store has come.

pub(crate) const SELECT_HIGH_WATER: &str = "SELECT counter, journalled, halted_at FROM high_water";
/// The columns of [`FoundPlace`](crate::rows::high_water::FoundPlace), in its order.
macro_rules! place {
    () => {
        "counter, journalled, (SELECT max(number) FROM epochs) AS epoch, halted_at,
         (SELECT max(number) FROM migrations) AS schema, (SELECT max(works_from) FROM migrations) AS needed_schema"
    };
}
pub(super) use place;

/// What a connection has to lead to: this store, on which this version works, and no earlier day of it.
pub(crate) const SELECT_PLACE: &str = concat!("SELECT realm, ", place!(), " FROM identity, high_water");

/// Counts, unless somebody else does at this moment, and commits: all of it in one message, so that the row is locked as briefly as
/// can be, and nobody waits for it who has ended nothing.
pub(crate) const RAISE_IF_FREE_AND_COMMIT: &str = "
    SET LOCAL statement_timeout = 0;
    UPDATE high_water SET counter = counter + 1
    WHERE only_row = (SELECT only_row FROM high_water FOR UPDATE SKIP LOCKED) RETURNING counter;
    COMMIT";
/// The same of what has ended something: whoever ends something at the same time is waited for.
pub(crate) const RAISE_AND_COMMIT: &str = "
    SET LOCAL statement_timeout = 0;
    SET LOCAL lock_timeout = 4000;
    UPDATE high_water SET counter = counter + 1 RETURNING counter;
    COMMIT";

/// The same of who holds the row, and has written to the journal what it says it has now.
pub(crate) fn raise_to_and_commit(counter: u64, journalled: u64) -> String {
    format!(
        "SET LOCAL statement_timeout = 0;
         UPDATE high_water SET counter = {counter}, journalled = {journalled} RETURNING counter;
         COMMIT"
    )
}

/// Whoever ends something holds the row until the commit, and is waited for.
pub(crate) const WAIT_FOR_OTHERS: &str = "SET LOCAL lock_timeout = 4000";
pub(crate) const LOCK_HIGH_WATER: &str = "SELECT counter, journalled, halted_at FROM high_water FOR UPDATE";
pub(crate) const RAISE_HIGH_WATER: &str = "UPDATE high_water SET counter = $1, journalled = $2 WHERE counter < $1";

/// A restored store begins where it has come to, and decides again.
pub(crate) const RESET_HIGH_WATER: &str =
    "UPDATE high_water SET counter = $1, journalled = $2, halted_at = NULL WHERE counter < $1";

/// The first time stays. Every node hears of it. Whoever ends something may hold the row, and is waited for.
pub(crate) const HALT: &str = "
    SET LOCAL statement_timeout = 0;
    SET LOCAL lock_timeout = 4000;
    WITH halted AS (
        UPDATE high_water SET halted_at = (extract(epoch FROM clock_timestamp()) * 1000)::bigint
        WHERE halted_at IS NULL RETURNING only_row
    )
    SELECT pg_notify('regrant', '') FROM halted";
