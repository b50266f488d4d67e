//! Users, and the names that they share with clients.

/// Client identifiers and subjects are one set of names (RFC 9068 §5), and a removed row still holds its own.
pub(crate) const SELECT_NAME: &str = "
    SELECT 1 WHERE EXISTS (SELECT 1 FROM clients WHERE id = $1) OR EXISTS (SELECT 1 FROM users WHERE subject = $1)";

pub(crate) const SELECT_USER: &str = "
    SELECT subject, username, credential, status, profile, cutoff, version
    FROM users WHERE subject = $1 AND removed_at IS NULL";
pub(crate) const SELECT_USER_NAMED: &str = "
    SELECT subject, username, credential, status, profile, cutoff, version
    FROM users WHERE username = $1 AND removed_at IS NULL";
pub(crate) const SELECT_USERS_PAGE: &str = "
    SELECT subject, username, credential, status, profile, cutoff, version
    FROM users WHERE username > $1 AND removed_at IS NULL ORDER BY username LIMIT $2";
/// What logs a user in is done for one of them at a time, and not after they were removed.
pub(crate) const LOCK_USER: &str = "SELECT 1 FROM users WHERE subject = $1 AND removed_at IS NULL FOR NO KEY UPDATE";
pub(crate) const INSERT_USER: &str = "
    INSERT INTO users (subject, username, credential, status, profile, cutoff, version)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT DO NOTHING";
pub(crate) const UPDATE_USER_STATUS: &str =
    "UPDATE users SET status = $2, version = version + 1 WHERE subject = $1 AND removed_at IS NULL";
pub(crate) const UPDATE_USER_CREDENTIAL: &str = "
    UPDATE users SET credential = $2, version = version + 1
    WHERE subject = $1 AND version = coalesce($3, version) AND removed_at IS NULL";
pub(crate) const REHASH_USER_CREDENTIAL: &str = "
    UPDATE users SET credential = CASE WHEN credential = $2 THEN $3 ELSE credential END
    WHERE subject = $1 AND removed_at IS NULL";
pub(crate) const UPDATE_USER_PROFILE: &str =
    "UPDATE users SET profile = $2, version = version + 1 WHERE subject = $1 AND version = $3 AND removed_at IS NULL";
pub(crate) const RAISE_USER_CUTOFF: &str = "UPDATE users SET cutoff = cutoff + 1, version = version + 1 WHERE subject = $1 AND removed_at IS NULL RETURNING cutoff";
pub(crate) const REMOVE_USER: &str = "
    UPDATE users
    SET username = NULL, credential = NULL, status = 'disabled', profile = '{}', version = version + 1, removed_at = $2
    WHERE subject = $1 AND removed_at IS NULL";
