//! A whole store on its way from one kind to another: table by table, in plain values that both kinds have.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

/// What a store keeps, as far as it goes along when the store moves. What a kind of store has for itself, such as the list of its
/// migrations, does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MovedTable {
    /// Which store it is.
    Identity,
    /// The epochs.
    Epochs,
    /// The master keys that were announced.
    AnnouncedKeys,
    /// The signing keys, sealed.
    SigningKeys,
    /// When it was swept last.
    LastSweep,
    /// How far it has come.
    HighWater,
    /// The clients, the removed ones too.
    Clients,
    /// The users, the removed ones too.
    Users,
    /// The login sessions.
    Sessions,
    /// The consents.
    Consents,
    /// The grants.
    Grants,
    /// The access tokens that were revoked alone.
    ListedAccessTokens,
    /// The refresh tokens of other systems.
    ImportedRefreshTokens,
    /// The access tokens of other systems.
    ImportedAccessTokens,
}

impl MovedTable {
    /// Every table, each after those that it refers to.
    pub const ALL: [Self; 14] = [
        Self::Identity,
        Self::Epochs,
        Self::AnnouncedKeys,
        Self::SigningKeys,
        Self::LastSweep,
        Self::HighWater,
        Self::Clients,
        Self::Users,
        Self::Sessions,
        Self::Consents,
        Self::Grants,
        Self::ListedAccessTokens,
        Self::ImportedRefreshTokens,
        Self::ImportedAccessTokens,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Epochs => "epochs",
            Self::AnnouncedKeys => "announced_keys",
            Self::SigningKeys => "signing_keys",
            Self::LastSweep => "last_sweep",
            Self::HighWater => "high_water",
            Self::Clients => "clients",
            Self::Users => "users",
            Self::Sessions => "sessions",
            Self::Consents => "consents",
            Self::Grants => "grants",
            Self::ListedAccessTokens => "listed_access_tokens",
            Self::ImportedRefreshTokens => "imported_refresh_tokens",
            Self::ImportedAccessTokens => "imported_access_tokens",
        }
    }

    /// The names of its columns, in the order in which their values travel.
    #[must_use]
    pub const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Identity => &["realm"],
            Self::Epochs => &["number", "random", "recovers_epoch", "recovers_until", "recovers_public"],
            Self::AnnouncedKeys => &["kid", "check_value"],
            Self::SigningKeys => &[
                "position",
                "key_id",
                "algorithm",
                "sealed_under",
                "sealed",
                "created_at",
                "signs_from",
                "withdrawn_at",
            ],
            Self::LastSweep => &["swept_at"],
            Self::HighWater => &["counter", "journalled", "halted_at"],
            Self::Clients => {
                &["key", "id", "handle", "secret", "enabled", "cutoff", "version", "settings", "removed_at"]
            }
            Self::Users => {
                &["key", "subject", "username", "credential", "status", "profile", "cutoff", "version", "removed_at"]
            }
            Self::Sessions => &["id", "secret_digest", "user_key", "created_at", "authenticated_at", "expires_at"],
            Self::Consents => &["user_key", "client_key", "given_at", "scope", "resources"],
            Self::Grants => &[
                "id",
                "secret",
                "version",
                "root",
                "client_key",
                "user_key",
                "scope",
                "resources",
                "binding",
                "session",
                "approved_from",
                "code",
                "generation",
                "kid",
                "epoch",
                "rotated_at",
                "access_lifetime",
                "retry_challenge",
                "has_used_challenge",
                "created_at",
                "authenticated_at",
                "idle_expires_at",
                "absolute_expires_at",
                "revoked_at",
                "client_cutoff",
                "user_cutoff",
            ],
            Self::ListedAccessTokens => &["id", "ends_at"],
            Self::ImportedRefreshTokens => &["digest", "grant_id", "ends_at"],
            Self::ImportedAccessTokens => &["digest", "grant_id", "scope", "issued_at", "ends_at"],
        }
    }

    /// The columns by which its rows are in order: no two rows have the same.
    #[must_use]
    pub const fn key(self) -> &'static [&'static str] {
        match self {
            Self::Consents => &["user_key", "client_key"],
            Self::Identity
            | Self::Epochs
            | Self::AnnouncedKeys
            | Self::SigningKeys
            | Self::LastSweep
            | Self::HighWater
            | Self::Clients
            | Self::Users
            | Self::Sessions
            | Self::Grants
            | Self::ListedAccessTokens
            | Self::ImportedRefreshTokens
            | Self::ImportedAccessTokens => match self.columns() {
                [first, ..] => std::slice::from_ref(first),
                [] => &[],
            },
        }
    }
}

impl fmt::Display for MovedTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A value of a row that moves. Some are secrets, so none is ever printed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum MovedValue {
    /// None, or never.
    Null,
    /// A number, a time, a count, or whether something is so.
    Integer(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl fmt::Debug for MovedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Integer(_) => "an integer",
            Self::Text(_) => "a text",
            Self::Bytes(_) => "bytes",
        })
    }
}

/// A row that moves: a value for each of [`MovedTable::columns`].
pub type MovedRow = Vec<MovedValue>;

/// Rows, one after another in the order of their key, made so small that two sides can be compared. It notices accidents, and is
/// no promise against anybody who wants to deceive; compared within one process alone.
#[derive(Clone, Debug, Default)]
pub struct RowsDigest {
    rows: u64,
    hasher: DefaultHasher,
}

/// What a [`RowsDigest`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableDigest {
    /// How many rows there were.
    pub rows: u64,
    /// What all of them come to.
    pub digest: u64,
}

impl RowsDigest {
    /// The next row.
    pub fn add(&mut self, row: &[MovedValue]) {
        self.rows += 1;
        row.hash(&mut self.hasher);
    }

    /// How many rows there were so far.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// All rows were added.
    #[must_use]
    pub fn end(&self) -> TableDigest {
        TableDigest { rows: self.rows, digest: self.hasher.finish() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(rows: &[MovedRow]) -> TableDigest {
        let mut digest = RowsDigest::default();
        rows.iter().for_each(|row| digest.add(row));
        digest.end()
    }

    #[test]
    fn rows_that_differ_in_a_value_a_boundary_or_their_order_come_to_something_else() {
        let one = || MovedValue::Integer(1);
        let two = || MovedValue::Integer(2);
        let cases: [Vec<MovedRow>; 8] = [
            vec![],
            vec![vec![]],
            vec![vec![one()], vec![two()]],
            vec![vec![two()], vec![one()]],
            vec![vec![one(), two()]],
            vec![vec![one(), MovedValue::Null]],
            vec![vec![MovedValue::Text("ab".to_owned())]],
            vec![vec![MovedValue::Bytes(b"ab".to_vec())]],
        ];
        for (index, ours) in cases.iter().enumerate() {
            for (other, theirs) in cases.iter().enumerate() {
                assert_eq!(digest(ours) == digest(theirs), index == other, "{index} and {other}");
            }
        }
    }

    #[test]
    fn every_table_is_in_order_by_columns_of_its_own() {
        for table in MovedTable::ALL {
            assert!(!table.key().is_empty(), "{table}");
            assert!(table.key().iter().all(|column| table.columns().contains(column)), "{table}");
        }
    }

    #[test]
    fn a_value_is_never_printed() {
        let values = [MovedValue::Integer(77), MovedValue::Text("77".to_owned()), MovedValue::Bytes(b"77".to_vec())];
        assert!(!format!("{values:?}").contains("77"));
    }
}
