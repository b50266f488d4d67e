//! Which databases are opened, and which are refused in one line that says what to do.

use std::net::TcpListener;

use regrant_databases::Postgres;
use regrant_grant::Realm;
use regrant_protocol::Secret;
use regrant_store::{SharedStore, Store, StoreError};
use regrant_store_postgres::{Address, Genesis, OpenError, PostgresStore, Settings, examine};

use crate::node::{self, add_parties, address, advance, grant, insert, open, user};

/// Why the store at an address is not opened: one line, without the password.
async fn refusal(address: Address) -> OpenError {
    let error = node::open_at(address).await.err().expect("the database is to be refused");
    let told = error.to_string();
    assert!(!told.contains('\n') && !told.contains("hunter2"), "{told}");
    error
}

fn over_tcp(url: &str, password: &str) -> Address {
    Address::parse(url, Some(&Secret::new(password.to_owned()))).expect("it is a URL")
}

#[tokio::test]
async fn a_new_database_is_migrated_once_and_a_dry_run_changes_nothing() {
    let database = Postgres::shared().database();
    let address = address(&database);
    for _ in 0..2 {
        let pending = PostgresStore::pending_migrations(&address).await.unwrap();
        assert_eq!(pending.iter().map(|migration| migration.number).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(pending[0].sql.contains("CREATE TABLE grants"));
        assert_eq!(PostgresStore::exists(&address).await, Ok(false));
    }
    // Nodes that are started at once make one store.
    let (one, other) = tokio::join!(open(&database), open(&database));
    assert_eq!(one.identity(), other.identity());
    assert_eq!(PostgresStore::pending_migrations(&address).await, Ok(Vec::new()));
    assert_eq!(PostgresStore::exists(&address).await, Ok(true));
    let other_genesis = Genesis { realm: Realm([7; 16]), epoch_random: [8; 16] };
    let again = PostgresStore::open(Settings::new(address), other_genesis, node::clock()).await.unwrap();
    assert_eq!(again.identity(), one.identity());
}

#[tokio::test]
async fn a_store_of_the_first_schema_loses_nothing_on_the_way_to_the_newest() {
    let database = Postgres::shared().database();
    let node = open(&database).await;
    add_parties(&node).await;
    for number in 1..=3 {
        insert(&node, &grant(number)).await.unwrap();
    }
    assert_eq!(advance(&node, grant(1).id).await, Ok(1));
    let identity = node.identity().clone();
    drop(node);
    database.sql(
        "SET search_path = regrant;
         DROP TABLE high_water;
         ALTER TABLE epochs DROP COLUMN recovers_epoch, DROP COLUMN recovers_until, DROP COLUMN recovers_public,
             DROP COLUMN begun_at, DROP COLUMN begun_in;
         DELETE FROM migrations WHERE number > 1",
    );
    let rows = || {
        let of = |table: &str| database.sql(&format!("SELECT * FROM regrant.{table} ORDER BY 1"));
        ["clients", "users", "grants", "identity"].map(of)
    };
    let before = rows();
    let pending = PostgresStore::pending_migrations(&address(&database)).await.unwrap();
    assert_eq!(pending.iter().map(|migration| migration.number).collect::<Vec<_>>(), [2, 3]);
    let node = open(&database).await;
    assert_eq!(*node.identity(), identity);
    assert_eq!(rows(), before);
    assert_eq!(advance(&node, grant(1).id).await, Ok(2));
}

#[tokio::test]
async fn a_schema_of_the_next_version_is_worked_on_and_one_after_that_is_refused() {
    let database = Postgres::shared().database();
    drop(open(&database).await);
    database.sql("INSERT INTO regrant.migrations VALUES (4, 'next', 0, 3, 0)");
    drop(open(&database).await);
    database.sql("INSERT INTO regrant.migrations VALUES (5, 'after that', 0, 4, 0)");
    let refused = refusal(address(&database)).await;
    assert!(matches!(refused, OpenError::NewerSchema { found: 5, needed: 4, known: 3, .. }), "{refused}");
}

#[tokio::test]
async fn a_node_decides_nothing_on_a_schema_that_a_version_after_the_next_has_made() {
    let database = Postgres::shared().database();
    let node = open(&database).await;
    add_parties(&node).await;
    insert(&node, &grant(1)).await.unwrap();
    database.sql("INSERT INTO regrant.migrations VALUES (4, 'next', 0, 3, 0)");
    node.changes().await.unwrap();
    assert_eq!(advance(&node, grant(1).id).await, Ok(1));
    database.sql("INSERT INTO regrant.migrations VALUES (5, 'after that', 0, 4, 0)");
    let newer = StoreError::NewerSchema { needed: 4, known: 3 };
    for _ in 0..2 {
        assert_eq!(node.changes().await, Err(newer.clone()), "it looks again each time");
    }
    assert_eq!(advance(&node, grant(1).id).await, Err(newer.clone()));
    assert_eq!(node.add_user(user("bob")).await, Err(newer.clone().into()));
    assert_eq!(node.client(&grant(1).client).await, Err(newer));
    assert_eq!(database.sql("SELECT generation FROM regrant.grants").trim(), "1");
    database.sql("DELETE FROM regrant.migrations WHERE number = 5");
    node.changes().await.unwrap();
    assert_eq!(advance(&node, grant(1).id).await, Ok(2));
}

#[tokio::test]
async fn a_database_that_is_no_store_of_this_version_is_refused_and_left_as_it_was() {
    for (made_by, damage, expected) in [
        ("somebody else", "CREATE SCHEMA regrant CREATE TABLE theirs (a integer)", "is no store"),
        ("another text", "UPDATE regrant.migrations SET checksum = 7", "another text of that migration"),
        ("nobody", "DELETE FROM regrant.identity", "damaged"),
        ("nobody", "DELETE FROM regrant.epochs", "damaged"),
    ] {
        let database = Postgres::shared().database();
        if made_by != "somebody else" {
            drop(open(&database).await);
        }
        database.sql(damage);
        let told = refusal(address(&database)).await.to_string();
        assert!(told.contains(expected), "{damage}: {told}");
    }
}

#[tokio::test]
async fn who_is_not_let_in_is_told_so() {
    let postgres = Postgres::shared();
    let over_tcp = |rest: &str, password| over_tcp(&format!("postgres://{rest}&sslmode=disable"), password);
    let port = postgres.port();
    let wrong = refusal(over_tcp(&format!("postgres@127.0.0.1:{port}/postgres?"), "hunter2")).await;
    assert!(matches!(wrong, OpenError::Refused { .. }), "{wrong}");
    let nameless = refusal(Address::parse(&format!("{}?sslmode=disable", postgres.url()), None).unwrap()).await;
    assert!(matches!(nameless, OpenError::Refused { .. }), "{nameless}");
    let missing = refusal(over_tcp(&format!("postgres@127.0.0.1:{port}/missing?"), postgres.password())).await;
    assert!(matches!(missing, OpenError::NoDatabase { .. }), "{missing}");
    postgres.sql("CREATE ROLE stranger LOGIN PASSWORD 'hunter2'");
    let forbidden = refusal(over_tcp(&format!("stranger@127.0.0.1:{port}/postgres?"), "hunter2")).await;
    assert!(matches!(forbidden, OpenError::Forbidden { .. }), "{forbidden}");
}

#[tokio::test]
async fn what_a_dump_by_the_user_of_a_node_would_lack_is_told() {
    let postgres = Postgres::shared();
    let database = postgres.database();
    database.sql(&format!(
        "CREATE ROLE keeper LOGIN PASSWORD 'sesame'; GRANT CREATE ON DATABASE {} TO keeper",
        database.name()
    ));
    let keeper = format!("postgres://keeper@127.0.0.1:{}/{}?sslmode=disable", postgres.port(), database.name());
    let keeper = over_tcp(&keeper, "sesame");
    drop(node::open_at(keeper.clone()).await.unwrap());
    let found = examine(&keeper, &*node::clock()).await.unwrap().copying;
    assert!(found.unreadable.is_none() && found.bytes > 1_000_000, "{found:?}");
    assert!(!found.archives_log && found.archive_fails_since.is_none(), "{found:?}");
    database.sql("CREATE TABLE regrant.notes (); CREATE SEQUENCE regrant.numbers");
    let found = examine(&keeper, &*node::clock()).await.unwrap().copying;
    assert_eq!(found.unreadable.as_deref(), Some("notes, numbers"));
}

#[tokio::test]
async fn where_no_server_is_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = format!("postgres://postgres@/regrant?host={}", folder.path().display());
    let refused = refusal(Address::parse(&nowhere, None).unwrap()).await;
    assert!(matches!(refused, OpenError::Unavailable { .. }), "{refused}");
}

#[tokio::test]
async fn a_database_in_another_encoding_is_refused() {
    let postgres = Postgres::shared();
    postgres.sql("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1'");
    let url = postgres.socket_url("postgres", "latin");
    let refused = refusal(Address::parse(&url, None).unwrap()).await;
    assert!(matches!(refused, OpenError::Setting { setting: "server_encoding", .. }), "{refused}");
}

#[tokio::test]
async fn a_commit_is_always_waited_for() {
    let database = Postgres::shared().database();
    database.sql(&format!("ALTER DATABASE {} SET synchronous_commit = off", database.name()));
    drop(open(&database).await);
}

/// As a machine is that was paused: the system accepts connections, and nobody answers.
#[tokio::test]
async fn a_host_that_is_silent_does_not_keep_us_from_the_next() {
    let postgres = Postgres::shared();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (silent, port) = (listener.local_addr().unwrap().port(), postgres.port());
    let url = format!("postgres://postgres@127.0.0.1:{silent},127.0.0.1:{port}/postgres?sslmode=disable");
    let password = Secret::new(postgres.password().to_owned());
    node::open_at(Address::parse(&url, Some(&password)).unwrap()).await.expect("the second is the primary");
}

#[tokio::test]
async fn a_standby_is_refused_and_passed_over_where_the_primary_is_named_too() {
    let primary = Postgres::start();
    let standby = primary.standby();
    let alone = standby.socket_url("postgres", "postgres");
    let refused = refusal(Address::parse(&alone, None).unwrap()).await;
    assert!(matches!(refused, OpenError::ReadOnly { .. }), "{refused}");
    let both = standby.url_beside(&primary);
    node::open_at(Address::parse(&both, None).unwrap()).await.expect("one of them is the primary");

    primary.sql("CREATE DATABASE closed; ALTER DATABASE closed SET default_transaction_read_only = on");
    let closed = primary.socket_url("postgres", "closed");
    let refused = refusal(Address::parse(&closed, None).unwrap()).await;
    assert!(matches!(refused, OpenError::ReadOnly { .. }), "{refused}");
}
