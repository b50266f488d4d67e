//! Whether the database finds what every statement asks for, and does not look through a table for it.

use std::collections::BTreeSet;

use regrant_databases::{Database, Postgres};
use tokio_postgres::Client;

use super::{client, consent, database, grant, high_water, imported_token, journal, key, session, shared, user};
use crate::Address;
use crate::connect::Connector;
use crate::connection::Connection;
use crate::migration::{MIGRATIONS, migrate};

macro_rules! statements {
    ($($module:ident: $($name:ident)*;)*) => {
        [$($((stringify!($name), $module::$name),)*)*]
    };
}

/// The statements that read or write rows.
const STATEMENTS: &[(&str, &str)] = &statements! {
    client: SELECT_CLIENT SELECT_CLIENT_WITH_HANDLE INSERT_CLIENT UPDATE_CLIENT_SETTINGS UPDATE_CLIENT_ENABLED
        RAISE_CLIENT_CUTOFF REMOVE_CLIENT;
    consent: SELECT_CONSENT KEEP_CONSENT DELETE_CONSENT DELETE_CONSENTS_OF_USER;
    database: LOCK_CLIENT_AND_USER;
    grant: SELECT_GRANTS_OF_STEPS SELECT_PARTIES_OF_STEPS SELECT_GRANTS SELECT_WITNESSES LOCK_GRANT SELECT_GRANTS_OF_USER
        SELECT_FAMILIES SELECT_OPEN_CODES SELECT_LAST_USED_SIBLING COUNT_SIBLINGS SELECT_GRANTS_SLICE_END
        SELECT_FAMILIES_PAGE LOCK_FAMILIES_PAGE SELECT_FAMILIES_SLICE LOCK_FAMILIES_SLICE SELECT_ENDED_SLICE DELETE_GRANTS
        UPDATE_GRANTS INSERT_GRANTS INSERT_LISTED_ACCESS_TOKENS SELECT_LISTED_ACCESS_TOKENS_SLICE
        DELETE_LISTED_ACCESS_TOKENS;
    imported_token: SELECT_IMPORTED_REFRESH_TOKEN INSERT_IMPORTED_REFRESH_TOKEN SELECT_IMPORTED_REFRESH_TOKENS_SLICE
        DELETE_IMPORTED_REFRESH_TOKENS SELECT_IMPORTED_ACCESS_TOKEN INSERT_IMPORTED_ACCESS_TOKEN
        SELECT_IMPORTED_ACCESS_TOKENS_SLICE DELETE_IMPORTED_ACCESS_TOKENS;
    journal: END_GRANT LIFT_CLIENT_CUTOFF LIFT_USER_CUTOFF;
    session: SELECT_SESSION KEEP_SESSION END_SESSION END_OLDEST_SESSIONS END_SESSIONS_OF_USER SELECT_SESSIONS_SLICE
        DELETE_SESSIONS DELETE_SESSIONS_OF_USER;
    user: SELECT_NAME SELECT_USER SELECT_USER_NAMED SELECT_USERS_PAGE LOCK_USER INSERT_USER UPDATE_USER_STATUS
        UPDATE_USER_CREDENTIAL REHASH_USER_CREDENTIAL UPDATE_USER_PROFILE RAISE_USER_CUTOFF REMOVE_USER;
};

/// Those that look through a whole table on purpose: clients are few, and one is rarely removed; of imported tokens the first
/// that is met will do.
const WHOLE: &[(&str, &str)] = &statements! {
    client: SELECT_CLIENTS;
    consent: DELETE_CONSENTS_TO_CLIENT;
    imported_token: SELECT_ANY_IMPORTED_TOKEN;
};

/// Those that are about no table, or one of a few rows, whatever the number of grants; and those on the journal, which is read from
/// a number on.
const OF_FEW_ROWS: &[(&str, &str)] = &statements! {
    database: SET_UP_SESSION SELECT_SESSION_FACTS SELECT_SERVER_FACTS SELECT_COPY_FACTS BEGIN COMMIT CONFIRM ROLLBACK SELECT_TIME
        LOCK_MIGRATIONS
        SELECT_SCHEMA_EXISTS SELECT_IS_STORE SELECT_SCHEMA_HAS_TABLES CREATE_SCHEMA CREATE_MIGRATIONS SELECT_MIGRATIONS
        INSERT_MIGRATION LOCK_NAME LOCK_KEYS SELECT_LAST_SWEEP NOTE_SWEEP SET_LAST_SWEEP;
    high_water: SELECT_HIGH_WATER SELECT_PLACE RAISE_IF_FREE_AND_COMMIT RAISE_AND_COMMIT WAIT_FOR_OTHERS LOCK_HIGH_WATER
        RAISE_HIGH_WATER RESET_HIGH_WATER HALT;
    journal: SELECT_HAS_JOURNAL CREATE_JOURNAL INSERT_JOURNAL SELECT_SPAN INSERT_RECORDS SELECT_RECORDS;
    key: SELECT_REALM SELECT_EPOCHS INSERT_REALM INSERT_EPOCH INSERT_RESTORED_EPOCH SELECT_UNUSED_EPOCH
        DELETE_EPOCH END_BEGINNING SELECT_ANNOUNCED_KEYS
        SELECT_ANNOUNCED_KEY INSERT_ANNOUNCED_KEY DELETE_ANNOUNCED_KEYS_BELOW SELECT_SIGNING_KEYS INSERT_SIGNING_KEY
        SELECT_HAS_SIGNING_KEY WITHDRAW_SIGNING_KEYS WITHDRAW_SIGNING_KEYS_SEALED_BELOW WITHDRAW_SIGNING_KEY
        RESEAL_SIGNING_KEY SELECT_IS_RETIRED;
    shared: SELECT_CHANGES COUNT_CLIENT_CHANGE COUNT_KEY_CHANGE LISTEN ARE_YOU_THERE WAIT_FOR_NOBODY UPSERT_NODE
        DELETE_NODES_SEEN_BEFORE_OR_AFTER SELECT_NODES_SEEN_UNTIL;
};

/// Where statements stand. What is done once, when a store moves, or to measure, reads whole tables.
const SOURCES: [&str; 11] = [
    include_str!("client.rs"),
    include_str!("consent.rs"),
    include_str!("database.rs"),
    include_str!("grant.rs"),
    include_str!("high_water.rs"),
    include_str!("imported_token.rs"),
    include_str!("journal.rs"),
    include_str!("key.rs"),
    include_str!("session.rs"),
    include_str!("shared.rs"),
    include_str!("user.rs"),
];

/// The tables that grow with users and grants.
const LARGE: [&str; 7] = [
    "grants",
    "users",
    "sessions",
    "consents",
    "listed_access_tokens",
    "imported_refresh_tokens",
    "imported_access_tokens",
];

const FILL: &str = "
    SET search_path = regrant;
    INSERT INTO clients (id, enabled, cutoff, version) SELECT 'client-' || n, true, 0, 1 FROM generate_series(1, 20) AS n;
    INSERT INTO users (subject, username, status, profile, cutoff, version)
    SELECT 'user-' || n, 'user-' || n, 'active', '{}', 0, 1 FROM generate_series(1, 5000) AS n;
    INSERT INTO sessions SELECT gen_random_uuid(), '', n, 0, 0, n FROM generate_series(1, 5000) AS n;
    INSERT INTO consents SELECT 1 + n % 5000, 1 + n / 5000, 0, '' FROM generate_series(0, 9999) AS n;
    INSERT INTO grants (id, secret, version, rotated_at, created_at, authenticated_at, client_key, user_key, generation,
                        access_lifetime, client_cutoff, user_cutoff, kid, epoch, has_used_challenge, root, scope)
    SELECT gen_random_uuid(), gen_random_uuid(), 1, 0, 0, 0, 1 + n % 20, 1 + n % 5000, 1, 60, 0, 0, 1, 1, false,
           CASE n % 50 WHEN 0 THEN gen_random_uuid() END, 'read'
    FROM generate_series(1, 50000) AS n;
    INSERT INTO listed_access_tokens SELECT decode(md5(n::text), 'hex'), 0 FROM generate_series(1, 5000) AS n;
    INSERT INTO imported_refresh_tokens SELECT 0, decode(md5(n::text), 'hex'), gen_random_uuid()
    FROM generate_series(1, 5000) AS n;
    INSERT INTO imported_access_tokens SELECT 0, 0, uuid_send(id), id, '' FROM grants LIMIT 5000;
    ANALYZE";

async fn filled(database: &Database<'_>) -> Connection {
    let connector = Connector::new(Address::parse(&database.url(), None).unwrap()).unwrap();
    let genesis = crate::Genesis { realm: regrant_grant::Realm([1; 16]), epoch_random: [2; 16] };
    migrate(&connector, MIGRATIONS, &genesis).await.unwrap();
    database.sql(FILL);
    connector.connect().await.unwrap()
}

/// The plan of a statement as our sessions have it, whatever the values.
async fn plan(client: &Client, sql: &str) -> Vec<String> {
    let statement = client.prepare(sql).await.unwrap();
    let types: Vec<&str> = statement.params().iter().map(|kind| kind.name()).collect();
    let (declared, values) = match types.len() {
        0 => (String::new(), String::new()),
        count => (format!("({})", types.join(", ")), format!("({})", vec!["NULL"; count].join(", "))),
    };
    client.batch_execute(&format!("PREPARE explained {declared} AS {sql}")).await.unwrap();
    let rows = client.query(&format!("EXPLAIN (COSTS OFF) EXECUTE explained{values}"), &[]).await.unwrap();
    client.batch_execute("DEALLOCATE explained").await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// The steps of a plan that look through a large table, or through all of one of its indexes.
fn passes_through(plan: &[String]) -> Vec<&str> {
    let mut found = Vec::new();
    for (index, line) in plan.iter().enumerate() {
        let Some((step, rest)) = line.split_once(" on ") else { continue };
        let table = rest.split(' ').next().unwrap_or_default();
        let indent = |line: &str| line.len() - line.trim_start_matches([' ', '-', '>']).len();
        let details = plan[index + 1..].iter().take_while(|next| indent(next) > indent(line) && !next.contains("->"));
        let is_found = details.into_iter().any(|detail| detail.contains("Index Cond:"));
        if LARGE.contains(&table) && (step.contains("Seq Scan") || step.contains("Index") && !is_found) {
            found.push(line.trim());
        }
    }
    found
}

#[tokio::test]
async fn no_statement_looks_through_a_large_table() {
    let database = Postgres::shared().database();
    let connection = filled(&database).await;
    for (name, sql) in STATEMENTS {
        let plan = plan(connection.client(), sql).await;
        assert!(passes_through(&plan).is_empty(), "{name}: {}", plan.join("\n"));
    }
    let whole = plan(connection.client(), "SELECT scope FROM grants WHERE scope = 'read'").await;
    assert_eq!(passes_through(&whole), ["Seq Scan on grants"], "such a statement would be noticed");
    let ordered = plan(connection.client(), "SELECT id FROM grants WHERE generation = 7 ORDER BY id LIMIT 1").await;
    assert_eq!(passes_through(&ordered).len(), 1, "such a statement would be noticed: {ordered:?}");
}

#[test]
fn every_statement_is_looked_at_or_known_to_be_about_few_rows() {
    let listed: BTreeSet<&str> = [STATEMENTS, WHOLE, OF_FEW_ROWS].concat().into_iter().map(|(name, _)| name).collect();
    let named =
        SOURCES.iter().flat_map(|source| source.lines()).filter_map(|line| line.strip_prefix("pub(crate) const "));
    let all: BTreeSet<&str> = named.filter_map(|rest| rest.split(':').next()).collect();
    assert_eq!(listed.symmetric_difference(&all).collect::<Vec<_>>(), Vec::<&&str>::new());
}

/// What an operator runs to partition the table, as the page says it.
const SCALE: &str = include_str!("../../../../docs/operations/scale.md");

/// Values of a statement that is about this grant alone, and about a version that it does not have.
fn values(name: &str, id: &str) -> String {
    let (ids, nulls) = (format!("ARRAY['{id}'::uuid]"), |count: usize| vec!["NULL"; count].join(", "));
    match name {
        "SELECT_GRANTS_OF_STEPS" => format!("{ids}, ARRAY[NULL::bytea]"),
        "SELECT_WITNESSES" => format!("ARRAY[1], ARRAY[1], ARRAY[NULL::uuid], {ids}, ARRAY[NULL::uuid]"),
        "LOCK_GRANT" => format!("'{id}'"),
        "SELECT_GRANTS" | "DELETE_GRANTS" => ids,
        "UPDATE_GRANTS" => format!("{ids}, NULL, ARRAY[99::bigint], {}", nulls(19)),
        _ => unreachable!("{name}"),
    }
}

#[tokio::test]
async fn a_step_on_a_partitioned_table_looks_into_one_partition() {
    let database = Postgres::shared().database();
    let connection = filled(&database).await;
    let recipe = SCALE.split("```sql\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    database.sql(recipe);
    let id = database.sql("SELECT id FROM regrant.grants LIMIT 1");
    let (client, id) = (connection.client(), id.trim());
    let by_id =
        ["SELECT_GRANTS_OF_STEPS", "SELECT_WITNESSES", "LOCK_GRANT", "SELECT_GRANTS", "DELETE_GRANTS", "UPDATE_GRANTS"];
    for (name, sql) in STATEMENTS.iter().filter(|(name, _)| by_id.contains(name)) {
        let statement = client.prepare(sql).await.unwrap();
        let types: Vec<&str> = statement.params().iter().map(|kind| kind.name()).collect();
        client.batch_execute(&format!("PREPARE run ({}) AS {sql}; BEGIN", types.join(", "))).await.unwrap();
        let explain =
            format!("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) EXECUTE run({})", values(name, id));
        let rows = client.query(&explain, &[]).await.unwrap();
        client.batch_execute("ROLLBACK; DEALLOCATE run").await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let looked_into = plan.iter().filter(|line| line.contains(" on grants_") && line.contains("(actual rows="));
        let looked_into: BTreeSet<&str> = looked_into
            .filter(|line| line.contains("Scan"))
            .filter_map(|line| line.split(" on grants_").nth(1)?.split(' ').next())
            .collect();
        assert_eq!(looked_into.len(), 1, "{name}: {}", plan.join("\n"));
    }
}
