//! What nodes tell one another.

use super::high_water::place;

/// And how far the store has come, whether it decides anything, which versions work on it, and whether commits wait for a standby: a
/// node asks for all of that each second.
pub(crate) const SELECT_CHANGES: &str = concat!(
    "SELECT clients, keys, ",
    place!(),
    ", current_setting('synchronous_standby_names') <> '' AS waits_for_standby FROM changes, high_water"
);
/// The notification is sent with the commit.
pub(crate) const COUNT_CLIENT_CHANGE: &str = "
    WITH counted AS (UPDATE changes SET clients = clients + 1 RETURNING only_row)
    SELECT pg_notify('regrant', '') FROM counted";
pub(crate) const COUNT_KEY_CHANGE: &str = "
    WITH counted AS (UPDATE changes SET keys = keys + 1 RETURNING only_row)
    SELECT pg_notify('regrant', '') FROM counted";
/// The channel is that of the two statements above.
pub(crate) const LISTEN: &str = "LISTEN regrant";
pub(crate) const ARE_YOU_THERE: &str = "SELECT 1";

/// Nobody waits for a disk or a standby because of what is told anew each second.
pub(crate) const WAIT_FOR_NOBODY: &str = "SELECT set_config('synchronous_commit', 'off', true)";
pub(crate) const UPSERT_NODE: &str = "
    INSERT INTO nodes (id, name, version, newest_kid, check_value, seen_at) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (id) DO UPDATE
    SET newest_kid = excluded.newest_kid, check_value = excluded.check_value, seen_at = excluded.seen_at";
pub(crate) const DELETE_NODES_SEEN_BEFORE_OR_AFTER: &str = "DELETE FROM nodes WHERE seen_at < $1 OR seen_at > $2";
pub(crate) const SELECT_NODES_SEEN_UNTIL: &str = "
    SELECT id, name, version, newest_kid, check_value, seen_at FROM nodes WHERE seen_at <= $1 ORDER BY name, id";
