//! How much space a grant takes.

use std::sync::Arc;

use regrant_grant::Realm;
use regrant_protocol::SystemClock;
use regrant_store_sqlite::{Genesis, SqliteStore};
use rusqlite::Connection;

/// 20 confidential clients and 50,000 users.
const PARTIES: &str = "
    CREATE TEMP VIEW numbers AS
        WITH RECURSIVE counted (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM counted WHERE number < 100000)
        SELECT number FROM counted;
    INSERT INTO clients (id, enabled, cutoff, version)
        SELECT 'client ' || number, 1, 0, 1 FROM numbers WHERE number <= 20;
    INSERT INTO users (subject, status, cutoff, version)
        SELECT 'user ' || number, 'active', 0, 1 FROM numbers WHERE number <= 50000;";

/// 100,000 grants of theirs, with a scope of two words and no resources, refreshed up to fifty times: their codes are
/// forgotten.
const GRANTS: &str = "
    INSERT INTO grants (
        id, secret, version, client, user, scope, generation, kid, epoch, rotated_at, access_lifetime,
        has_used_challenge, created_at, authenticated_at, idle_expires_at, absolute_expires_at, client_cutoff,
        user_cutoff, approved_from, session
    )
    SELECT randomblob(16), randomblob(16), 1 + number % 50, 1 + abs(random()) % 20, 1 + abs(random()) % 50000,
           'read write', number % 50, 1, 1, 1790000000000 + number, 900, 0, 1790000000000 + number,
           1789999995000 + number, 1791209600000 + number, 1797776000000 + number, 0, 0, ";

const APPROVED_FROM: &str = "'203.0.113.199 Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like G'";

#[test]
fn a_live_grant_takes_so_many_bytes_with_its_index() {
    for (born, approved_from, session, bytes_max) in [
        ("without a browser", "NULL", "NULL", 160.0),
        ("in a browser", APPROVED_FROM, "NULL", 260.0),
        ("in a browser, and ending with its login session", APPROVED_FROM, "randomblob(16)", 285.0),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("regrant.db");
        let genesis = Genesis { realm: Realm([1; 16]), epoch_random: [2; 16] };
        drop(SqliteStore::open(&path, genesis, Arc::new(SystemClock)).unwrap());
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(PARTIES).unwrap();
        connection.execute_batch(&format!("{GRANTS} {approved_from}, {session} FROM numbers")).unwrap();
        let bytes = |name: &str| -> f64 {
            let sql = "SELECT sum(pgsize) FROM dbstat WHERE name = ?1";
            connection.query_row(sql, [name], |row| row.get::<_, i64>(0)).unwrap() as f64 / 1e5
        };
        let (table, index) = (bytes("grants"), bytes("families_not_revoked"));
        assert!(table + index <= bytes_max, "{born}: {table} in the table, {index} in the index");
    }
}
