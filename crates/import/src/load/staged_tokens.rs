use std::collections::BTreeMap;

use regrant_protocol::{ClientId, Scope, Timestamp};
use rusqlite::types::Type;
use rusqlite::{Connection, Row, params};

use crate::scratch::scratch;
use crate::{Expiry, ForeignAccessToken, ForeignRefreshToken, Origin, TokenDigest, TokenUser, UserStanding};

/// The most tokens of a page.
pub const PAGE_TOKENS_MAX: usize = 1_000;
/// How much of the file is kept in memory; sorting takes as much again.
const CACHE_KIBIBYTES: i64 = 32 * 1024;

/// There is no room for a temporary file, or it is gone.
#[derive(Debug, thiserror::Error)]
#[error(
    "the temporary file that sorts tokens cannot be used: {cause}; make room in {directory}, or name another directory in TMPDIR"
)]
pub struct StageError {
    cause: String,
    directory: String,
}

/// Live tokens on their way from the source to the store: put in as they are read, and given out user by user, which lets a store
/// write rows that belong together together. They live in an unnamed temporary file, about 250 bytes each, so that their number has
/// no bound but the disk's.
pub struct StagedTokens {
    connection: Connection,
    /// The clients by the numbers that stand for them.
    clients: Vec<ClientId>,
    numbers: BTreeMap<ClientId, u32>,
    /// How many foreign rows there were, and the last of them.
    rows: i64,
    last: Option<Origin>,
    tokens: i64,
}

/// A token that was put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedToken {
    /// Which of the two it is.
    pub kind: StagedKind,
    /// The foreign row, counted: tokens of one row have one number.
    pub row: i64,
    /// What it is found by.
    pub digest: TokenDigest,
    /// The client it was given to.
    pub client: ClientId,
    /// Whom it speaks for, as the foreign system calls them.
    pub user: String,
    /// Whether the foreign database knows them.
    pub standing: UserStanding,
    /// What it grants; `None` is SQL's NULL.
    pub scope: Option<Scope>,
    /// When it was given out, where that is known.
    pub issued_at: Option<Timestamp>,
    /// When it ends.
    pub expires_at: Expiry,
}

/// Which of the two tokens of a grant it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StagedKind {
    /// A refresh token.
    Refresh,
    /// An access token.
    Access,
}

impl StagedTokens {
    /// None yet.
    ///
    /// # Errors
    /// When there is no room for a temporary file.
    pub fn new() -> Result<Self, StageError> {
        let schema =
            "CREATE TABLE read (user TEXT, client INTEGER, row INTEGER, kind INTEGER, standing INTEGER, digest BLOB,
                                         scope TEXT, issued_at INTEGER, expires_at INTEGER)";
        let connection = scratch(CACHE_KIBIBYTES, schema).map_err(|error| fault(&error))?;
        Ok(Self { connection, clients: Vec::new(), numbers: BTreeMap::new(), rows: 0, last: None, tokens: 0 })
    }

    /// How many were put in.
    #[must_use]
    pub fn len(&self) -> i64 {
        self.tokens
    }

    /// Whether none was put in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tokens == 0
    }

    /// Puts in a refresh token of a user.
    ///
    /// # Errors
    /// When there is no room.
    pub fn add_refresh(&mut self, token: &ForeignRefreshToken, user: &TokenUser) -> Result<(), StageError> {
        let end = token.expires_at;
        let staged = (StagedKind::Refresh, &token.digest, &token.client, token.scope.as_ref(), token.issued_at, end);
        self.add(staged, user, &token.origin)
    }

    /// Puts in an access token of a user.
    ///
    /// # Errors
    /// When there is no room.
    pub fn add_access(&mut self, token: &ForeignAccessToken, user: &TokenUser) -> Result<(), StageError> {
        let end = token.expires_at.map_or(Expiry::Never, Expiry::At);
        let staged = (StagedKind::Access, &token.digest, &token.client, token.scope.as_ref(), token.issued_at, end);
        self.add(staged, user, &token.origin)
    }

    fn add(
        &mut self,
        (kind, digest, client, scope, issued_at, expires_at): (
            StagedKind,
            &TokenDigest,
            &ClientId,
            Option<&Scope>,
            Option<Timestamp>,
            Expiry,
        ),
        user: &TokenUser,
        origin: &Origin,
    ) -> Result<(), StageError> {
        if self.last.as_ref() != Some(origin) {
            self.rows += 1;
            self.last = Some(origin.clone());
        }
        let number = match self.numbers.get(client) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(self.clients.len()).expect("a source has fewer clients than that");
                self.numbers.insert(client.clone(), number);
                self.clients.push(client.clone());
                number
            }
        };
        let expires_at = match expires_at {
            Expiry::At(end) => Some(end.milliseconds()),
            Expiry::Never => None,
        };
        let row = params![
            user.subject,
            number,
            self.rows,
            kind as u8,
            standing_number(user.standing),
            digest.as_bytes(),
            scope.map(Scope::as_str),
            issued_at.map(Timestamp::milliseconds),
            expires_at
        ];
        let insert = "INSERT INTO read VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        let inserted = self.connection.prepare_cached(insert).and_then(|mut statement| statement.execute(row));
        inserted.map_err(|error| fault(&error))?;
        self.tokens += 1;
        Ok(())
    }

    /// Sorts them: by user, then by client, then as they were read. Nothing is put in after that.
    ///
    /// # Errors
    /// When there is no room.
    pub fn sort(&mut self) -> Result<(), StageError> {
        let sort = "CREATE TABLE sorted AS SELECT * FROM read ORDER BY user, client, row, kind; DROP TABLE read";
        self.connection.execute_batch(sort).map_err(|error| fault(&error))
    }

    /// How many users of sorted tokens have no row of their own, among the tokens of clients that are `taken_over`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn users_without_a_row(&self, taken_over: impl Fn(&ClientId) -> bool) -> Result<u64, StageError> {
        let read = || -> rusqlite::Result<u64> {
            let mut statement =
                self.connection.prepare_cached("SELECT user, client FROM sorted WHERE standing <> 0 ORDER BY rowid")?;
            let mut rows = statement.query([])?;
            let (mut count, mut last) = (0, None);
            while let Some(row) = rows.next()? {
                let (user, number): (String, u32) = (row.get(0)?, row.get(1)?);
                if last.as_ref() != Some(&user) && taken_over(&self.clients[number as usize]) {
                    count += 1;
                    last = Some(user);
                }
            }
            Ok(count)
        };
        read().map_err(|error| fault(&error))
    }

    /// The tokens behind the first `after` sorted ones, at most [`PAGE_TOKENS_MAX`]; none after the last.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn page(&self, after: i64) -> Result<Vec<StagedToken>, StageError> {
        let select = "SELECT user, client, row, kind, standing, digest, scope, issued_at, expires_at FROM sorted
                      WHERE rowid > ?1 AND rowid <= ?1 + ?2 ORDER BY rowid";
        let read = || -> rusqlite::Result<Vec<StagedToken>> {
            let mut statement = self.connection.prepare_cached(select)?;
            statement.query_map(params![after, PAGE_TOKENS_MAX as i64], |row| self.token(row))?.collect()
        };
        read().map_err(|error| fault(&error))
    }

    fn token(&self, row: &Row<'_>) -> rusqlite::Result<StagedToken> {
        let number: u32 = row.get(1)?;
        let scope: Option<String> = row.get(6)?;
        let scope = scope.map(|text| Scope::parse(&text)).transpose();
        let wrong = |error| rusqlite::Error::FromSqlConversionFailure(6, Type::Text, Box::new(error));
        let expires_at: Option<i64> = row.get(8)?;
        Ok(StagedToken {
            user: row.get(0)?,
            client: self.clients[number as usize].clone(),
            row: row.get(2)?,
            kind: if row.get::<_, u8>(3)? == StagedKind::Refresh as u8 {
                StagedKind::Refresh
            } else {
                StagedKind::Access
            },
            standing: standing(row.get(4)?),
            digest: TokenDigest::from_bytes(row.get(5)?),
            scope: scope.map_err(wrong)?,
            issued_at: row.get::<_, Option<i64>>(7)?.map(Timestamp::from_milliseconds),
            expires_at: expires_at.map_or(Expiry::Never, |end| Expiry::At(Timestamp::from_milliseconds(end))),
        })
    }
}

fn standing_number(standing: UserStanding) -> u8 {
    match standing {
        UserStanding::Known => 0,
        UserStanding::Missing => 1,
        UserStanding::Elsewhere => 2,
    }
}

fn standing(number: u8) -> UserStanding {
    match number {
        0 => UserStanding::Known,
        1 => UserStanding::Missing,
        _ => UserStanding::Elsewhere,
    }
}

fn fault(error: &rusqlite::Error) -> StageError {
    StageError { cause: error.to_string(), directory: std::env::temp_dir().display().to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str, standing: UserStanding) -> TokenUser {
        TokenUser { subject: name.to_owned(), told_as: None, standing }
    }

    #[test]
    fn tokens_come_out_user_by_user_as_they_were_put_in() {
        let origin = |key: &str| Origin { table: "tokens".to_owned(), key: key.to_owned() };
        let at = Timestamp::from_seconds;
        let refresh = |key: &str, client: &str, scope: Option<&str>, expires_at| ForeignRefreshToken {
            origin: origin(key),
            digest: TokenDigest::from_bytes([key.as_bytes()[0]; 32]),
            client: ClientId::parse(client).unwrap(),
            user: None,
            scope: scope.map(|text| Scope::parse(text).unwrap()),
            issued_at: Some(at(5)),
            expires_at,
        };
        let access = ForeignAccessToken {
            origin: origin("b"),
            digest: TokenDigest::from_bytes([0xAC; 32]),
            client: ClientId::parse("shop").unwrap(),
            user: None,
            scope: None,
            issued_at: None,
            expires_at: None,
        };
        let mut staged = StagedTokens::new().unwrap();
        let known = |name| user(name, UserStanding::Known);
        staged.add_refresh(&refresh("a", "shop", Some("read write"), Expiry::At(at(9))), &known("bob")).unwrap();
        staged
            .add_refresh(&refresh("b", "shop", Some(""), Expiry::Never), &user("alice", UserStanding::Missing))
            .unwrap();
        staged.add_access(&access, &user("alice", UserStanding::Missing)).unwrap();
        staged.add_refresh(&refresh("c", "app", None, Expiry::Never), &user("bob", UserStanding::Elsewhere)).unwrap();
        assert_eq!(staged.len(), 4);
        staged.sort().unwrap();
        let page = staged.page(0).unwrap();
        let told: Vec<_> = page.iter().map(|token| (token.user.as_str(), token.client.as_str(), token.row)).collect();
        assert_eq!(told, [("alice", "shop", 2), ("alice", "shop", 2), ("bob", "shop", 1), ("bob", "app", 3)]);
        let kinds: Vec<_> = page.iter().map(|token| (token.kind, token.standing, token.digest.as_bytes()[0])).collect();
        use StagedKind::{Access, Refresh};
        use UserStanding::{Elsewhere, Known, Missing};
        assert_eq!(
            kinds,
            [(Refresh, Missing, b'b'), (Access, Missing, 0xAC), (Refresh, Known, b'a'), (Refresh, Elsewhere, b'c')]
        );
        assert_eq!(page[2].scope, Some(Scope::parse("read write").unwrap()));
        assert_eq!((page[0].scope.clone(), page[1].scope.clone()), (Some(Scope::empty()), None));
        assert_eq!((page[2].expires_at, page[0].expires_at), (Expiry::At(at(9)), Expiry::Never));
        assert_eq!((page[0].issued_at, page[1].issued_at), (Some(at(5)), None));
        assert_eq!(staged.page(3).unwrap(), page[3..]);
        assert!(staged.page(4).unwrap().is_empty());
    }
}
