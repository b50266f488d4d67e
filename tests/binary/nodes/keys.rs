//! Master keys, which every node has in a file of its own.

use regrant_databases::Postgres;

use super::cluster::{Cluster, QUESTIONS_MAX, log_in, refresh};

#[test]
fn a_prepared_key_is_in_force_once_every_node_has_it() {
    const LACKS_IT: &str = "has not loaded master key 2";
    let database = Postgres::shared().database();
    let cluster = Cluster::on(&database);
    let nodes = cluster.start_three();
    let first = log_in(&nodes[1]).refresh_token();
    let (is_prepared, told) = cluster.types(1, &["key", "prepare"]);
    assert!(is_prepared, "{told}");
    let rotate = || cluster.types(1, &["key", "rotate", "master", "--yes"]);
    let (is_done, told) = rotate();
    assert!(!is_done && told.contains(LACKS_IT), "{told}");
    cluster.copy_keys(1, 2);
    let (_, port) = nodes[2].url.rsplit_once(':').unwrap();
    // A file is read within a second. Then the third alone is left.
    let is_named = (0..QUESTIONS_MAX).any(|_| {
        let (is_done, told) = rotate();
        assert!(!is_done && told.contains(LACKS_IT), "{told}");
        told.contains(port)
    });
    assert!(is_named, "the third is not told of");
    cluster.copy_keys(1, 3);
    let second = refresh(&nodes[2], &first).refresh_token();
    assert!((0..QUESTIONS_MAX).any(|_| rotate().0), "a node does not read its file");

    // What is made under the old key and the new is good everywhere, and nobody waits for a key.
    let mut newest = second;
    for node in nodes.iter().chain(&nodes) {
        newest = refresh(node, &newest).refresh_token();
        let of_first = log_in(&nodes[0]).refresh_token();
        refresh(&nodes[0], &refresh(node, &of_first).refresh_token()).refresh_token();
    }
}

#[test]
fn an_emergency_at_one_node_ends_what_was_made_before_at_all_and_the_copied_keys_bring_them_back() {
    let database = Postgres::shared().database();
    let cluster = Cluster::on(&database);
    let nodes = cluster.start_three();
    let first = log_in(&nodes[0]).refresh_token();
    let second = refresh(&nodes[1], &first).refresh_token();
    let (is_done, told) = cluster.types(1, &["key", "rotate", "master", "--emergency", "--yes"]);
    assert!(is_done, "{told}");
    for node in &nodes {
        // A retry is answered from what a node knows until it has heard of it; nobody gets a new token by it.
        let is_ended = (0..QUESTIONS_MAX).any(|_| refresh(node, &first).status != 200);
        assert!(is_ended, "{} goes on", node.url);
        assert_ne!(refresh(node, &second).status, 200);
    }
    assert_eq!(log_in(&nodes[1]).status, 503, "it has nothing to make tokens under");
    for node in [2, 3] {
        cluster.copy_keys(1, node);
    }
    for node in &nodes {
        let login = (0..QUESTIONS_MAX).map(|_| log_in(node)).find(|login| login.status == 200);
        let token = login.expect("it has the new key").refresh_token();
        refresh(node, &token).refresh_token();
        refresh(node, &second).assert_invalid_grant();
    }
}
