//! Login sessions.

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
    )
    RETURNING id";
pub(crate) const END_SESSIONS_OF_USER: &str = "
    UPDATE sessions SET expires_at = ?2
    WHERE user = (SELECT key FROM users WHERE subject = ?1) AND expires_at > ?2 AND id IS NOT ?3";
pub(crate) const SELECT_SESSIONS_SLICE: &str = "SELECT id, expires_at FROM sessions WHERE id > ?1 ORDER BY id LIMIT ?2";
pub(crate) const DELETE_SESSION: &str = "DELETE FROM sessions WHERE id = ?1";
pub(crate) const DELETE_SESSIONS_OF_USER: &str =
    "DELETE FROM sessions WHERE user = (SELECT key FROM users WHERE subject = ?1)";
