use regrant_databases::Postgres;
use regrant_tests::unverified_claims;

use super::cluster::{Cluster, QUESTIONS_MAX, log_in, post, refresh};

#[test]
fn a_token_of_one_node_is_refreshed_and_revoked_at_the_others() {
    let database = Postgres::shared().database();
    let cluster = Cluster::on(&database);
    let [one, two, three] = cluster.start_three();

    let login = log_in(&one);
    let first = login.refresh_token();
    let rotated = refresh(&two, &first);
    let second = rotated.refresh_token();
    let retried = refresh(&three, &first);
    assert_eq!(retried.refresh_token(), second, "a retry at another node");
    let jti = |token: &str| unverified_claims(token)["jti"].clone();
    assert_eq!(jti(&retried.member("access_token")), jti(&rotated.member("access_token")));

    let third = refresh(&three, &second);
    let (token, access) = (third.refresh_token(), third.member("access_token"));
    let is_active = |node| post(node, "introspect", &format!("token={access}")).json["active"].clone();
    for node in [&one, &two, &three] {
        assert_eq!(is_active(node), true);
    }
    assert_eq!(post(&one, "revoke", &format!("token={token}")).status, 200);
    for node in [&one, &two, &three] {
        assert_eq!(is_active(node), false);
        refresh(node, &token).assert_invalid_grant();
    }
}

#[test]
fn reuse_at_one_node_ends_the_grant_at_all() {
    let database = Postgres::shared().database();
    let cluster = Cluster::on(&database);
    let [one, two, three] = cluster.start_three();
    let first = log_in(&one).refresh_token();
    let second = refresh(&two, &first).refresh_token();
    let third = refresh(&three, &second).refresh_token();
    refresh(&one, &first).assert_invalid_grant();
    for node in [&one, &two, &three] {
        refresh(node, &third).assert_invalid_grant();
    }
}

#[test]
fn a_node_that_is_killed_takes_nothing_with_it() {
    let database = Postgres::shared().database();
    let cluster = Cluster::on(&database);
    let [one, two, three] = cluster.start_three();
    let first = log_in(&one).refresh_token();
    let second = refresh(&one, &first).refresh_token();
    one.kill();
    assert_eq!(refresh(&two, &first).refresh_token(), second, "a retry across the crash");
    let third = refresh(&three, &second).refresh_token();
    let one = cluster.start(1);
    assert_eq!(refresh(&one, &second).refresh_token(), third);
    refresh(&one, &third).refresh_token();
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
