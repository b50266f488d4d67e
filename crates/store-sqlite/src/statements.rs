//! Every statement on the tables, in one place. Columns are read in the order in which they stand here.

pub(crate) const BEGIN: &str = "BEGIN IMMEDIATE";
pub(crate) const COMMIT: &str = "COMMIT";
pub(crate) const SAVEPOINT: &str = "SAVEPOINT step";
pub(crate) const ROLLBACK_TO_SAVEPOINT: &str = "ROLLBACK TO step";
pub(crate) const RELEASE_SAVEPOINT: &str = "RELEASE step";

/// Copies what the write-ahead log holds into the file, without waiting for who reads.
pub(crate) const CHECKPOINT: &str = "PRAGMA wal_checkpoint(PASSIVE)";
/// As [`CHECKPOINT`], and empties the log.
pub(crate) const CHECKPOINT_AT_START: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

pub(crate) const CHECK_INTEGRITY: &str = "PRAGMA integrity_check";

pub(crate) const SELECT_MIGRATIONS: &str = "SELECT number, checksum FROM migrations ORDER BY number";
pub(crate) const INSERT_MIGRATION: &str =
    "INSERT INTO migrations (number, name, checksum, applied_at) VALUES (?1, ?2, ?3, ?4)";

/// For migrations alone: settings of any schema, whatever they say.
pub(crate) const SELECT_STORED_SETTINGS: &str = "SELECT key, id, settings FROM clients WHERE settings IS NOT NULL";
pub(crate) const UPDATE_STORED_SETTINGS: &str = "UPDATE clients SET settings = ?2 WHERE key = ?1";

pub(crate) const SELECT_REALM: &str = "SELECT realm FROM identity";
pub(crate) const SELECT_EPOCHS: &str = "SELECT number, random FROM epochs ORDER BY number";
pub(crate) const INSERT_REALM: &str = "INSERT INTO identity (only_row, realm) VALUES (1, ?1)";
pub(crate) const INSERT_EPOCH: &str = "INSERT INTO epochs (number, random) VALUES (?1, ?2)";

/// Grants with the facts about their clients and their users, removed or not.
macro_rules! select_grants {
    () => {
        select_grants!("", "")
    };
    ($also_select:literal, $also_join:literal) => {
        concat!(
            "
    SELECT grants.id AS id, grants.secret AS secret, grants.version AS version, grants.root AS root,
           clients.id AS client, users.subject AS user, grants.scope AS scope, grants.resources AS resources,
           grants.binding AS binding, grants.session AS session, grants.approved_from AS approved_from,
           grants.code AS code, grants.generation AS generation, grants.kid AS kid, grants.epoch AS epoch,
           grants.rotated_at AS rotated_at, grants.access_lifetime AS access_lifetime,
           grants.retry_challenge AS retry_challenge, grants.has_used_challenge AS has_used_challenge,
           grants.created_at AS created_at, grants.authenticated_at AS authenticated_at,
           grants.idle_expires_at AS idle_expires_at, grants.absolute_expires_at AS absolute_expires_at,
           grants.revoked_at AS revoked_at, grants.client_cutoff AS client_cutoff, grants.user_cutoff AS user_cutoff,
           clients.enabled AS enabled, clients.cutoff AS cutoff, clients.version AS version,
           clients.removed_at AS removed_at,
           users.status AS status, users.cutoff AS cutoff, users.version AS version, users.removed_at AS removed_at",
            $also_select,
            "
    FROM grants
    JOIN clients ON clients.key = grants.client
    JOIN users ON users.key = grants.user",
            $also_join
        )
    };
}

/// The families of a user that may live, with the ends of their login sessions and whether their roots have siblings. What was
/// revoked or has ended otherwise is most of what there is, and is passed over here; the rule judges the rest.
macro_rules! select_families {
    ($which:literal) => {
        concat!(
            select_grants!(
                ",
           sessions.expires_at AS session_ends_at,
           EXISTS (SELECT 1 FROM grants AS sibling WHERE sibling.root = grants.id) AS has_siblings",
                "
    LEFT JOIN sessions ON sessions.id = grants.session AND sessions.user = grants.user"
            ),
            "
    WHERE users.subject = ?1 AND grants.root IS NULL AND grants.revoked_at IS NULL
      AND grants.client_cutoff = clients.cutoff AND grants.user_cutoff = users.cutoff
      AND clients.removed_at IS NULL AND users.removed_at IS NULL
      AND (grants.session IS NULL OR sessions.expires_at > ?2)
      AND coalesce(grants.absolute_expires_at > ?2, 1)
      AND (coalesce(grants.idle_expires_at > ?2, 1) AND grants.epoch >= ?3
           OR EXISTS (SELECT 1 FROM grants AS sibling WHERE sibling.root = grants.id))",
            $which
        )
    };
}

/// A grant with its next version.
macro_rules! update_grant {
    ($also_set:literal, $also_like:literal) => {
        concat!(
            "
    UPDATE grants
    SET secret = :secret, version = :version, scope = :scope, resources = :resources, binding = :binding,
        approved_from = :approved_from, code = :code,
        generation = :generation, kid = :kid, epoch = :epoch, rotated_at = :rotated_at,
        access_lifetime = :access_lifetime, retry_challenge = :retry_challenge,
        has_used_challenge = :has_used_challenge, created_at = :created_at, authenticated_at = :authenticated_at,
        idle_expires_at = :idle_expires_at, absolute_expires_at = :absolute_expires_at, ",
            $also_set,
            "
        client_cutoff = :client_cutoff, user_cutoff = :user_cutoff
    WHERE id = :id AND version = :version - 1 AND root IS :root AND session IS :session
      AND client = (SELECT key FROM clients WHERE id = :client)
      AND user = (SELECT key FROM users WHERE subject = :user) ",
            $also_like
        )
    };
}

/// All that a refresh reads of a grant that outlives the login session.
pub(crate) const SELECT_GRANT: &str = concat!(select_grants!(), " WHERE grants.id = ?1");

/// Those to whatever client, the newest first.
pub(crate) const SELECT_GRANTS_OF_USER: &str = select_families!(
    "
    ORDER BY grants.created_at DESC, grants.id
    LIMIT ?4"
);
/// Those to one client.
pub(crate) const SELECT_FAMILIES: &str = select_families!(
    "
      AND clients.id = ?4
    LIMIT ?5"
);
/// The codes of a user and a client that were not redeemed, the oldest first.
pub(crate) const SELECT_OPEN_CODES: &str = concat!(
    select_grants!(),
    "
    WHERE users.subject = ?1 AND clients.id = ?2 AND grants.root IS NULL AND grants.revoked_at IS NULL
      AND grants.generation = 0 AND grants.code IS NOT NULL
    ORDER BY grants.created_at, grants.id"
);

/// Of the siblings that are looked at, the one that was used last.
pub(crate) const SELECT_LAST_USED_SIBLING: &str = concat!(
    select_grants!(),
    "
    WHERE grants.id IN (SELECT id FROM grants WHERE root = ?1 LIMIT ?2)
    ORDER BY grants.rotated_at DESC
    LIMIT 1"
);
pub(crate) const SELECT_SIBLING: &str = "SELECT 1 FROM grants WHERE root = ?1 LIMIT 1";

/// The families of a user that were not revoked, from an id on.
pub(crate) const SELECT_FAMILIES_PAGE: &str = concat!(
    select_grants!(),
    "
    WHERE users.subject = ?1 AND coalesce(clients.id = ?2, 1)
      AND grants.root IS NULL AND grants.revoked_at IS NULL AND grants.id > ?3
    ORDER BY grants.id
    LIMIT ?4"
);

/// The last row of a slice; none when the rest is less than a slice.
pub(crate) const SELECT_GRANTS_SLICE_END: &str =
    "SELECT id FROM grants WHERE id > ?1 ORDER BY id LIMIT 1 OFFSET ?2 - 1";
/// The roots of families in a slice.
pub(crate) const SELECT_FAMILIES_SLICE: &str = concat!(
    select_grants!(),
    "
    WHERE grants.id > ?1 AND grants.id <= ?2 AND grants.root IS NULL AND (?3 OR grants.revoked_at IS NULL)
      AND coalesce(clients.id = ?4, 1) AND coalesce(users.subject = ?5, 1)
    ORDER BY grants.id
    LIMIT ?6"
);
/// The grants in a slice of which something has ended, by themselves, by their family or by what is around them; the rule
/// judges them.
pub(crate) const SELECT_ENDED_SLICE: &str = concat!(
    select_grants!(),
    "
    WHERE grants.id > ?1 AND grants.id <= ?2
      AND (grants.revoked_at IS NOT NULL OR grants.root IS NOT NULL
           OR grants.idle_expires_at <= ?3 OR grants.absolute_expires_at <= ?3
           OR grants.client_cutoff <> clients.cutoff OR grants.user_cutoff <> users.cutoff
           OR clients.removed_at IS NOT NULL OR users.removed_at IS NOT NULL
           OR grants.session IS NOT NULL AND NOT EXISTS (
               SELECT 1 FROM sessions
               WHERE sessions.id = grants.session AND sessions.user = grants.user AND sessions.expires_at > ?3
           ))"
);
pub(crate) const SELECT_LAST_SWEEP: &str = "SELECT swept_at FROM last_sweep";
/// Written once a minute and not with every slice, which then costs no commit when it finds nothing to remove.
pub(crate) const NOTE_SWEEP: &str = "
    INSERT INTO last_sweep (only_row, swept_at) VALUES (1, ?1)
    ON CONFLICT (only_row) DO UPDATE SET swept_at = excluded.swept_at WHERE swept_at <= excluded.swept_at - 60000";
pub(crate) const SET_LAST_SWEEP: &str = "
    INSERT INTO last_sweep (only_row, swept_at) VALUES (1, ?1)
    ON CONFLICT (only_row) DO UPDATE SET swept_at = excluded.swept_at";
pub(crate) const DELETE_GRANT: &str = "DELETE FROM grants WHERE id = ?1 AND version = ?2";

/// All that a refresh writes. A row of another version, client, user, session, root or end does not match.
pub(crate) const UPDATE_GRANT: &str = update_grant!("", "AND revoked_at IS :revoked_at");
/// All that can be written. It costs a write of an index more.
pub(crate) const UPDATE_GRANT_AND_END: &str = update_grant!("revoked_at = :revoked_at,", "");

pub(crate) const INSERT_GRANT: &str = "
    INSERT INTO grants (
        id, secret, version, root, client, user, scope, resources, binding, session, approved_from, code, generation,
        kid, epoch, rotated_at, access_lifetime, retry_challenge, has_used_challenge, created_at, authenticated_at,
        idle_expires_at, absolute_expires_at, revoked_at, client_cutoff, user_cutoff
    )
    SELECT :id, :secret, :version, :root, clients.key, users.key, :scope, :resources, :binding, :session,
           :approved_from, :code, :generation, :kid, :epoch, :rotated_at, :access_lifetime, :retry_challenge,
           :has_used_challenge, :created_at, :authenticated_at, :idle_expires_at, :absolute_expires_at, :revoked_at,
           :client_cutoff, :user_cutoff
    FROM clients, users
    WHERE clients.id = :client AND users.subject = :user
    ON CONFLICT (id) DO NOTHING";

pub(crate) const SELECT_LISTED_ACCESS_TOKEN: &str = "SELECT 1 FROM listed_access_tokens WHERE id = ?1";
pub(crate) const INSERT_LISTED_ACCESS_TOKEN: &str =
    "INSERT INTO listed_access_tokens (id, ends_at) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING";
pub(crate) const SELECT_LISTED_ACCESS_TOKENS_SLICE: &str =
    "SELECT id, ends_at FROM listed_access_tokens WHERE id > ?1 ORDER BY id LIMIT ?2";
pub(crate) const DELETE_LISTED_ACCESS_TOKEN: &str = "DELETE FROM listed_access_tokens WHERE id = ?1";

/// Client identifiers and subjects are one set of names (RFC 9068 §5), and a removed row still holds its own.
pub(crate) const SELECT_NAME: &str = "
    SELECT 1 WHERE EXISTS (SELECT 1 FROM clients WHERE id = ?1) OR EXISTS (SELECT 1 FROM users WHERE subject = ?1)";

pub(crate) const SELECT_CLIENT_PARTY: &str = "SELECT enabled, cutoff, version, removed_at FROM clients WHERE id = ?1";
pub(crate) const SELECT_CLIENT: &str = "
    SELECT id, handle, secret, enabled, cutoff, version, settings
    FROM clients WHERE id = ?1 AND removed_at IS NULL";
pub(crate) const SELECT_CLIENT_WITH_HANDLE: &str = "
    SELECT id, handle, secret, enabled, cutoff, version, settings
    FROM clients WHERE handle = ?1 AND removed_at IS NULL";
pub(crate) const SELECT_CLIENTS: &str = "
    SELECT id, handle, secret, enabled, cutoff, version, settings
    FROM clients WHERE removed_at IS NULL ORDER BY id";
pub(crate) const INSERT_CLIENT: &str = "
    INSERT INTO clients (id, handle, secret, enabled, cutoff, version, settings) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
pub(crate) const UPDATE_CLIENT_SETTINGS: &str =
    "UPDATE clients SET settings = ?2, version = version + 1 WHERE id = ?1 AND removed_at IS NULL";
pub(crate) const UPDATE_CLIENT_ENABLED: &str =
    "UPDATE clients SET enabled = ?2, version = version + 1 WHERE id = ?1 AND removed_at IS NULL";
pub(crate) const RAISE_CLIENT_CUTOFF: &str =
    "UPDATE clients SET cutoff = cutoff + 1, version = version + 1 WHERE id = ?1 AND removed_at IS NULL";
pub(crate) const REMOVE_CLIENT: &str = "
    UPDATE clients
    SET handle = NULL, secret = NULL, enabled = 0, version = version + 1, settings = NULL, removed_at = ?2
    WHERE id = ?1 AND removed_at IS NULL";

pub(crate) const SELECT_USER_PARTY: &str = "SELECT status, cutoff, version, removed_at FROM users WHERE subject = ?1";
pub(crate) const SELECT_USER: &str = "
    SELECT subject, username, credential, status, profile, cutoff, version
    FROM users WHERE subject = ?1 AND removed_at IS NULL";
pub(crate) const SELECT_USER_NAMED: &str = "
    SELECT subject, username, credential, status, profile, cutoff, version
    FROM users WHERE username = ?1 AND removed_at IS NULL";
pub(crate) const SELECT_USERS_PAGE: &str = "
    SELECT subject, username, credential, status, profile, cutoff, version
    FROM users WHERE username > ?1 AND removed_at IS NULL ORDER BY username LIMIT ?2";
pub(crate) const INSERT_USER: &str = "
    INSERT INTO users (subject, username, credential, status, profile, cutoff, version)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
pub(crate) const UPDATE_USER_STATUS: &str =
    "UPDATE users SET status = ?2, version = version + 1 WHERE subject = ?1 AND removed_at IS NULL";
pub(crate) const UPDATE_USER_CREDENTIAL: &str =
    "UPDATE users SET credential = ?2, version = version + 1 WHERE subject = ?1 AND removed_at IS NULL";
pub(crate) const UPDATE_USER_PROFILE: &str =
    "UPDATE users SET profile = ?2, version = version + 1 WHERE subject = ?1 AND removed_at IS NULL";
pub(crate) const RAISE_USER_CUTOFF: &str =
    "UPDATE users SET cutoff = cutoff + 1, version = version + 1 WHERE subject = ?1 AND removed_at IS NULL";
pub(crate) const REMOVE_USER: &str = "
    UPDATE users
    SET username = NULL, credential = NULL, status = 'disabled', profile = '{}', version = version + 1, removed_at = ?2
    WHERE subject = ?1 AND removed_at IS NULL";

pub(crate) const SELECT_SESSION: &str = "
    SELECT sessions.id AS id, sessions.secret_digest AS secret_digest, users.subject AS user,
           sessions.created_at AS created_at, sessions.authenticated_at AS authenticated_at,
           sessions.expires_at AS expires_at
    FROM sessions
    JOIN users ON users.key = sessions.user
    WHERE sessions.id = ?1";
/// When a session ends, for whoever is the user of it.
pub(crate) const SELECT_SESSION_END: &str =
    "SELECT expires_at FROM sessions WHERE id = ?1 AND user = (SELECT key FROM users WHERE subject = ?2)";
/// A session of this name that has ended, or is of another user, stays as it is.
pub(crate) const KEEP_SESSION: &str = "
    INSERT INTO sessions (id, secret_digest, user, created_at, authenticated_at, expires_at)
    SELECT :id, :secret_digest, key, :created_at, :authenticated_at, :expires_at
    FROM users
    WHERE subject = :user AND removed_at IS NULL
    ON CONFLICT (id) DO UPDATE
    SET secret_digest = excluded.secret_digest, created_at = excluded.created_at,
        authenticated_at = excluded.authenticated_at, expires_at = excluded.expires_at
    WHERE user = excluded.user AND expires_at > :now";
pub(crate) const END_SESSION: &str = "UPDATE sessions SET expires_at = ?2 WHERE id = ?1 AND expires_at > ?2";
/// Ends the sessions of a user that are more than so many that go on, the oldest first, and never this one.
pub(crate) const END_OLDEST_SESSIONS: &str = "
    UPDATE sessions SET expires_at = :now
    WHERE id IN (
        SELECT id FROM sessions
        WHERE user = (SELECT key FROM users WHERE subject = :user) AND expires_at > :now
        ORDER BY id = :id DESC, created_at DESC, id
        LIMIT -1 OFFSET :count_max
    )";
pub(crate) const END_SESSIONS_OF_USER: &str = "
    UPDATE sessions SET expires_at = ?2
    WHERE user = (SELECT key FROM users WHERE subject = ?1) AND expires_at > ?2 AND id IS NOT ?3";
pub(crate) const SELECT_SESSIONS_SLICE: &str = "SELECT id, expires_at FROM sessions WHERE id > ?1 ORDER BY id LIMIT ?2";
pub(crate) const DELETE_SESSION: &str = "DELETE FROM sessions WHERE id = ?1";
pub(crate) const DELETE_SESSIONS_OF_USER: &str =
    "DELETE FROM sessions WHERE user = (SELECT key FROM users WHERE subject = ?1)";

pub(crate) const SELECT_CONSENT: &str = "
    SELECT users.subject AS user, clients.id AS client, consents.scope AS scope, consents.resources AS resources,
           consents.given_at AS given_at
    FROM consents
    JOIN users ON users.key = consents.user
    JOIN clients ON clients.key = consents.client
    WHERE users.subject = ?1 AND clients.id = ?2";
pub(crate) const KEEP_CONSENT: &str = "
    INSERT INTO consents (user, client, scope, resources, given_at)
    SELECT users.key, clients.key, ?3, ?4, ?5
    FROM users, clients
    WHERE users.subject = ?1 AND users.removed_at IS NULL AND clients.id = ?2 AND clients.removed_at IS NULL
    ON CONFLICT (user, client) DO UPDATE
    SET scope = excluded.scope, resources = excluded.resources, given_at = excluded.given_at";
pub(crate) const DELETE_CONSENT: &str = "
    DELETE FROM consents
    WHERE user = (SELECT key FROM users WHERE subject = ?1) AND client = (SELECT key FROM clients WHERE id = ?2)";
pub(crate) const DELETE_CONSENTS_OF_USER: &str =
    "DELETE FROM consents WHERE user = (SELECT key FROM users WHERE subject = ?1)";
pub(crate) const DELETE_CONSENTS_TO_CLIENT: &str =
    "DELETE FROM consents WHERE client = (SELECT key FROM clients WHERE id = ?1)";

pub(crate) const SELECT_ANNOUNCED_KEYS: &str = "SELECT kid, check_value FROM announced_keys ORDER BY kid";
pub(crate) const SELECT_ANNOUNCED_KEY: &str = "SELECT kid, check_value FROM announced_keys WHERE kid = ?1";
/// One below the oldest is not inserted: it was retired.
pub(crate) const INSERT_ANNOUNCED_KEY: &str = "
    INSERT INTO announced_keys (kid, check_value)
    SELECT ?1, ?2 WHERE ?1 > coalesce((SELECT min(kid) FROM announced_keys), -1)";
pub(crate) const DELETE_ANNOUNCED_KEYS_BELOW: &str = "DELETE FROM announced_keys WHERE kid < ?1";

pub(crate) const SELECT_SIGNING_KEYS: &str = "
    SELECT key_id, algorithm, sealed_under, sealed, created_at, signs_from, withdrawn_at
    FROM signing_keys ORDER BY created_at, position";
pub(crate) const INSERT_SIGNING_KEY: &str = "
    INSERT INTO signing_keys (key_id, algorithm, sealed_under, sealed, created_at, signs_from, withdrawn_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
    ON CONFLICT (key_id) DO NOTHING";
pub(crate) const WITHDRAW_SIGNING_KEY: &str = "
    UPDATE signing_keys SET withdrawn_at = coalesce(withdrawn_at, ?2), sealed = x'' WHERE key_id = ?1";
pub(crate) const RESEAL_SIGNING_KEY: &str = "
    UPDATE signing_keys SET sealed_under = ?2, sealed = ?3 WHERE key_id = ?1 AND withdrawn_at IS NULL";

#[cfg(test)]
mod tests {
    use std::path::Path;

    use regrant_grant::Realm;
    use regrant_protocol::Timestamp;
    use rusqlite::Connection;

    use super::*;
    use crate::Genesis;
    use crate::migration::{MIGRATIONS, migrate};

    fn store() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        let genesis = Genesis { realm: Realm([1; 16]), epoch_random: [2; 16] };
        migrate(&mut connection, Path::new("regrant.db"), MIGRATIONS, &genesis, Timestamp::from_seconds(1)).unwrap();
        connection
    }

    /// One column of what SQLite says about a statement, row by row.
    fn explain(connection: &Connection, explain: &str, sql: &str, column: &str) -> Vec<String> {
        let mut statement = connection.prepare(&format!("{explain} {sql}")).unwrap();
        // A parameter without a value is NULL, which no plan depends on.
        let mut rows = statement.raw_query();
        let mut steps = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            steps.push(row.get(column).unwrap());
        }
        steps
    }

    #[test]
    fn a_refresh_writes_no_index() {
        let connection = store();
        let trees_written = |sql| {
            let steps = explain(&connection, "EXPLAIN", sql, "opcode");
            steps.iter().filter(|opcode| *opcode == "OpenWrite").count()
        };
        assert_eq!(trees_written(UPDATE_GRANT), 1, "the table");
        assert_eq!(trees_written(UPDATE_GRANT_AND_END), 2, "the table, and the families that were not revoked");
        assert_eq!(trees_written(INSERT_GRANT), 3, "the table and both indexes");
    }

    #[test]
    fn what_is_asked_often_is_found_without_looking_through_a_table() {
        let connection = store();
        let plan = |sql| explain(&connection, "EXPLAIN QUERY PLAN", sql, "detail");
        let key = |table| format!("SEARCH {table} USING INTEGER PRIMARY KEY (rowid=?)");
        let (user_of_grant, client_of_grant) = (key("users"), key("clients"));
        let user_by_subject = "SEARCH users USING INDEX sqlite_autoindex_users_1 (subject=?)";
        let sibling = "SEARCH sibling USING COVERING INDEX siblings (root=?)";
        let session_of_grant = "SEARCH sessions USING PRIMARY KEY (id=?) LEFT-JOIN";
        let slice = "SEARCH grants USING PRIMARY KEY (id>? AND id<?)";
        let users = "SEARCH users USING COVERING INDEX sqlite_autoindex_users_1 (subject=?)";
        for (sql, expected) in [
            (SELECT_GRANT, &["SEARCH grants USING PRIMARY KEY (id=?)", &client_of_grant, &user_of_grant][..]),
            (
                SELECT_GRANTS_OF_USER,
                &[
                    user_by_subject,
                    "SEARCH grants USING INDEX families_not_revoked (user=?)",
                    "CORRELATED SCALAR SUBQUERY 2",
                    sibling,
                    &client_of_grant,
                    session_of_grant,
                    "CORRELATED SCALAR SUBQUERY 1",
                    sibling,
                    "USE TEMP B-TREE FOR ORDER BY",
                ],
            ),
            (
                SELECT_FAMILIES,
                &[
                    "SEARCH clients USING INDEX sqlite_autoindex_clients_1 (id=?)",
                    user_by_subject,
                    "SEARCH grants USING INDEX families_not_revoked (user=? AND client=?)",
                    "CORRELATED SCALAR SUBQUERY 2",
                    sibling,
                    session_of_grant,
                    "CORRELATED SCALAR SUBQUERY 1",
                    sibling,
                ],
            ),
            (
                SELECT_OPEN_CODES,
                &[
                    "SEARCH clients USING INDEX sqlite_autoindex_clients_1 (id=?)",
                    user_by_subject,
                    "SEARCH grants USING INDEX families_not_revoked (user=? AND client=?)",
                    "USE TEMP B-TREE FOR ORDER BY",
                ],
            ),
            (
                SELECT_FAMILIES_PAGE,
                &[
                    user_by_subject,
                    "SEARCH grants USING INDEX families_not_revoked (user=?)",
                    &client_of_grant,
                    "USE TEMP B-TREE FOR ORDER BY",
                ],
            ),
            (
                SELECT_LAST_USED_SIBLING,
                &[
                    "SEARCH grants USING PRIMARY KEY (id=?)",
                    "LIST SUBQUERY 1",
                    "SEARCH grants USING COVERING INDEX siblings (root=?)",
                    &client_of_grant,
                    &user_of_grant,
                    "USE TEMP B-TREE FOR ORDER BY",
                ],
            ),
            (SELECT_SIBLING, &["SEARCH grants USING COVERING INDEX siblings (root=?)"]),
            (SELECT_GRANTS_SLICE_END, &["SEARCH grants USING PRIMARY KEY (id>?)"]),
            (SELECT_FAMILIES_SLICE, &[slice, &client_of_grant, &user_of_grant]),
            (
                SELECT_ENDED_SLICE,
                &[
                    slice,
                    &client_of_grant,
                    &user_of_grant,
                    "CORRELATED SCALAR SUBQUERY 1",
                    "SEARCH sessions USING PRIMARY KEY (id=?)",
                ],
            ),
            (SELECT_SESSIONS_SLICE, &["SEARCH sessions USING PRIMARY KEY (id>?)"]),
            (SELECT_LISTED_ACCESS_TOKENS_SLICE, &["SEARCH listed_access_tokens USING PRIMARY KEY (id>?)"]),
            (SELECT_USERS_PAGE, &["SEARCH users USING INDEX sqlite_autoindex_users_2 (username>?)"]),
            (SELECT_SESSION_END, &["SEARCH sessions USING PRIMARY KEY (id=?)", "SCALAR SUBQUERY 1", users]),
            (SELECT_SESSION, &["SEARCH sessions USING PRIMARY KEY (id=?)", &user_of_grant]),
            (
                END_SESSIONS_OF_USER,
                &["SEARCH sessions USING INDEX sessions_by_user (user=? AND expires_at>?)", "SCALAR SUBQUERY 1", users],
            ),
            (
                END_OLDEST_SESSIONS,
                &[
                    "SEARCH sessions USING PRIMARY KEY (id=?)",
                    "LIST SUBQUERY 2",
                    "SEARCH sessions USING INDEX sessions_by_user (user=? AND expires_at>?)",
                    "SCALAR SUBQUERY 1",
                    users,
                    "USE TEMP B-TREE FOR ORDER BY",
                ],
            ),
        ] {
            assert_eq!(plan(sql), expected, "{sql}");
        }
    }
}
