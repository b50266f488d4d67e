//! Whole tables, read to be moved to another kind of store: in the order of their keys, with the columns that all kinds have.

use regrant_store::MovedTable;

/// One state of the file, however long it is read.
pub(crate) const BEGIN_READING: &str = "BEGIN DEFERRED";

/// Every row of a table.
pub(crate) const fn select_all(table: MovedTable) -> &'static str {
    match table {
        MovedTable::Identity => "SELECT realm FROM identity ORDER BY realm",
        MovedTable::Epochs => {
            "SELECT number, random, recovers_epoch, recovers_until, recovers_public FROM epochs ORDER BY number"
        }
        MovedTable::AnnouncedKeys => "SELECT kid, check_value FROM announced_keys ORDER BY kid",
        MovedTable::SigningKeys => {
            "SELECT position, key_id, algorithm, sealed_under, sealed, created_at, signs_from, withdrawn_at
             FROM signing_keys ORDER BY position"
        }
        MovedTable::LastSweep => "SELECT swept_at FROM last_sweep ORDER BY swept_at",
        MovedTable::HighWater => "SELECT counter, journalled, halted_at FROM high_water ORDER BY counter",
        MovedTable::Clients => {
            "SELECT key, id, handle, secret, enabled, cutoff, version, settings, removed_at FROM clients ORDER BY key"
        }
        MovedTable::Users => {
            "SELECT key, subject, username, credential, status, profile, cutoff, version, removed_at
             FROM users ORDER BY key"
        }
        MovedTable::Sessions => {
            "SELECT id, secret_digest, user AS user_key, created_at, authenticated_at, expires_at
             FROM sessions ORDER BY id"
        }
        MovedTable::Consents => {
            "SELECT user AS user_key, client AS client_key, given_at, scope, resources
             FROM consents ORDER BY user, client"
        }
        MovedTable::Grants => {
            "SELECT id, secret, version, root, client AS client_key, user AS user_key, scope, resources, binding, session,
                    approved_from, code, generation, kid, epoch, rotated_at, access_lifetime, retry_challenge,
                    has_used_challenge, created_at, authenticated_at, idle_expires_at, absolute_expires_at, revoked_at,
                    client_cutoff, user_cutoff
             FROM grants ORDER BY id"
        }
        MovedTable::ListedAccessTokens => "SELECT id, ends_at FROM listed_access_tokens ORDER BY id",
        MovedTable::ImportedRefreshTokens => {
            "SELECT digest, grant AS grant_id, ends_at FROM imported_refresh_tokens ORDER BY digest"
        }
        MovedTable::ImportedAccessTokens => {
            "SELECT digest, grant AS grant_id, scope, issued_at, ends_at FROM imported_access_tokens ORDER BY digest"
        }
    }
}

/// How many rows a table has.
pub(crate) const fn count_all(table: MovedTable) -> &'static str {
    match table {
        MovedTable::Identity => "SELECT count(*) FROM identity",
        MovedTable::Epochs => "SELECT count(*) FROM epochs",
        MovedTable::AnnouncedKeys => "SELECT count(*) FROM announced_keys",
        MovedTable::SigningKeys => "SELECT count(*) FROM signing_keys",
        MovedTable::LastSweep => "SELECT count(*) FROM last_sweep",
        MovedTable::HighWater => "SELECT count(*) FROM high_water",
        MovedTable::Clients => "SELECT count(*) FROM clients",
        MovedTable::Users => "SELECT count(*) FROM users",
        MovedTable::Sessions => "SELECT count(*) FROM sessions",
        MovedTable::Consents => "SELECT count(*) FROM consents",
        MovedTable::Grants => "SELECT count(*) FROM grants",
        MovedTable::ListedAccessTokens => "SELECT count(*) FROM listed_access_tokens",
        MovedTable::ImportedRefreshTokens => "SELECT count(*) FROM imported_refresh_tokens",
        MovedTable::ImportedAccessTokens => "SELECT count(*) FROM imported_access_tokens",
    }
}
