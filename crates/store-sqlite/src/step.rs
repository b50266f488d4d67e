use regrant_grant::{AccessTokenId, Grant, GrantId, Party, Surroundings, Write};
use regrant_protocol::{EpochNumber, Timestamp};
use regrant_store::{Rule, Scene, StoreError, Target};

use crate::cap;
use crate::failpoint::Failpoint;
use crate::rows::{client, grant, listed_access_token, session, user};
use crate::transaction::Transaction;

/// Reads what the step is about, lets its rule decide, and writes what the rule asks for.
pub(crate) fn run(
    transaction: &Transaction<'_>,
    epoch: EpochNumber,
    target: &Target,
    rule: &mut Rule,
) -> Result<(), StoreError> {
    let found = look_up(transaction, target)?;
    #[cfg(feature = "planted-faults")]
    crate::planted_fault::copy_the_row(found.grant.as_ref());
    let scene = Scene {
        now: transaction.now(),
        grant: found.grant.as_ref(),
        surroundings: Surroundings {
            epoch,
            client: found.client,
            user: found.user,
            root: found.root.as_ref(),
            session_ends_at: found.session_ends_at,
        },
        access_token_is_listed: found.access_token_is_listed,
    };
    Failpoint::RowRead.reach();
    let write = rule(&scene);
    Failpoint::Decided.reach();
    cap::make_room(transaction, epoch, &write, found.grant.as_ref())?;
    match write {
        Write::Nothing => return Ok(()),
        Write::Update(row) => grant::update(transaction, &row),
        Write::Insert(row) => grant::insert(transaction, &row),
        Write::ListAccessToken { id, until } => listed_access_token::list(transaction, &id, until),
    }?;
    Failpoint::RowWritten.reach();
    Ok(())
}

/// What a step is about, as it was found.
#[derive(Default)]
struct Found {
    grant: Option<Grant>,
    client: Option<Party>,
    user: Option<Party>,
    root: Option<Grant>,
    session_ends_at: Option<Timestamp>,
    access_token_is_listed: bool,
}

fn look_up(transaction: &Transaction<'_>, target: &Target) -> Result<Found, StoreError> {
    match target {
        Target::Grant(id) => look_up_grant(transaction, *id),
        Target::AccessToken(id) => {
            let found = look_up_grant(transaction, id.grant)?;
            look_up_listed(transaction, id, found)
        }
        Target::NewGrant { grant, client, user, session } => Ok(Found {
            client: client::find_party(transaction, client)?,
            user: user::find_party(transaction, user)?,
            session_ends_at: session.map_or(Ok(None), |id| session::find_end(transaction, id, user))?,
            ..look_up_grant(transaction, *grant)?
        }),
        Target::Client(client_id) => {
            Ok(Found { client: client::find_party(transaction, client_id)?, ..Found::default() })
        }
        Target::ClientAccessToken(client_id, id) => {
            let found = Found { client: client::find_party(transaction, client_id)?, ..Found::default() };
            look_up_listed(transaction, id, found)
        }
    }
}

fn look_up_listed(transaction: &Transaction<'_>, id: &AccessTokenId, found: Found) -> Result<Found, StoreError> {
    Ok(Found { access_token_is_listed: listed_access_token::is_listed(transaction, id)?, ..found })
}

fn look_up_grant(transaction: &Transaction<'_>, id: GrantId) -> Result<Found, StoreError> {
    let Some(row) = grant::find(transaction, id)? else { return Ok(Found::default()) };
    let root = match row.grant.root {
        None => None,
        Some(root) => match grant::find(transaction, root)? {
            Some(found) => Some(found.grant),
            // Whether the family was revoked cannot be known without its root.
            None => return Err(grant::rootless(&row.grant)),
        },
    };
    let session_ends_at = session::find_end_for(transaction, &row.grant)?;
    let grant = Some(row.grant);
    Ok(Found { grant, client: row.client, user: row.user, root, session_ends_at, ..Found::default() })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use regrant_grant::Realm;
    use regrant_protocol::Timestamp;
    use rusqlite::Connection;

    use super::*;
    use crate::Genesis;
    use crate::migration::{MIGRATIONS, migrate};

    const GRANTS: &str = "
        INSERT INTO clients (id, enabled, cutoff, version) VALUES ('app', 1, 0, 1);
        INSERT INTO users (subject, status, cutoff, version) VALUES ('alice', 'active', 0, 1);
        INSERT INTO grants (id, secret, version, client, user, scope, session, generation, kid, epoch, rotated_at,
                            access_lifetime, has_used_challenge, created_at, authenticated_at, client_cutoff, user_cutoff)
        SELECT id, randomblob(16), 1, 1, 1, '', session, 1, 1, 1, 1, 1, 0, 1, 1, 0, 0
        FROM (SELECT zeroblob(16) AS id, NULL AS session UNION SELECT x'01010101010101010101010101010101', zeroblob(16));
        DROP TABLE sessions;";

    #[test]
    fn no_session_is_looked_for_when_the_grant_is_in_none() {
        let mut connection = Connection::open_in_memory().unwrap();
        let genesis = Genesis { realm: Realm([1; 16]), epoch_random: [2; 16] };
        migrate(&mut connection, Path::new("regrant.db"), MIGRATIONS, &genesis, Timestamp::from_seconds(1)).unwrap();
        connection.execute_batch(GRANTS).unwrap();
        let transaction = Transaction::new(&connection, Timestamp::from_seconds(1));
        for (id, finds) in [([0; 16], true), ([1; 16], false)] {
            let found = look_up(&transaction, &Target::Grant(GrantId(id)));
            assert_eq!(found.is_ok_and(|found| found.grant.is_some()), finds, "{id:?}");
        }
    }
}
