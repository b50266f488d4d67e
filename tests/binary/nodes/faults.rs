use regrant_databases::Postgres;

use super::cluster::{Cluster, QUESTIONS_MAX, log_in, refresh};
use crate::curl::bash;
use crate::program::Program;

/// Fails unless a node tells a client that refreshes to come again with the same token.
#[track_caller]
fn assert_told_to_come_again(node: &Program, token: &str) {
    let form = format!("grant_type=refresh_token&refresh_token={token}");
    let told = bash(&format!("curl -si --max-time 60 -u app:sesame {}/token -d '{form}'", node.url)).to_lowercase();
    assert!(told.starts_with("http/1.1 503") && told.contains("\nretry-after: "), "{told}");
    assert!(told.contains("temporarily_unavailable"), "{told}");
}

/// Fails unless a token that a node could not refresh is good there, is retried, and is followed by one that is good.
#[track_caller]
fn assert_nothing_is_lost(node: &Program, token: &str) {
    let next = refresh(node, token).refresh_token();
    assert_eq!(refresh(node, token).refresh_token(), next);
    refresh(node, &next).refresh_token();
}

/// What ends the sessions that `condition` is true of, and returns when they have ended.
fn end_sessions(condition: &str) -> String {
    format!("SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE {condition}")
}

#[test]
fn while_the_database_is_away_a_client_is_told_to_come_again_and_loses_nothing() {
    let mut postgres = Postgres::start();
    let cluster = Cluster::on_server(&postgres);
    let [one, two, three] = cluster.start_three();
    let first = log_in(&one).refresh_token();
    let second = refresh(&two, &first).refresh_token();
    postgres.crash();
    for node in [&one, &two, &three] {
        assert_told_to_come_again(node, &second);
    }
    postgres.restart();
    let third = refresh(&three, &second).refresh_token();
    assert_eq!(refresh(&two, &second).refresh_token(), third);
    refresh(&one, &third).refresh_token();
}

/// A node goes on when the password is again the one that it was started with.
#[test]
fn while_the_password_of_the_database_is_another_nothing_is_lost() {
    let postgres = Postgres::start();
    postgres.sql("CREATE ROLE oauth LOGIN PASSWORD 'hunter2'; CREATE DATABASE oauth OWNER oauth");
    let cluster = Cluster::over_tcp(&format!("postgres://oauth@127.0.0.1:{}/oauth", postgres.port()), "hunter2");
    let node = cluster.start_first();
    let token = log_in(&node).refresh_token();
    postgres.sql(&format!("ALTER ROLE oauth PASSWORD 'another'; {}", end_sessions("usename = 'oauth'")));
    assert_told_to_come_again(&node, &token);
    // By now it is not because sessions have ended.
    node.wait_for_log("check user and password");
    assert_told_to_come_again(&node, &token);
    postgres.sql("ALTER ROLE oauth PASSWORD 'hunter2'");
    assert_nothing_is_lost(&node, &token);
}

#[test]
fn while_the_database_can_only_be_read_nothing_is_lost() {
    let postgres = Postgres::shared();
    let database = postgres.database();
    let name = database.name();
    let cluster = Cluster::on(&database);
    let node = cluster.start_first();
    let token = log_in(&node).refresh_token();
    let closed = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
    postgres.sql(&format!("{closed}; {}", end_sessions(&format!("datname = '{name}'"))));
    assert_told_to_come_again(&node, &token);
    // By now it is not because sessions have ended.
    node.wait_for_log("can only be read");
    assert_told_to_come_again(&node, &token);
    postgres.sql(&format!("ALTER DATABASE {name} RESET default_transaction_read_only"));
    assert_nothing_is_lost(&node, &token);
}

/// As by an update that left out a version, while a node of the old one ran on.
#[test]
fn while_the_schema_is_of_a_later_program_nothing_is_lost() {
    let database = Postgres::shared().database();
    let cluster = Cluster::on(&database);
    let node = cluster.start_first();
    let [asked, token] = [(); 2].map(|()| log_in(&node).refresh_token());
    database.sql(
        "INSERT INTO regrant.migrations SELECT max(number) + 2, 'later', 0, max(number) + 1, 0 FROM regrant.migrations",
    );
    // Until it has noticed, it gives the same successor again and again.
    let has_noticed = (0..QUESTIONS_MAX).any(|_| refresh(&node, &asked).status == 503);
    assert!(has_noticed, "it goes on");
    assert_told_to_come_again(&node, &token);
    node.terminate();
    database.sql("DELETE FROM regrant.migrations WHERE name = 'later'");
    let node = cluster.start(1);
    for token in [asked, token] {
        assert_nothing_is_lost(&node, &token);
    }
}
