use rusqlite::Connection;

use crate::OpenError;

/// Opens a database in an unnamed temporary file, which nobody else can open and which goes with the process: what is in it has no
/// bound but the disk's, and `cache_kibibytes` of it are kept in memory. A transaction has begun.
pub(crate) fn scratch(cache_kibibytes: i64, schema: &str) -> rusqlite::Result<Connection> {
    // The empty name is SQLite's word for a temporary file, removed as soon as it is open.
    let connection = Connection::open("")?;
    connection.pragma_update(None, "journal_mode", "OFF")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "cache_size", -cache_kibibytes)?;
    connection.execute_batch(schema)?;
    connection.execute_batch("BEGIN")?;
    Ok(connection)
}

/// That there is no room for such a file, or that it is gone.
#[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
pub(crate) fn no_room(error: rusqlite::Error) -> OpenError {
    OpenError::Sqlite { path: std::env::temp_dir(), cause: format!("no room for a temporary database: {error}") }
}
