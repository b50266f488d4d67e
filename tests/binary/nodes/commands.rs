use std::process::Command;

use regrant_databases::Postgres;

use super::cluster::{Cluster, log_in, refresh};
use crate::program::binary;

#[test]
fn a_command_at_one_node_or_beside_all_counts_at_every_node_with_the_next_request() {
    let database = Postgres::shared().database();
    let cluster = Cluster::on(&database);
    let [one, two, three] = cluster.start_three();
    // A machine of the operator's, with the keys and without a server.
    cluster.copy_keys(1, 4);
    for node in [1, 4] {
        let token = log_in(&two).refresh_token();
        let (is_done, told) = cluster.types(node, &["client", "disable", "app"]);
        assert!(is_done, "{told}");
        for node in [&one, &two, &three] {
            assert_ne!(refresh(node, &token).status, 200);
        }
        let (is_done, told) = cluster.types(node, &["client", "enable", "app"]);
        assert!(is_done, "{told}");
        let token = refresh(&three, &token).refresh_token();

        let (is_done, told) = cluster.types(node, &["grant", "revoke", "--user", "alice", "--yes"]);
        assert!(is_done, "{told}");
        for node in [&one, &two, &three] {
            refresh(node, &token).assert_invalid_grant();
        }
    }
}

#[test]
fn the_doctor_looks_at_the_database_and_a_backup_is_for_its_own_programs() {
    let database = Postgres::shared().database();
    let cluster = Cluster::on(&database);
    let node = cluster.start(1);
    cluster.copy_keys(1, 2);
    for (node, serves) in [(1, "serves https://id.example"), (2, "none runs here, and the store was not opened")] {
        let (is_well, told) = cluster.types(node, &["doctor"]);
        assert!(is_well, "{told}");
        for part in [
            "is a primary, with schema",
            "synchronous_commit = on",
            "it agrees with the clock",
            "may read all of it",
            "does not archive its log",
            serves,
        ] {
            assert!(told.contains(part), "{part}: {told}");
        }
        let (is_copied, told) = cluster.types(node, &["backup", "copy.db"]);
        assert!(!is_copied && told.contains("pg_dump") && told.contains("pg_basebackup"), "{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
    let data = cluster.data(1);
    let told = Command::new(binary()).args(["user", "list", "--data"]).arg(&data).output().unwrap();
    assert!(told.status.success(), "the server knows where its store is");
    node.terminate();
    let told = Command::new(binary()).args(["user", "list", "--data"]).arg(&data).output().unwrap();
    let told = String::from_utf8(told.stderr).unwrap();
    assert!(told.contains("its database is elsewhere") && told.contains("--config FILE"), "{told}");
    assert!(!data.join("regrant.db").exists());
    let demo = Command::new(binary()).args(["dev", "--no-tour", "--data"]).arg(&data).output().unwrap();
    assert!(!demo.status.success(), "a directory of a node is not one of the demo");
}

#[test]
fn the_doctor_and_the_log_tell_of_a_journal_that_is_lost_with_the_database() {
    let (database, journal) = (Postgres::shared().database(), Postgres::shared().database());
    let cluster = Cluster::at(&format!("url = {:?}\njournal = {:?}\n", database.url(), journal.url()));
    let node = cluster.start(1);
    let (is_well, told) = cluster.types(1, &["doctor"]);
    assert!(is_well && told.contains("is at the server of the store, and lost with it"), "{told}");
    let log = node.terminate().stderr;
    assert!(log.contains("the revocation journal is at the server of the store"), "{log}");
    let without = Cluster::on(&database);
    super::cluster::copy_keys(&cluster.data(1), &without.data(1));
    let (is_well, told) = without.types(1, &["doctor"]);
    assert!(!is_well && told.contains("the store has one, and the configuration names none"), "{told}");
}

#[test]
fn the_doctor_fails_for_keys_of_another_store_and_for_a_database_that_is_away() {
    let (database, other) = (Postgres::shared().database(), Postgres::shared().database());
    let (ours, theirs) = (Cluster::on(&database), Cluster::on(&other));
    ours.start(1).terminate();
    theirs.start(1).terminate();
    super::cluster::copy_keys(&theirs.data(1), &ours.data(2));
    let (is_well, told) = ours.types(2, &["doctor"]);
    assert!(!is_well && told.contains("fail  keys of store"), "{told}");
    let away = Cluster::at("url = \"postgres://r@127.0.0.1:1/oauth?sslmode=disable\"\n");
    super::cluster::copy_keys(&theirs.data(1), &away.data(1));
    let (is_well, told) = away.types(1, &["doctor"]);
    assert!(!is_well && told.contains("fail  database") && told.contains("is not available"), "{told}");
}

#[test]
fn a_schema_is_shown_before_it_is_made() {
    let database = Postgres::shared().database();
    let cluster = Cluster::on(&database);
    let has_schema = || database.sql("SELECT to_regnamespace('regrant') IS NOT NULL").trim() == "t";
    for arguments in [&["store", "migrate", "--dry-run"][..], &["store", "migrate", "--dry-run", "--json"]] {
        let (is_done, told) = cluster.types(1, arguments);
        assert!(is_done && told.contains("store"), "{told}");
        assert_eq!(told.contains("CREATE TABLE grants"), arguments.contains(&"--json"));
    }
    assert!(!has_schema());
    let (is_done, told) = cluster.types(1, &["store", "migrate"]);
    assert!(is_done && told.contains("done"), "{told}");
    assert!(has_schema());
    let (is_done, told) = cluster.types(1, &["store", "migrate"]);
    assert!(is_done && told.contains("nothing to migrate"), "{told}");
    // The first node still makes the keys: the store knows none.
    let node = cluster.start(1);
    assert!(cluster.data(1).join("master.key").exists());
    node.terminate();
}
