use regrant_databases::Postgres;
use regrant_tests::unverified_claims;

use super::cluster::{Cluster, log_in, post, refresh};

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
