use regrant_protocol::Timestamp;
use rusqlite::{Connection, params};

use crate::scratch::{no_room, scratch};
use crate::{OpenError, TokenDigest};

/// How much of it is kept in memory: digests come in no order.
const CACHE_KIBIBYTES: i64 = 64 * 1024;

/// Which row a token is found in, where several carry it. It lives in an unnamed temporary file, and so has no bound but
/// the disk's.
pub(crate) struct Ledger {
    connection: Connection,
    /// How often the source is read, this time included.
    pass: u32,
}

impl Ledger {
    pub(crate) fn new() -> Result<Self, OpenError> {
        let schema = "CREATE TABLE owner (digest BLOB PRIMARY KEY, issued_at INTEGER, origin TEXT, given_in INTEGER) WITHOUT ROWID";
        let connection = scratch(CACHE_KIBIBYTES, schema).map_err(no_room)?;
        Ok(Self { connection, pass: 1 })
    }

    /// Says that the row `origin` carries the token. The one that was issued last owns it, of equals the first said.
    pub(crate) fn claim(&self, digest: &TokenDigest, issued_at: Timestamp, origin: &str) -> rusqlite::Result<()> {
        let sql = "INSERT INTO owner VALUES (?1, ?2, ?3, 0) ON CONFLICT (digest) DO UPDATE
                   SET issued_at = excluded.issued_at, origin = excluded.origin WHERE excluded.issued_at > issued_at";
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.execute(params![digest.as_bytes(), issued_at.milliseconds(), origin]).map(drop)
    }

    /// Whether the token is the row's to give out: it owns it, or nobody claimed it. That is so once in every pass.
    pub(crate) fn takes(&self, digest: &TokenDigest, origin: &str) -> rusqlite::Result<bool> {
        let sql = "INSERT INTO owner VALUES (?1, 0, ?2, ?3) ON CONFLICT (digest) DO UPDATE
                   SET given_in = ?3 WHERE origin = excluded.origin AND given_in < ?3";
        Ok(self.connection.prepare_cached(sql)?.execute(params![digest.as_bytes(), origin, self.pass])? == 1)
    }

    /// The source is read from its beginning again, and everything may be given out once more.
    pub(crate) fn begin_pass(&mut self) {
        self.pass += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_that_was_issued_last_owns_the_token() {
        let ledger = Ledger::new().unwrap();
        let digest = TokenDigest::from_bytes([7; 32]);
        for (origin, seconds) in [("a", 10), ("b", 20), ("c", 20), ("d", 5)] {
            ledger.claim(&digest, Timestamp::from_seconds(seconds), origin).unwrap();
        }
        let owners: Vec<&str> =
            ["a", "b", "c", "d"].into_iter().filter(|origin| ledger.takes(&digest, origin).unwrap()).collect();
        assert_eq!(owners, ["b"]);
    }

    #[test]
    fn where_nobody_claimed_the_token_the_first_who_asks_has_it() {
        let mut ledger = Ledger::new().unwrap();
        let digest = TokenDigest::from_bytes([7; 32]);
        let owners = |ledger: &Ledger| ["a", "b", "a"].map(|origin| ledger.takes(&digest, origin).unwrap());
        assert_eq!(owners(&ledger), [true, false, false]);
        ledger.begin_pass();
        assert_eq!(owners(&ledger), [true, false, false], "in every pass");
    }
}
