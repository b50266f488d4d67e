//! Whole tables, written as they come from another kind of store, and read back in the order of their keys.

use regrant_store::MovedTable;

/// What a move needs beside what holds in every session: it is one transaction, however long it takes, and waits for nobody who
/// uses the database.
pub(crate) const SET_UP_MOVE: &str = "
    SET LOCAL lock_timeout = 2000;
    SET LOCAL statement_timeout = 0;
    SET LOCAL idle_in_transaction_session_timeout = 0";

/// Nobody else looks into the tables before the end, and what is in them by then is ours.
pub(crate) fn lock_all() -> String {
    format!("LOCK TABLE {}, changes, nodes IN ACCESS EXCLUSIVE MODE", names())
}

/// Takes out what was made with the store, so that what is copied needs no other version beside it.
pub(crate) fn empty_all() -> String {
    format!("TRUNCATE {}", names())
}

/// Whether a table has a row.
pub(crate) fn select_is_filled(table: MovedTable) -> String {
    format!("SELECT EXISTS (SELECT FROM {table})")
}

/// The rows are final at once, and nobody has to come back to them to note that.
pub(crate) fn copy_into(table: MovedTable) -> String {
    format!("COPY {table} ({}) FROM STDIN WITH (FORMAT binary, FREEZE)", columns(table))
}

/// Every row of a table, to be fetched part by part.
pub(crate) fn declare_all(table: MovedTable) -> String {
    format!("DECLARE moved NO SCROLL CURSOR FOR {}", select_all(table))
}

/// Every row of a table.
pub(crate) fn select_all(table: MovedTable) -> String {
    format!("SELECT {} FROM {table} ORDER BY {}", columns(table), table.key().join(", "))
}

pub(crate) const FETCH_SOME: &str = "FETCH FORWARD 2000 FROM moved";
pub(crate) const CLOSE: &str = "CLOSE moved";

/// The next numbers come after those that were copied.
pub(crate) const SET_NEXT_KEYS: &str = "
    SELECT setval(pg_get_serial_sequence('clients', 'key'), max(key)) FROM clients HAVING max(key) IS NOT NULL;
    SELECT setval(pg_get_serial_sequence('users', 'key'), max(key)) FROM users HAVING max(key) IS NOT NULL;
    SELECT setval(pg_get_serial_sequence('signing_keys', 'position'), max(position)) FROM signing_keys
    HAVING max(position) IS NOT NULL";

fn columns(table: MovedTable) -> String {
    table.columns().join(", ")
}

fn names() -> String {
    MovedTable::ALL.map(MovedTable::name).join(", ")
}
