//! Rows by the million, to measure with, and what they take.

use regrant_store::MovedTable;

/// Whoever looks after the tables holds them for as long as that takes, and so do we.
pub(crate) const WITHOUT_TIMEOUTS: &str = "SET statement_timeout = 0; SET lock_timeout = 0";
pub(crate) const SELECT_CLIENT_KEY: &str = "SELECT key FROM clients WHERE id = $1";
pub(crate) const SELECT_NEXT_USER_KEY: &str = "SELECT coalesce(max(key), 0) + 1 FROM users";
pub(crate) const ANALYZE: &str = "ANALYZE";

/// With what belongs to a table and has no name of its own.
pub(crate) const SELECT_SIZES: &str = "
    SELECT relname::text,
           CASE relkind WHEN 'i' THEN pg_relation_size(oid) ELSE pg_table_size(oid) END
    FROM pg_catalog.pg_class
    WHERE relnamespace = 'regrant'::regnamespace AND relkind IN ('r', 'i')
    ORDER BY 2 DESC";

/// More rows for a table that has some.
pub(crate) fn copy_more_into(table: MovedTable) -> String {
    format!("COPY {table} ({}) FROM STDIN WITH (FORMAT binary)", table.columns().join(", "))
}
