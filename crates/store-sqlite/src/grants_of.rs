use regrant_grant::{AccessVerdict, Generation, Grant, Party, Surroundings, judge_access};
use regrant_protocol::{EpochNumber, Subject};
use regrant_store::{GRANTS_LISTED_MAX, StoreError};

use crate::rows::grant::{self, GrantRow};
use crate::rows::session;
use crate::transaction::Transaction;

/// The most grants of a user that are read to list those that live: some may have been ended by a cutoff or a log-out.
const GRANTS_READ_MAX: u32 = 10_000;

/// The grants of `user` that live, newest first: of each family its root.
pub(crate) fn list(
    transaction: &Transaction<'_>,
    epoch: EpochNumber,
    user: &Subject,
) -> Result<Vec<Grant>, StoreError> {
    grant::find_of_user(transaction, user, GRANTS_LISTED_MAX, GRANTS_READ_MAX, |row| lives(transaction, epoch, row))
}

/// Whether a token of the grant would be good, as far as that does not hang on who presents it.
fn lives(transaction: &Transaction<'_>, epoch: EpochNumber, row: &GrantRow) -> Result<bool, StoreError> {
    let GrantRow { grant, client, user } = row;
    let waits_for_its_code = grant.generation == Generation::CODE && grant.code.is_some();
    if waits_for_its_code {
        return Ok(false);
    }
    let session_ends_at = grant.session.map_or(Ok(None), |id| session::find_end(transaction, id, &grant.subject))?;
    // Whoever is disabled may be enabled again, and their grants with them.
    let enabled = |party: Option<Party>| party.map(|party| Party { enabled: true, ..party });
    let surroundings =
        Surroundings { epoch, client: enabled(*client), user: enabled(*user), root: None, session_ends_at };
    let verdict = judge_access(grant, grant.generation, grant.refresh_expires_at(), &surroundings, transaction.now());
    Ok(verdict == AccessVerdict::Active)
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

    /// One grant without an end, and newer ones, more than are read, of which half were revoked and half have expired.
    const GRANTS: &str = "
        INSERT INTO clients (id, enabled, cutoff, version) VALUES ('app', 1, 0, 1);
        INSERT INTO users (subject, status, cutoff, version) VALUES ('alice', 'active', 0, 1);
        WITH RECURSIVE numbers (number) AS (SELECT 0 UNION ALL SELECT number + 1 FROM numbers WHERE number < 40000)
        INSERT INTO grants (id, secret, version, client, user, scope, generation, kid, epoch, rotated_at,
                            access_lifetime, has_used_challenge, created_at, authenticated_at, idle_expires_at,
                            absolute_expires_at, revoked_at, client_cutoff, user_cutoff)
        SELECT CASE number WHEN 0 THEN zeroblob(16) ELSE randomblob(16) END, zeroblob(16), 1, 1, 1, '', 1, 1, 1, 1, 1, 0,
               number, 1, CASE WHEN number % 4 = 1 THEN 1000 END, CASE WHEN number % 4 = 3 THEN 1000 END,
               CASE WHEN number % 2 = 0 AND number > 0 THEN 1 END, 0, 0
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
