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

pub(crate) const SELECT_REALM: &str = "SELECT realm FROM identity";
pub(crate) const SELECT_EPOCHS: &str = "SELECT number, random FROM epochs ORDER BY number";
pub(crate) const INSERT_REALM: &str = "INSERT INTO identity (only_row, realm) VALUES (1, ?1)";
pub(crate) const INSERT_EPOCH: &str = "INSERT INTO epochs (number, random) VALUES (?1, ?2)";

/// A grant with the facts about its client and its user, removed or not: all that a refresh reads.
pub(crate) const SELECT_GRANT: &str = "
    SELECT grants.id AS id, grants.secret AS secret, grants.version AS version, grants.root AS root,
           clients.id AS client, users.subject AS user, grants.scope AS scope, grants.resources AS resources,
           grants.binding AS binding, grants.generation AS generation, grants.kid AS kid, grants.epoch AS epoch,
           grants.rotated_at AS rotated_at, grants.access_lifetime AS access_lifetime,
           grants.retry_challenge AS retry_challenge, grants.has_used_challenge AS has_used_challenge,
           grants.created_at AS created_at, grants.authenticated_at AS authenticated_at,
           grants.idle_expires_at AS idle_expires_at, grants.absolute_expires_at AS absolute_expires_at,
           grants.revoked_at AS revoked_at, grants.client_cutoff AS client_cutoff, grants.user_cutoff AS user_cutoff,
           clients.enabled AS enabled, clients.cutoff AS cutoff, clients.version AS version,
           clients.removed_at AS removed_at,
           users.status AS status, users.cutoff AS cutoff, users.version AS version, users.removed_at AS removed_at
    FROM grants
    JOIN clients ON clients.key = grants.client
    JOIN users ON users.key = grants.user
    WHERE grants.id = ?1";

/// All that a refresh writes. A row of another version, client, user or root does not match.
pub(crate) const UPDATE_GRANT: &str = "
    UPDATE grants
    SET secret = :secret, version = :version, scope = :scope, resources = :resources, binding = :binding,
        generation = :generation, kid = :kid, epoch = :epoch, rotated_at = :rotated_at,
        access_lifetime = :access_lifetime, retry_challenge = :retry_challenge,
        has_used_challenge = :has_used_challenge, created_at = :created_at, authenticated_at = :authenticated_at,
        idle_expires_at = :idle_expires_at, absolute_expires_at = :absolute_expires_at, revoked_at = :revoked_at,
        client_cutoff = :client_cutoff, user_cutoff = :user_cutoff
    WHERE id = :id AND version = :version - 1 AND root IS :root
      AND client = (SELECT key FROM clients WHERE id = :client)
      AND user = (SELECT key FROM users WHERE subject = :user)";

pub(crate) const INSERT_GRANT: &str = "
    INSERT INTO grants (
        id, secret, version, root, client, user, scope, resources, binding, generation, kid, epoch, rotated_at,
        access_lifetime, retry_challenge, has_used_challenge, created_at, authenticated_at, idle_expires_at,
        absolute_expires_at, revoked_at, client_cutoff, user_cutoff
    )
    SELECT :id, :secret, :version, :root, clients.key, users.key, :scope, :resources, :binding, :generation, :kid,
           :epoch, :rotated_at, :access_lifetime, :retry_challenge, :has_used_challenge, :created_at,
           :authenticated_at, :idle_expires_at, :absolute_expires_at, :revoked_at, :client_cutoff, :user_cutoff
    FROM clients, users
    WHERE clients.id = :client AND users.subject = :user
    ON CONFLICT (id) DO NOTHING";

pub(crate) const SELECT_LISTED_ACCESS_TOKEN: &str = "SELECT 1 FROM listed_access_tokens WHERE id = ?1";
pub(crate) const INSERT_LISTED_ACCESS_TOKEN: &str =
    "INSERT INTO listed_access_tokens (id, ends_at) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING";

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
    SELECT subject, username, credential, status, cutoff, version FROM users WHERE subject = ?1 AND removed_at IS NULL";
pub(crate) const SELECT_USER_NAMED: &str = "
    SELECT subject, username, credential, status, cutoff, version FROM users WHERE username = ?1 AND removed_at IS NULL";
pub(crate) const INSERT_USER: &str = "
    INSERT INTO users (subject, username, credential, status, cutoff, version) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
pub(crate) const UPDATE_USER_STATUS: &str =
    "UPDATE users SET status = ?2, version = version + 1 WHERE subject = ?1 AND removed_at IS NULL";
pub(crate) const UPDATE_USER_CREDENTIAL: &str =
    "UPDATE users SET credential = ?2, version = version + 1 WHERE subject = ?1 AND removed_at IS NULL";
pub(crate) const RAISE_USER_CUTOFF: &str =
    "UPDATE users SET cutoff = cutoff + 1, version = version + 1 WHERE subject = ?1 AND removed_at IS NULL";
pub(crate) const REMOVE_USER: &str = "
    UPDATE users
    SET username = NULL, credential = NULL, status = 'disabled', version = version + 1, removed_at = ?2
    WHERE subject = ?1 AND removed_at IS NULL";

pub(crate) const SELECT_ANNOUNCED_KEYS: &str = "SELECT kid, check_value FROM announced_keys ORDER BY kid";
pub(crate) const SELECT_ANNOUNCED_KEY: &str = "SELECT kid, check_value FROM announced_keys WHERE kid = ?1";
pub(crate) const INSERT_ANNOUNCED_KEY: &str = "INSERT INTO announced_keys (kid, check_value) VALUES (?1, ?2)";

pub(crate) const SELECT_SIGNING_KEYS: &str = "
    SELECT key_id, algorithm, sealed_under, sealed, created_at FROM signing_keys ORDER BY created_at, position";
pub(crate) const INSERT_SIGNING_KEY: &str = "
    INSERT INTO signing_keys (key_id, algorithm, sealed_under, sealed, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (key_id) DO NOTHING";
