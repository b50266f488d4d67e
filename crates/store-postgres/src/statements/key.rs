//! The identity of the store, its epochs and its keys.

pub(crate) const SELECT_REALM: &str = "SELECT realm FROM identity";
pub(crate) const SELECT_EPOCHS: &str = "
    SELECT number, random, recovers_epoch, recovers_until, recovers_public FROM epochs ORDER BY number";
pub(crate) const INSERT_REALM: &str = "INSERT INTO identity (realm) VALUES ($1)";
pub(crate) const INSERT_EPOCH: &str = "INSERT INTO epochs (number, random) VALUES ($1, $2)";

/// The place is told by what differs in every copy: the time at which the server was started, as files are put back while it is
/// stopped; the database; and the transaction that wrote the row, as one that was written again has another.
pub(crate) const INSERT_RESTORED_EPOCH: &str = "
    INSERT INTO epochs (number, random, recovers_epoch, recovers_until, recovers_public, begun_at, begun_in)
    VALUES ($1, $2, $3, $4, $5, $6, concat_ws(' ',
        (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint,
        (SELECT oid FROM pg_database WHERE datname = current_database()),
        pg_current_xact_id()::xid))";
/// The newest epoch, when a restore began it here that has not ended well, and nothing was counted since.
pub(crate) const SELECT_UNUSED_EPOCH: &str = "
    SELECT number FROM epochs, high_water
    WHERE begun_at = counter AND number = (SELECT max(number) FROM epochs) AND number > (SELECT min(number) FROM epochs)
      AND begun_in = concat_ws(' ',
          (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint,
          (SELECT oid FROM pg_database WHERE datname = current_database()),
          epochs.xmin)";
/// From now on nodes may use it, and so may those of a copy.
pub(crate) const END_BEGINNING: &str = "UPDATE epochs SET begun_at = NULL, begun_in = NULL WHERE begun_at IS NOT NULL";
pub(crate) const DELETE_EPOCH: &str = "DELETE FROM epochs WHERE number = $1";

pub(crate) const SELECT_ANNOUNCED_KEYS: &str = "SELECT kid, check_value FROM announced_keys ORDER BY kid";
pub(crate) const SELECT_ANNOUNCED_KEY: &str = "SELECT kid, check_value FROM announced_keys WHERE kid = $1";
/// One below the oldest is not inserted: it was retired.
pub(crate) const INSERT_ANNOUNCED_KEY: &str = "
    INSERT INTO announced_keys (kid, check_value)
    SELECT $1::smallint, $2 WHERE $1 > coalesce((SELECT min(kid) FROM announced_keys), -1)";
/// The newest stays in any case: a store without any would take whatever key is announced first.
pub(crate) const DELETE_ANNOUNCED_KEYS_BELOW: &str =
    "DELETE FROM announced_keys WHERE kid < $1 AND kid < (SELECT max(kid) FROM announced_keys)";

pub(crate) const SELECT_SIGNING_KEYS: &str = "
    SELECT key_id, algorithm, sealed_under, sealed, created_at, signs_from, withdrawn_at
    FROM signing_keys ORDER BY created_at, position";
pub(crate) const INSERT_SIGNING_KEY: &str = "
    INSERT INTO signing_keys (key_id, algorithm, sealed_under, sealed, created_at, signs_from, withdrawn_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (key_id) DO NOTHING";
/// Whoever wants to make the first one waits for `LOCK_KEYS`.
pub(crate) const SELECT_HAS_SIGNING_KEY: &str =
    "SELECT EXISTS (SELECT FROM signing_keys WHERE algorithm = $1 AND withdrawn_at IS NULL)";
pub(crate) const WITHDRAW_SIGNING_KEYS: &str =
    "UPDATE signing_keys SET withdrawn_at = $1, sealed = '' WHERE withdrawn_at IS NULL";
pub(crate) const WITHDRAW_SIGNING_KEYS_SEALED_BELOW: &str =
    "UPDATE signing_keys SET withdrawn_at = $2, sealed = '' WHERE sealed_under < $1 AND withdrawn_at IS NULL";
pub(crate) const WITHDRAW_SIGNING_KEY: &str =
    "UPDATE signing_keys SET withdrawn_at = coalesce(withdrawn_at, $2), sealed = '' WHERE key_id = $1";
/// Not under a master key that was retired: no other can be while `LOCK_KEYS` is held.
pub(crate) const RESEAL_SIGNING_KEY: &str = "
    UPDATE signing_keys SET sealed_under = $2::smallint, sealed = $3
    WHERE key_id = $1 AND withdrawn_at IS NULL AND $2::smallint >= coalesce((SELECT min(kid) FROM announced_keys), 0)";
pub(crate) const SELECT_IS_RETIRED: &str =
    "SELECT $1::smallint < coalesce(min(kid), 0) AS is_retired FROM announced_keys";
