//! The database as a whole: sessions, transactions, its schema, and when it was last swept.

/// What holds in every session.
///
/// A wait for a row's lock ends soon: whoever holds it for longer has stopped, and the server ends its transaction, and the others of a
/// batch wait with the one. A commit that
/// is acknowledged is on the disk, and on the standbys that the server waits for. Every statement finds its rows by key, so that
/// none needs to be planned anew for other values, or by what the server believes about a table that was empty a moment ago; and
/// rows are locked in the order in which a statement names them.
pub(crate) const SET_UP_SESSION: &str = "
    SET search_path = regrant;
    SET lock_timeout = 200;
    SET statement_timeout = 4000;
    SET idle_in_transaction_session_timeout = 3000;
    SET default_transaction_isolation = 'read committed';
    SET plan_cache_mode = force_generic_plan;
    SET enable_seqscan = off;
    SET enable_hashjoin = off;
    SET enable_mergejoin = off;
    SET jit = off;
    SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') <> 'remote_apply'";
/// The last but one is the timeline, with which the name of each file of the log begins.
pub(crate) const SELECT_SESSION_FACTS: &str = "
    SELECT current_setting('server_version_num')::integer, pg_is_in_recovery(),
           current_setting('transaction_read_only')::boolean, current_setting('synchronous_commit'),
           current_setting('server_encoding'), current_setting('fsync'),
           CASE WHEN pg_is_in_recovery() THEN 0
                ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint END,
           (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint";

/// What operators are told of the server.
pub(crate) const SELECT_SERVER_FACTS: &str = "
    SELECT current_setting('server_version'), current_setting('synchronous_commit'),
           current_setting('synchronous_standby_names') <> '',
           current_setting('fsync')::boolean AND current_setting('full_page_writes')::boolean";

/// What decides about a copy by `pg_dump` or `pg_basebackup`: which relations this user may not read, whether the log is archived, and
/// since when that fails.
pub(crate) const SELECT_COPY_FACTS: &str = "
    SELECT (SELECT string_agg(relname, ', ' ORDER BY relname) FROM pg_class
            WHERE relnamespace = to_regnamespace('regrant') AND CASE relkind
                WHEN 'S' THEN NOT has_sequence_privilege(oid, 'SELECT')
                WHEN 'r' THEN NOT has_table_privilege(oid, 'SELECT')
                WHEN 'p' THEN NOT has_table_privilege(oid, 'SELECT')
                ELSE false END),
           pg_database_size(current_database()),
           current_setting('archive_mode') <> 'off',
           (SELECT (extract(epoch FROM last_failed_time) * 1000)::bigint FROM pg_stat_archiver
            WHERE last_failed_time > coalesce(last_archived_time, '-infinity'))";

pub(crate) const BEGIN: &str = "BEGIN";
/// The wait for a standby is not to be cancelled, as a statement that takes too long is.
pub(crate) const COMMIT: &str = "SET LOCAL statement_timeout = 0; COMMIT";
/// A commit of nothing but an entry in the log, which is on the disk, and on the standbys that the server waits for, after all that is seen
/// there. It may be given up while it waits.
pub(crate) const CONFIRM: &str = "BEGIN; SELECT pg_logical_emit_message(true, 'regrant', ''); COMMIT";
pub(crate) const ROLLBACK: &str = "ROLLBACK";
pub(crate) const SELECT_TIME: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// One node migrates at a time. The number is the letters "regrant".
pub(crate) const LOCK_MIGRATIONS: &str = "
    SET LOCAL lock_timeout = 0;
    SET LOCAL statement_timeout = 0;
    SELECT pg_advisory_xact_lock(32199642320039540)";
pub(crate) const SELECT_SCHEMA_EXISTS: &str = "SELECT to_regnamespace('regrant') IS NOT NULL";
pub(crate) const SELECT_IS_STORE: &str = "SELECT to_regclass('regrant.migrations') IS NOT NULL";
pub(crate) const SELECT_SCHEMA_HAS_TABLES: &str =
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_class WHERE relnamespace = to_regnamespace('regrant'))";
pub(crate) const CREATE_SCHEMA: &str = "CREATE SCHEMA regrant";
/// Which of the migrations this database has been through, and which schema has to be known to work on it since then.
pub(crate) const CREATE_MIGRATIONS: &str = "
    CREATE TABLE migrations (
        number     integer PRIMARY KEY,
        name       text NOT NULL,
        checksum   bigint NOT NULL,
        works_from integer NOT NULL,
        applied_at bigint NOT NULL
    )";
pub(crate) const SELECT_MIGRATIONS: &str = "SELECT number, checksum, works_from FROM migrations ORDER BY number";
pub(crate) const INSERT_MIGRATION: &str = "
    INSERT INTO migrations (number, name, checksum, works_from, applied_at)
    VALUES ($1, $2, $3, $4, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)";

/// What is done one after another on all nodes: a name is given, the grants of a user and a client are counted. The keys of
/// clients begin with 1.
pub(crate) const LOCK_NAME: &str = "SELECT pg_advisory_xact_lock(-1, hashtext($1))";
pub(crate) const LOCK_CLIENT_AND_USER: &str = "
    SELECT pg_advisory_xact_lock(clients.key, users.key) FROM clients, users WHERE clients.id = $1 AND users.subject = $2";
pub(crate) const LOCK_KEYS: &str = "SELECT pg_advisory_xact_lock(-2, 0)";

pub(crate) const SELECT_LAST_SWEEP: &str = "SELECT swept_at FROM last_sweep";
/// Written once a minute and not with every slice.
pub(crate) const NOTE_SWEEP: &str = "
    INSERT INTO last_sweep (swept_at) VALUES ($1)
    ON CONFLICT (only_row) DO UPDATE SET swept_at = excluded.swept_at
    WHERE last_sweep.swept_at <= excluded.swept_at - 60000";
pub(crate) const SET_LAST_SWEEP: &str = "
    INSERT INTO last_sweep (swept_at) VALUES ($1)
    ON CONFLICT (only_row) DO UPDATE SET swept_at = excluded.swept_at";
