//! Login sessions.

pub(crate) const SELECT_SESSION: &str = r#"
    SELECT sessions.id, sessions.secret_digest, users.subject AS "user", sessions.created_at, sessions.authenticated_at,
           sessions.expires_at
    FROM sessions
    JOIN users ON users.key = sessions.user_key
    WHERE sessions.id = $1"#;
/// A session of this name that has ended, or is of another user, stays as it is.
pub(crate) const KEEP_SESSION: &str = "
    INSERT INTO sessions (id, secret_digest, user_key, created_at, authenticated_at, expires_at)
    SELECT $1, $2, key, $4, $5, $6
    FROM users
    WHERE subject = $3 AND removed_at IS NULL
    ON CONFLICT (id) DO UPDATE
    SET secret_digest = excluded.secret_digest, created_at = excluded.created_at,
        authenticated_at = excluded.authenticated_at, expires_at = excluded.expires_at
    WHERE sessions.user_key = excluded.user_key AND sessions.expires_at > $7";
pub(crate) const END_SESSION: &str = "UPDATE sessions SET expires_at = $2 WHERE id = $1 AND expires_at > $2";
/// Ends the sessions of a user that are more than so many that go on, the oldest first, and never this one.
pub(crate) const END_OLDEST_SESSIONS: &str = "
    UPDATE sessions SET expires_at = $3
    WHERE id IN (
        SELECT id FROM sessions
        WHERE user_key = (SELECT key FROM users WHERE subject = $2) AND expires_at > $3
        ORDER BY id = $1 DESC, created_at DESC, id
        OFFSET $4
    )
    RETURNING id";
pub(crate) const END_SESSIONS_OF_USER: &str = "
    UPDATE sessions SET expires_at = $2
    WHERE user_key = (SELECT key FROM users WHERE subject = $1) AND expires_at > $2 AND id IS DISTINCT FROM $3";
pub(crate) const SELECT_SESSIONS_SLICE: &str =
    "SELECT id, expires_at FROM sessions WHERE id >= $1 ORDER BY id LIMIT $2";
pub(crate) const DELETE_SESSIONS: &str = "DELETE FROM sessions WHERE id = ANY ($1)";
pub(crate) const DELETE_SESSIONS_OF_USER: &str =
    "DELETE FROM sessions WHERE user_key = (SELECT key FROM users WHERE subject = $1)";
