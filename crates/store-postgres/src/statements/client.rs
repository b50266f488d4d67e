//! Clients.

pub(crate) const SELECT_CLIENT: &str = "
    SELECT id, handle, secret, enabled, cutoff, version, settings
    FROM clients WHERE id = $1 AND removed_at IS NULL";
pub(crate) const SELECT_CLIENT_WITH_HANDLE: &str = "
    SELECT id, handle, secret, enabled, cutoff, version, settings
    FROM clients WHERE handle = $1 AND removed_at IS NULL";
pub(crate) const SELECT_CLIENTS: &str = "
    SELECT id, handle, secret, enabled, cutoff, version, settings
    FROM clients WHERE removed_at IS NULL ORDER BY id";
pub(crate) const INSERT_CLIENT: &str = "
    INSERT INTO clients (id, handle, secret, enabled, cutoff, version, settings) VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT DO NOTHING";
pub(crate) const UPDATE_CLIENT_SETTINGS: &str =
    "UPDATE clients SET settings = $2, version = version + 1 WHERE id = $1 AND version = $3 AND removed_at IS NULL";
pub(crate) const UPDATE_CLIENT_ENABLED: &str =
    "UPDATE clients SET enabled = $2, version = version + 1 WHERE id = $1 AND removed_at IS NULL";
pub(crate) const RAISE_CLIENT_CUTOFF: &str = "UPDATE clients SET cutoff = cutoff + 1, version = version + 1 WHERE id = $1 AND removed_at IS NULL RETURNING cutoff";
pub(crate) const REMOVE_CLIENT: &str = "
    UPDATE clients
    SET handle = NULL, secret = NULL, enabled = false, version = version + 1, settings = NULL, removed_at = $2
    WHERE id = $1 AND removed_at IS NULL";
