use std::collections::BTreeSet;

use rusqlite::Connection;

use crate::OpenError;
use crate::scratch::{no_room, scratch};

/// How much of it is kept in memory.
const CACHE_KIBIBYTES: i64 = 16 * 1024;

/// Every name of a table that has no index by them: looked up there, each page of tokens would read the whole table. It lives in an
/// unnamed temporary file, and so has no bound but the disk's.
pub(crate) struct NameList {
    connection: Connection,
}

impl NameList {
    pub(crate) fn new() -> Result<Self, OpenError> {
        let schema = "CREATE TABLE name (folded TEXT, name TEXT, PRIMARY KEY (folded, name)) WITHOUT ROWID";
        let connection = scratch(CACHE_KIBIBYTES, schema).map_err(no_room)?;
        Ok(Self { connection })
    }

    pub(crate) fn add(&self, name: &str) -> Result<(), OpenError> {
        let insert = || {
            let mut statement = self.connection.prepare_cached("INSERT OR IGNORE INTO name VALUES (?1, ?2)")?;
            statement.execute([name.to_lowercase().as_str(), name])
        };
        insert().map(drop).map_err(no_room)
    }

    /// Those of the list that are `wanted`, or are so but for upper and lower case.
    pub(crate) fn among(&self, wanted: &BTreeSet<String>) -> rusqlite::Result<Vec<String>> {
        let mut statement = self.connection.prepare_cached("SELECT name FROM name WHERE folded = ?1")?;
        let mut found = Vec::new();
        for name in wanted {
            for name in statement.query_map([name.to_lowercase()], |row| row.get(0))? {
                found.push(name?);
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_whatever_their_case() {
        let list = NameList::new().unwrap();
        for name in ["alice", "Alice", "Jörg", "alice"] {
            list.add(name).unwrap();
        }
        let among = |names: &[&str]| list.among(&names.iter().map(|name| (*name).to_owned()).collect()).unwrap();
        assert_eq!(among(&["ALICE"]), ["Alice", "alice"]);
        assert_eq!(among(&["jörg", "bob"]), ["Jörg"]);
        assert!(among(&[]).is_empty());
    }
}
