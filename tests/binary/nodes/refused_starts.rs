use std::fs;
use std::process::{Command, Stdio};

use regrant_databases::Postgres;

use super::cluster::{Cluster, copy_keys};
use crate::program::{Program, binary, serving};

/// Fails unless a node is not started, with one line that has all of `expected` in it and no password.
#[track_caller]
fn assert_refused(cluster: &Cluster, node: u8, expected: &[&str]) {
    let ended = cluster.refusal(node);
    let told: Vec<&str> = ended.stderr.lines().filter(|line| line.starts_with("regrant: ")).collect();
    assert_eq!((ended.status.code(), told.len()), (Some(1), 1), "{}", ended.stderr);
    assert_eq!(ended.stdout, "", "nothing was served");
    for part in expected {
        assert!(told[0].contains(part), "{part:?} is not in {told:?}");
    }
    assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
}

#[test]
fn a_database_that_cannot_be_used_is_refused_with_one_line_that_says_why() {
    let postgres = Postgres::shared();
    let nobody = Cluster::over_tcp("postgres://regrant@127.0.0.1:1/oauth", "hunter2");
    assert_refused(
        &nobody,
        1,
        &["postgres://regrant@127.0.0.1:1/oauth is not available", "look whether the server runs"],
    );
    assert_refused(&Cluster::over_tcp(&postgres.url(), "hunter2"), 1, &["refuses us", "check user and password"]);
    let missing = format!("postgres://postgres@127.0.0.1:{}/missing", postgres.port());
    assert_refused(&Cluster::over_tcp(&missing, postgres.password()), 1, &["/missing", "create it"]);
}

#[test]
fn a_replica_or_what_was_told_to_be_read_only_is_refused() {
    let primary = Postgres::start();
    Cluster::on_server(&primary).start(1).terminate();
    let standby = primary.standby();
    assert_refused(&Cluster::on_server(&standby), 1, &["can only be read", "name the primary"]);
    primary.sql("CREATE DATABASE closed; ALTER DATABASE closed SET default_transaction_read_only = on");
    let closed = primary.socket_url("postgres", "closed");
    assert_refused(&Cluster::at(&format!("url = \"{closed}\"\n")), 1, &["can only be read"]);
}

#[test]
fn a_schema_of_a_later_program_is_refused() {
    let database = Postgres::shared().database();
    let cluster = Cluster::on(&database);
    cluster.start(1).terminate();
    database.sql(
        "INSERT INTO regrant.migrations SELECT max(number) + 2, 'later', 0, max(number) + 1, 0 FROM regrant.migrations",
    );
    assert_refused(&cluster, 1, &["has schema", "install a newer version"]);
}

#[test]
fn a_node_without_the_keys_of_its_store_is_refused_and_makes_none() {
    let (database, other) = (Postgres::shared().database(), Postgres::shared().database());
    let (ours, theirs) = (Cluster::on(&database), Cluster::on(&other));
    ours.start(1).terminate();
    theirs.start(1).terminate();

    assert_refused(&ours, 2, &["master.key is missing", "copy the key file of another node there"]);
    assert!(!ours.data(2).join("master.key").exists());

    copy_keys(&theirs.data(1), &ours.data(2));
    assert_refused(&ours, 2, &["postgres: postgres@", "master key 1", "use the key file of this store"]);
    fs::remove_file(ours.data(2).join("master.key")).unwrap();
    ours.copy_keys(1, 2);
    ours.start(2).terminate();
}

/// Whatever would be made beside its keys, or with them, would be another store.
#[test]
fn a_node_whose_url_is_lost_or_that_of_an_empty_database_makes_no_store() {
    let (database, empty) = (Postgres::shared().database(), Postgres::shared().database());
    let ours = Cluster::on(&database);
    ours.start(1).terminate();
    let config = ours.config(1);
    let written = fs::read_to_string(&config).unwrap();
    let without_url: String =
        written.lines().filter(|line| !line.starts_with("url")).map(|line| format!("{line}\n")).collect();
    let with_another = written.replace(&database.url(), &empty.url());
    for (text, expected) in [
        (without_url, ["on PostgreSQL", "set store.url in the configuration or REGRANT_STORE_URL"]),
        (with_another, ["there is no store in", "name the database of this server in store.url"]),
    ] {
        fs::write(&config, text).unwrap();
        let ended = Program::spawn(&mut serving(&config)).wait();
        assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
        for part in expected {
            assert!(ended.stderr.contains(part), "{part:?} is not in {}", ended.stderr);
        }
    }
    assert!(!ours.data(1).join("regrant.db").exists());
    // An emergency would have written the key file anew.
    let keys = || fs::read(ours.data(1).join("master.key")).unwrap();
    let before = keys();
    let data = ours.data(1);
    let mut command = Command::new(binary());
    command.args(["key", "rotate", "master", "--emergency", "--yes", "--data"]).arg(&data).stdin(Stdio::null());
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains("name the configuration"), "{told}");
    assert_eq!(keys(), before);
    ours.start(1).terminate();
}
