use regrant_databases::Postgres;

use super::cluster::{Cluster, log_in, post, refresh};

/// As the page about restoring tells it: a base backup, and the archive of the log up to a moment.
#[test]
fn a_server_that_was_put_back_to_a_moment_is_restored_with_what_ended_since() {
    let mut postgres = Postgres::start_archiving();
    let journal = Postgres::shared().database();
    let url = postgres.socket_url("postgres", "postgres");
    let cluster = Cluster::at(&format!("url = {url:?}\njournal = {:?}\n", journal.url()));
    let nodes = cluster.start_three();
    let [one, two, three] = &nodes;
    postgres.copy_base();
    // They are in no copy, but in the log.
    let (kept, ended) = (log_in(one).refresh_token(), log_in(two).refresh_token());
    let there = refresh(three, &kept).refresh_token();
    postgres.name_moment("before the mistake");
    let ahead = refresh(two, &there).refresh_token();
    assert_eq!(post(one, "revoke", &format!("token={ended}")).status, 200);
    let (is_well, told) = cluster.types(2, &["doctor"]);
    assert!(is_well && told.contains("goes to record 2, at another server than the store"), "{told}");
    let late = log_in(three).refresh_token();
    for node in nodes {
        node.terminate();
    }

    postgres.go_back_to("before the mistake");
    let told = cluster.refusal(1).stderr;
    assert!(told.contains("is not what it was") && told.contains("run `regrant restore`"), "{told}");
    // Or the one who restores would wait until the nodes of that moment are gone for sure.
    postgres.sql("DELETE FROM regrant.nodes");
    let (is_done, told) = cluster.types(1, &["restore", "--policy", "recover", "--for", "1h", "--yes"]);
    assert!(is_done && told.contains("epoch 2 begins, with what ended since by the journal (1)"), "{told}");

    let [one, two, three] = [1, 2, 3].map(|node| cluster.start(node));
    let next = refresh(&one, &ahead).refresh_token();
    refresh(&two, &next).refresh_token();
    refresh(&three, &ended).assert_invalid_grant();
    refresh(&one, &late).assert_invalid_grant();
    log_in(&two).refresh_token();
}
