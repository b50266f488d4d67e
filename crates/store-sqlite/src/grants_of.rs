use regrant_grant::Grant;
use regrant_protocol::{EpochNumber, Subject};
use regrant_store::stored::readable;
use regrant_store::{GRANTS_LISTED_MAX, StoreError};
use rusqlite::params;

use crate::family::FamilyRows;
use crate::statements::grant::SELECT_GRANTS_OF_USER;
use crate::transaction::Transaction;

/// The most families of a user that are read to list those that live: of some, codes and forked ones, the rule alone can say
/// that they do not.
const FAMILIES_READ_MAX: u32 = 2_000;

/// The grants of `user` that live, newest first: of each family its root.
pub(crate) fn list(
    transaction: &Transaction<'_>,
    epoch: EpochNumber,
    user: &Subject,
) -> Result<Vec<Grant>, StoreError> {
    let now = transaction.now();
    let params = params![user.as_str(), now.milliseconds(), epoch.0, FAMILIES_READ_MAX];
    transaction.some(SELECT_GRANTS_OF_USER, params, GRANTS_LISTED_MAX, |row| {
        let family = readable(FamilyRows::read(transaction, row))?.filter(|rows| rows.family(epoch).lives(now));
        Ok(family.map(|rows| rows.root.grant))
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use regrant_grant::{GrantId, Realm};
    use regrant_protocol::Timestamp;
    use rusqlite::Connection;

    use super::*;
    use crate::Genesis;
    use crate::migration::{MIGRATIONS, migrate};

    /// One grant without an end, and newer ones that were ended in each way, of each more than are read.
    const GRANTS: &str = "
        INSERT INTO clients (id, enabled, cutoff, version) VALUES ('app', 1, 0, 1);
        INSERT INTO users (subject, status, cutoff, version) VALUES ('alice', 'active', 0, 1);
        INSERT INTO sessions (id, secret_digest, user, created_at, authenticated_at, expires_at)
        VALUES (zeroblob(16), zeroblob(32), 1, 1, 1, 1000);
        WITH RECURSIVE numbers (number) AS (SELECT 0 UNION ALL SELECT number + 1 FROM numbers WHERE number < 20000)
        INSERT INTO grants (id, secret, version, client, user, scope, generation, kid, epoch, rotated_at,
                            access_lifetime, has_used_challenge, created_at, authenticated_at, idle_expires_at,
                            absolute_expires_at, revoked_at, session, client_cutoff, user_cutoff)
        SELECT CASE number WHEN 0 THEN zeroblob(16) ELSE randomblob(16) END, zeroblob(16), 1, 1, 1, '', 1, 1,
               number % 8 <> 1, 1, 1, 0, number, 1, CASE number % 8 WHEN 2 THEN 1000 END,
               CASE number % 8 WHEN 3 THEN 1000 END, CASE WHEN number > 0 AND number % 8 = 0 THEN 1 END,
               CASE number % 8 WHEN 4 THEN zeroblob(16) WHEN 5 THEN x'01' END, number % 8 = 6, number % 8 = 7
        FROM numbers;";

    #[test]
    fn many_that_ended_hide_none_that_lives() {
        let mut connection = Connection::open_in_memory().unwrap();
        let (genesis, now) = (Genesis { realm: Realm([1; 16]), epoch_random: [2; 16] }, Timestamp::from_seconds(1));
        migrate(&mut connection, Path::new("regrant.db"), MIGRATIONS, &genesis, now).unwrap();
        connection.execute_batch(GRANTS).unwrap();
        let alice = Subject::parse("alice").unwrap();
        let listed = list(&Transaction::new(&connection, now), EpochNumber(1), &alice).unwrap();
        assert_eq!(listed.iter().map(|grant| grant.id).collect::<Vec<_>>(), [GrantId([0; 16])]);
    }
}
