use std::fmt;

/// The row that something was read from, for messages: `oauth_clients "shop"`.
///
/// Where a table is keyed by the token itself, the key is the beginning of its digest, never the token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The table's name in the foreign database.
    pub table: String,
    /// The row's key in that table.
    pub key: String,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.table, self.key)
    }
}
