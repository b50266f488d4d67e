//! Tokens that another system issued.

pub(crate) const SELECT_IMPORTED_REFRESH_TOKEN: &str = "SELECT grant_id FROM imported_refresh_tokens WHERE digest = $1";
pub(crate) const INSERT_IMPORTED_REFRESH_TOKEN: &str =
    "INSERT INTO imported_refresh_tokens (digest, grant_id, ends_at) VALUES ($1, $2, $3)";
pub(crate) const SELECT_IMPORTED_REFRESH_TOKENS_SLICE: &str =
    "SELECT digest AS id, ends_at FROM imported_refresh_tokens WHERE digest > $1 ORDER BY digest LIMIT $2";
/// While the grant is there, its token is found by it.
pub(crate) const DELETE_IMPORTED_REFRESH_TOKENS: &str = "
    DELETE FROM imported_refresh_tokens
    WHERE digest = ANY ($1) AND NOT EXISTS (SELECT 1 FROM grants WHERE id = imported_refresh_tokens.grant_id)";

pub(crate) const SELECT_IMPORTED_ACCESS_TOKEN: &str =
    "SELECT grant_id, scope, issued_at, ends_at FROM imported_access_tokens WHERE digest = $1";
pub(crate) const INSERT_IMPORTED_ACCESS_TOKEN: &str = "
    INSERT INTO imported_access_tokens (digest, grant_id, scope, issued_at, ends_at) VALUES ($1, $2, $3, $4, $5)";
pub(crate) const SELECT_IMPORTED_ACCESS_TOKENS_SLICE: &str =
    "SELECT digest AS id, ends_at FROM imported_access_tokens WHERE digest > $1 ORDER BY digest LIMIT $2";
pub(crate) const DELETE_IMPORTED_ACCESS_TOKENS: &str = "DELETE FROM imported_access_tokens WHERE digest = ANY ($1)";

pub(crate) const SELECT_ANY_IMPORTED_TOKEN: &str = "
    SELECT 1 WHERE EXISTS (SELECT 1 FROM imported_refresh_tokens) OR EXISTS (SELECT 1 FROM imported_access_tokens)";
