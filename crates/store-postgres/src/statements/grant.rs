//! Grants, and the access tokens of theirs that are listed.

/// Grants with the facts about their clients and their users, removed or not, and the ends of their login sessions.
macro_rules! select_grants {
    () => {
        select_grants!("", "grants")
    };
    ($also_select:literal, $from:literal) => {
        concat!(
            r#"
    SELECT grants.id, grants.secret, grants.version, grants.root, clients.id AS client, users.subject AS "user",
           grants.scope, grants.resources, grants.binding, grants.session, grants.approved_from, grants.code,
           grants.generation, grants.kid, grants.epoch, grants.rotated_at, grants.access_lifetime,
           grants.retry_challenge, grants.has_used_challenge, grants.created_at, grants.authenticated_at,
           grants.idle_expires_at, grants.absolute_expires_at, grants.revoked_at, grants.client_cutoff,
           grants.user_cutoff,
           clients.key, clients.enabled, clients.cutoff, clients.version, clients.removed_at,
           users.key, users.status, users.cutoff, users.version, users.removed_at,
           sessions.expires_at"#,
            $also_select,
            "
    FROM ",
            $from,
            "
    JOIN clients ON clients.key = grants.client_key
    JOIN users ON users.key = grants.user_key
    LEFT JOIN sessions ON sessions.id = grants.session AND sessions.user_key = grants.user_key"
        )
    };
}

/// The families of a user that may live, with whether their roots have siblings. What was revoked or has ended otherwise is most
/// of what there is, and is passed over here; the rule judges the rest.
macro_rules! select_families {
    ($which:literal) => {
        concat!(
            select_grants!(
                ", EXISTS (SELECT 1 FROM grants AS sibling WHERE sibling.root = grants.id) AS has_siblings",
                "grants"
            ),
            "
    WHERE users.subject = $1 AND grants.root IS NULL AND grants.revoked_at IS NULL
      AND grants.client_cutoff = clients.cutoff AND grants.user_cutoff = users.cutoff
      AND clients.removed_at IS NULL AND users.removed_at IS NULL
      AND (grants.session IS NULL OR sessions.expires_at > $2)
      AND coalesce(grants.absolute_expires_at > $2, true)
      AND (coalesce(grants.idle_expires_at > $2, true) AND grants.epoch >= $3
           OR EXISTS (SELECT 1 FROM grants AS sibling WHERE sibling.root = grants.id))",
            $which
        )
    };
}

macro_rules! families_page {
    ($lock:literal) => {
        concat!(
            select_grants!(),
            "
    WHERE users.subject = $1 AND coalesce(clients.id = $2, true)
      AND grants.root IS NULL AND grants.revoked_at IS NULL AND grants.id >= $3
    ORDER BY grants.id
    LIMIT $4 ",
            $lock
        )
    };
}

macro_rules! families_slice {
    ($lock:literal) => {
        concat!(
            select_grants!(),
            "
    WHERE grants.id >= $1 AND grants.id <= $2 AND grants.root IS NULL AND ($3 OR grants.revoked_at IS NULL)
      AND coalesce(clients.id = $4, true) AND coalesce(users.subject = $5, true)
    ORDER BY grants.id
    LIMIT $6 ",
            $lock
        )
    };
}

/// All that steps read of grants: each with the place of its step, and whether that step's access token is listed.
pub(crate) const SELECT_GRANTS_OF_STEPS: &str = select_grants!(
    ",
           steps.place,
           EXISTS (SELECT 1 FROM listed_access_tokens AS listed WHERE listed.id = steps.token) AS is_listed",
    "unnest($1::uuid[], $2::bytea[]) WITH ORDINALITY AS steps (id, token, place)
    JOIN grants ON grants.id = steps.id"
);
/// What steps read that are not about a grant, or about one that may not exist yet.
pub(crate) const SELECT_PARTIES_OF_STEPS: &str = "
    SELECT clients.key, clients.enabled, clients.cutoff, clients.version, clients.removed_at,
           users.key, users.status, users.cutoff, users.version, users.removed_at, sessions.expires_at, steps.place,
           EXISTS (SELECT 1 FROM listed_access_tokens AS listed WHERE listed.id = steps.token) AS is_listed
    FROM unnest($1::text[], $2::text[], $3::uuid[], $4::bytea[]) WITH ORDINALITY
         AS steps (client, subject, session, token, place)
    LEFT JOIN clients ON clients.id = steps.client
    LEFT JOIN users ON users.subject = steps.subject
    LEFT JOIN sessions ON sessions.id = steps.session AND sessions.user_key = users.key";
/// Those of these ids, and twice where an id is there twice. Joined, a partitioned table is looked into where they are alone; by `ANY` it
/// would be in every partition.
pub(crate) const SELECT_GRANTS: &str =
    select_grants!("", "unnest($1::uuid[]) AS wanted (id) JOIN grants ON grants.id = wanted.id");
/// The versions of what steps relied on, in their order.
pub(crate) const SELECT_WITNESSES: &str = "
    SELECT clients.version, users.version, sessions.expires_at, first.version, second.version
    FROM unnest($1::integer[], $2::integer[], $3::uuid[], $4::uuid[], $5::uuid[]) WITH ORDINALITY
         AS steps (client_key, user_key, session, first, second, place)
    LEFT JOIN clients ON clients.key = steps.client_key
    LEFT JOIN users ON users.key = steps.user_key
    LEFT JOIN sessions ON sessions.id = steps.session AND sessions.user_key = steps.user_key
    LEFT JOIN grants AS first ON first.id = steps.first
    LEFT JOIN grants AS second ON second.id = steps.second
    ORDER BY steps.place";
/// Locks the row of a grant: whoever locks it next waits.
pub(crate) const LOCK_GRANT: &str = "SELECT version FROM grants WHERE id = $1 FOR NO KEY UPDATE";

/// Those to whatever client, the newest first.
pub(crate) const SELECT_GRANTS_OF_USER: &str = select_families!(
    "
    ORDER BY grants.created_at DESC, grants.id
    LIMIT $4"
);
/// Those to one client.
pub(crate) const SELECT_FAMILIES: &str = select_families!(
    "
      AND clients.id = $4
    LIMIT $5"
);
/// The codes of a user and a client that were not redeemed, the oldest first.
pub(crate) const SELECT_OPEN_CODES: &str = concat!(
    select_grants!(),
    "
    WHERE users.subject = $1 AND clients.id = $2 AND grants.root IS NULL AND grants.revoked_at IS NULL
      AND grants.generation = 0 AND grants.code IS NOT NULL
    ORDER BY grants.created_at, grants.id"
);

/// Of the siblings that are looked at, the one that was used last.
pub(crate) const SELECT_LAST_USED_SIBLING: &str = concat!(
    select_grants!(),
    "
    WHERE grants.id IN (SELECT id FROM grants WHERE root = $1 LIMIT $2)
    ORDER BY grants.rotated_at DESC
    LIMIT 1"
);
/// How many siblings these have that have any.
pub(crate) const COUNT_SIBLINGS: &str = "SELECT root, count(*) FROM grants WHERE root = ANY ($1) GROUP BY root";

/// The last row of a slice; none when the rest is less than a slice.
pub(crate) const SELECT_GRANTS_SLICE_END: &str =
    "SELECT id FROM grants WHERE id >= $1 ORDER BY id LIMIT 1 OFFSET $2::bigint - 1";
/// The families of a user that were not revoked, from an id on.
pub(crate) const SELECT_FAMILIES_PAGE: &str = families_page!("");
/// The same, which nobody changes before the end of the transaction.
pub(crate) const LOCK_FAMILIES_PAGE: &str = families_page!("FOR NO KEY UPDATE OF grants");
/// The roots of families in a slice.
pub(crate) const SELECT_FAMILIES_SLICE: &str = families_slice!("");
/// The same, which nobody changes before the end of the transaction.
pub(crate) const LOCK_FAMILIES_SLICE: &str = families_slice!("FOR NO KEY UPDATE OF grants");
/// The grants in a slice of which something has ended, by themselves, by their family or by what is around them; the rule
/// judges them. Those that somebody works on are left for the next time.
pub(crate) const SELECT_ENDED_SLICE: &str = concat!(
    select_grants!(),
    "
    WHERE grants.id >= $1 AND grants.id <= $2
      AND (grants.revoked_at IS NOT NULL OR grants.root IS NOT NULL
           OR grants.idle_expires_at <= $3 OR grants.absolute_expires_at <= $3
           OR grants.client_cutoff <> clients.cutoff OR grants.user_cutoff <> users.cutoff
           OR clients.removed_at IS NOT NULL OR users.removed_at IS NOT NULL
           OR grants.session IS NOT NULL AND coalesce(sessions.expires_at <= $3, true))
    ORDER BY grants.id
    FOR UPDATE OF grants SKIP LOCKED"
);
pub(crate) const DELETE_GRANTS: &str =
    "DELETE FROM grants USING unnest($1::uuid[]) AS ended (id) WHERE grants.id = ended.id";

/// Gives grants their next versions, and says which were of the versions before: all that a refresh writes. Client, user, root and
/// login session never change.
pub(crate) const UPDATE_GRANTS: &str = "
    UPDATE grants
    SET secret = new.secret, version = new.version, scope = new.scope, resources = new.resources, binding = new.binding,
        approved_from = new.approved_from, code = new.code, generation = new.generation, kid = new.kid,
        epoch = new.epoch, rotated_at = new.rotated_at, access_lifetime = new.access_lifetime,
        retry_challenge = new.retry_challenge, has_used_challenge = new.has_used_challenge,
        created_at = new.created_at, authenticated_at = new.authenticated_at, idle_expires_at = new.idle_expires_at,
        absolute_expires_at = new.absolute_expires_at, revoked_at = new.revoked_at, client_cutoff = new.client_cutoff,
        user_cutoff = new.user_cutoff
    FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::bytea[], $7::text[], $8::text[],
                $9::integer[], $10::smallint[], $11::smallint[], $12::bigint[], $13::integer[], $14::uuid[],
                $15::boolean[], $16::bigint[], $17::bigint[], $18::bigint[], $19::bigint[], $20::bigint[],
                $21::integer[], $22::integer[])
         AS new (id, secret, version, scope, resources, binding, approved_from, code, generation, kid, epoch,
                 rotated_at, access_lifetime, retry_challenge, has_used_challenge, created_at, authenticated_at,
                 idle_expires_at, absolute_expires_at, revoked_at, client_cutoff, user_cutoff)
    WHERE grants.id = new.id AND grants.version = new.version - 1
    RETURNING grants.id";

/// Makes grants, and says which: not one of an id that there is, nor of a client or user that there never was.
pub(crate) const INSERT_GRANTS: &str = "
    INSERT INTO grants (
        id, secret, version, scope, resources, binding, approved_from, code, generation, kid, epoch, rotated_at,
        access_lifetime, retry_challenge, has_used_challenge, created_at, authenticated_at, idle_expires_at,
        absolute_expires_at, revoked_at, client_cutoff, user_cutoff, root, session, client_key, user_key
    )
    SELECT new.id, new.secret, new.version, new.scope, new.resources, new.binding, new.approved_from, new.code,
           new.generation, new.kid, new.epoch, new.rotated_at, new.access_lifetime, new.retry_challenge,
           new.has_used_challenge, new.created_at, new.authenticated_at, new.idle_expires_at,
           new.absolute_expires_at, new.revoked_at, new.client_cutoff, new.user_cutoff, new.root, new.session,
           clients.key, users.key
    FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::bytea[], $7::text[], $8::text[],
                $9::integer[], $10::smallint[], $11::smallint[], $12::bigint[], $13::integer[], $14::uuid[],
                $15::boolean[], $16::bigint[], $17::bigint[], $18::bigint[], $19::bigint[], $20::bigint[],
                $21::integer[], $22::integer[], $23::uuid[], $24::uuid[], $25::text[], $26::text[])
         AS new (id, secret, version, scope, resources, binding, approved_from, code, generation, kid, epoch,
                 rotated_at, access_lifetime, retry_challenge, has_used_challenge, created_at, authenticated_at,
                 idle_expires_at, absolute_expires_at, revoked_at, client_cutoff, user_cutoff, root, session, client,
                 subject)
    JOIN clients ON clients.id = new.client
    JOIN users ON users.subject = new.subject
    ON CONFLICT (id) DO NOTHING
    RETURNING id";

pub(crate) const INSERT_LISTED_ACCESS_TOKENS: &str = "
    INSERT INTO listed_access_tokens (id, ends_at) SELECT * FROM unnest($1::bytea[], $2::bigint[])
    ON CONFLICT (id) DO NOTHING";
pub(crate) const SELECT_LISTED_ACCESS_TOKENS_SLICE: &str =
    "SELECT id, ends_at FROM listed_access_tokens WHERE id > $1 ORDER BY id LIMIT $2";
pub(crate) const DELETE_LISTED_ACCESS_TOKENS: &str = "DELETE FROM listed_access_tokens WHERE id = ANY ($1)";
