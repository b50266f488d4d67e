use regrant_protocol::ClientId;
use rusqlite::{Connection, OptionalExtension, params};

use crate::{Digest, Expiry, TokenDigest};

/// There is no room for a temporary file, or it is gone.
#[derive(Debug, thiserror::Error)]
#[error(
    "the temporary file that pairs tokens cannot be used: {0}; make room in {1}, or name another directory in TMPDIR"
)]
pub struct PairError(String, String);

/// Which refresh token an access token goes with, where its row does not say: the one of the same client and user that ends last,
/// so that whoever ends the one ends the other.
///
/// It is asked about those access tokens alone that were [wanted](Pairs::want) before, as they are far fewer than refresh tokens. It
/// lives in an unnamed temporary file, and so has no bound but the disk's.
pub struct Pairs {
    connection: Connection,
    digest: Digest,
    wanted: u64,
}

impl Pairs {
    /// Nothing wanted yet.
    ///
    /// # Errors
    /// When there is no room for it.
    pub fn new(digest: Digest) -> Result<Self, PairError> {
        let open = || -> rusqlite::Result<Connection> {
            let connection = Connection::open("")?;
            connection.pragma_update(None, "journal_mode", "OFF")?;
            connection.pragma_update(None, "synchronous", "OFF")?;
            connection.execute_batch(
                "CREATE TABLE pair (key BLOB PRIMARY KEY, refresh BLOB, ends_at INTEGER) WITHOUT ROWID; BEGIN",
            )?;
            Ok(connection)
        };
        Ok(Self { connection: open().map_err(fault)?, digest, wanted: 0 })
    }

    /// Says that there is an access token of this client and user.
    ///
    /// # Errors
    /// When the file fails.
    pub fn want(&mut self, client: &ClientId, user: &str) -> Result<(), PairError> {
        let mut statement =
            self.connection.prepare_cached("INSERT OR IGNORE INTO pair (key) VALUES (?1)").map_err(fault)?;
        self.wanted += statement.execute([self.key(client, user)]).map_err(fault)? as u64;
        Ok(())
    }

    /// Says that a refresh token of this client and user was taken over.
    ///
    /// # Errors
    /// When the file fails.
    pub fn offer(
        &self,
        client: &ClientId,
        user: &str,
        token: &TokenDigest,
        expires_at: Expiry,
    ) -> Result<(), PairError> {
        if self.wanted == 0 {
            return Ok(());
        }
        let ends_at = match expires_at {
            Expiry::At(end) => end.milliseconds(),
            Expiry::Never => i64::MAX,
        };
        let sql = "UPDATE pair SET refresh = ?2, ends_at = ?3 WHERE key = ?1 AND (ends_at IS NULL OR ends_at < ?3)";
        let mut statement = self.connection.prepare_cached(sql).map_err(fault)?;
        statement.execute(params![self.key(client, user), token.as_bytes(), ends_at]).map(drop).map_err(fault)
    }

    /// The refresh token of this client and user; `None` where none was offered.
    ///
    /// # Errors
    /// When the file fails.
    pub fn find(&self, client: &ClientId, user: &str) -> Result<Option<TokenDigest>, PairError> {
        let mut statement = self.connection.prepare_cached("SELECT refresh FROM pair WHERE key = ?1").map_err(fault)?;
        let found: Option<Option<[u8; 32]>> =
            statement.query_row([self.key(client, user)], |row| row.get(0)).optional().map_err(fault)?;
        Ok(found.flatten().map(TokenDigest::from_bytes))
    }

    /// Half a digest, which is shorter than the names.
    fn key(&self, client: &ClientId, user: &str) -> [u8; 16] {
        // No client identifier has a line end.
        let digest = (self.digest)(format!("{client}\n{user}").as_bytes());
        digest[..16].try_into().expect("16 of 32 bytes")
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn fault(error: rusqlite::Error) -> PairError {
    PairError(error.to_string(), std::env::temp_dir().display().to_string())
}

#[cfg(test)]
mod tests {
    use regrant_protocol::Timestamp;

    use super::*;

    #[test]
    fn an_access_token_goes_with_the_refresh_token_that_ends_last() {
        let shop = ClientId::parse("shop").unwrap();
        let digest = |byte| TokenDigest::from_bytes([byte; 32]);
        let at = |seconds| Expiry::At(Timestamp::from_seconds(seconds));
        let mut pairs = Pairs::new(regrant_crypto::sha256).unwrap();
        pairs.offer(&shop, "alice", &digest(9), at(9)).unwrap();
        for user in ["alice", "bob", "carol", "alice"] {
            pairs.want(&shop, user).unwrap();
        }
        for (user, token, end) in [
            ("alice", 1, at(10)),
            ("alice", 2, at(20)),
            ("alice", 3, at(15)),
            ("bob", 4, Expiry::Never),
            ("bob", 5, at(99)),
            ("dave", 6, at(1)),
        ] {
            pairs.offer(&shop, user, &digest(token), end).unwrap();
        }
        for (user, expected) in [("alice", Some(2)), ("bob", Some(4)), ("carol", None), ("dave", None)] {
            assert_eq!(pairs.find(&shop, user).unwrap(), expected.map(digest), "{user}");
        }
        assert_eq!(pairs.find(&ClientId::parse("other").unwrap(), "alice").unwrap(), None);
    }
}
