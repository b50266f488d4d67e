//! The database as a whole: transactions, its file, its schema, and when it was last swept.

pub(crate) const BEGIN: &str = "BEGIN IMMEDIATE";
pub(crate) const COMMIT: &str = "COMMIT";
pub(crate) const ROLLBACK: &str = "ROLLBACK";
pub(crate) const SAVEPOINT: &str = "SAVEPOINT step";
pub(crate) const ROLLBACK_TO_SAVEPOINT: &str = "ROLLBACK TO step";
pub(crate) const RELEASE_SAVEPOINT: &str = "RELEASE step";

/// Copies what the write-ahead log holds into the file, without waiting for who reads.
pub(crate) const CHECKPOINT: &str = "PRAGMA wal_checkpoint(PASSIVE)";
/// As [`CHECKPOINT`], and empties the log.
pub(crate) const CHECKPOINT_AT_START: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

pub(crate) const CHECK_INTEGRITY: &str = "PRAGMA integrity_check";

pub(crate) const SELECT_MIGRATIONS: &str = "SELECT number, checksum FROM migrations ORDER BY number";
pub(crate) const INSERT_MIGRATION: &str =
    "INSERT INTO migrations (number, name, checksum, applied_at) VALUES (?1, ?2, ?3, ?4)";

/// For migrations alone: settings of any schema, whatever they say.
pub(crate) const SELECT_STORED_SETTINGS: &str = "SELECT key, id, settings FROM clients WHERE settings IS NOT NULL";
pub(crate) const UPDATE_STORED_SETTINGS: &str = "UPDATE clients SET settings = ?2 WHERE key = ?1";

pub(crate) const SELECT_LAST_SWEEP: &str = "SELECT swept_at FROM last_sweep";
/// Written once a minute and not with every slice, which then costs no commit when it finds nothing to remove.
pub(crate) const NOTE_SWEEP: &str = "
    INSERT INTO last_sweep (only_row, swept_at) VALUES (1, ?1)
    ON CONFLICT (only_row) DO UPDATE SET swept_at = excluded.swept_at WHERE swept_at <= excluded.swept_at - 60000";
pub(crate) const SET_LAST_SWEEP: &str = "
    INSERT INTO last_sweep (only_row, swept_at) VALUES (1, ?1)
    ON CONFLICT (only_row) DO UPDATE SET swept_at = excluded.swept_at";
