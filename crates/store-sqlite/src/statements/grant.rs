//! Grants, and the access tokens of theirs that are listed.

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

/// A grant with its next version. The parameters are numbered as the columns of [`INSERT_GRANT`]: SQLite looks for names at
/// every execution.
macro_rules! update_grant {
    ($also_set:literal, $also_like:literal) => {
        concat!(
            "
    UPDATE grants
    SET secret = ?2, version = ?3, scope = ?7, resources = ?8, binding = ?9,
        approved_from = ?11, code = ?12, generation = ?13, kid = ?14, epoch = ?15, rotated_at = ?16,
        access_lifetime = ?17, retry_challenge = ?18, has_used_challenge = ?19, created_at = ?20,
        authenticated_at = ?21, idle_expires_at = ?22, absolute_expires_at = ?23, ",
            $also_set,
            "
        client_cutoff = ?25, user_cutoff = ?26
    WHERE id = ?1 AND version = ?3 - 1 AND root IS ?4 AND session IS ?10
      AND client = (SELECT key FROM clients WHERE id = ?5)
      AND user = (SELECT key FROM users WHERE subject = ?6) ",
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
/// A row for each family of a user and a client that was not revoked.
pub(crate) const SELECT_FAMILIES_NOT_REVOKED: &str = "
    SELECT 1 FROM grants
    WHERE user = (SELECT key FROM users WHERE subject = ?1) AND client = (SELECT key FROM clients WHERE id = ?2)
      AND root IS NULL AND revoked_at IS NULL";
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
pub(crate) const DELETE_GRANT: &str = "DELETE FROM grants WHERE id = ?1 AND version = ?2";

/// All that a refresh writes. A row of another version, client, user, session, root or end does not match.
pub(crate) const UPDATE_GRANT: &str = update_grant!("", "AND revoked_at IS ?24");
/// All that can be written. It costs a write of an index more.
pub(crate) const UPDATE_GRANT_AND_END: &str = update_grant!("revoked_at = ?24,", "");

pub(crate) const INSERT_GRANT: &str = "
    INSERT INTO grants (
        id, secret, version, root, client, user, scope, resources, binding, session, approved_from, code, generation,
        kid, epoch, rotated_at, access_lifetime, retry_challenge, has_used_challenge, created_at, authenticated_at,
        idle_expires_at, absolute_expires_at, revoked_at, client_cutoff, user_cutoff
    )
    SELECT ?1, ?2, ?3, ?4, clients.key, users.key, ?7, ?8, ?9, ?10, ?11, ?12, ?13,
           ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26
    FROM clients, users
    WHERE clients.id = ?5 AND users.subject = ?6
    ON CONFLICT (id) DO NOTHING";

pub(crate) const SELECT_LISTED_ACCESS_TOKEN: &str = "SELECT 1 FROM listed_access_tokens WHERE id = ?1";
pub(crate) const INSERT_LISTED_ACCESS_TOKEN: &str =
    "INSERT INTO listed_access_tokens (id, ends_at) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING";
pub(crate) const SELECT_LISTED_ACCESS_TOKENS_SLICE: &str =
    "SELECT id, ends_at FROM listed_access_tokens WHERE id > ?1 ORDER BY id LIMIT ?2";
pub(crate) const DELETE_LISTED_ACCESS_TOKEN: &str = "DELETE FROM listed_access_tokens WHERE id = ?1";
