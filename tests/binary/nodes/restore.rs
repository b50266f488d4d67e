use regrant_databases::Postgres;

use super::cluster::{Cluster, log_in, post, refresh};

#[test]
fn a_standby_that_lacked_something_is_restored_where_it_took_over() {
    let mut primary = Postgres::start();
    let standby = primary.standby();
    let journal = Postgres::shared().database();
    let url = primary.url_beside(&standby);
    let cluster = Cluster::at(&format!("url = {url:?}\njournal = {:?}\n", journal.url()));
    let [first, second, third] = cluster.start_three();
    let (kept, ended) = (log_in(&first).refresh_token(), log_in(&second).refresh_token());
    let there = refresh(&third, &kept).refresh_token();
    primary.wait_until_followed();
    standby.stop_following();
    let ahead = refresh(&second, &there).refresh_token();
    // What ends something moves the mark of its node at once.
    assert_eq!(post(&first, "revoke", &format!("token={ended}")).status, 200);
    for node in [first, second, third] {
        node.terminate();
    }
    primary.kill();
    standby.promote();

    let told = cluster.refusal(1).stderr;
    assert!(told.contains("is not what it was") && told.contains("run `regrant restore`"), "{told}");
    standby.sql("DELETE FROM regrant.nodes");
    let (is_done, told) = cluster.types(1, &["restore", "--policy", "recover", "--for", "1h", "--yes"]);
    assert!(is_done && told.contains("epoch 2 begins, with what ended since by the journal (1)"), "{told}");
    let [first, second] = [1, 2].map(|node| cluster.start(node));
    let next = refresh(&first, &ahead).refresh_token();
    refresh(&second, &next).refresh_token();
    refresh(&first, &ended).assert_invalid_grant();
}

#[test]
fn a_database_that_was_put_back_is_restored_for_all_nodes_with_what_ended_since() {
    let postgres = Postgres::shared();
    let (database, journal) = (postgres.database(), postgres.database());
    let cluster = Cluster::at(&format!("url = {:?}\njournal = {:?}\n", database.url(), journal.url()));
    let [one, two, three] = cluster.start_three();
    let (kept, ended) = (log_in(&one).refresh_token(), log_in(&two).refresh_token());
    let in_backup = refresh(&three, &kept).refresh_token();
    for node in [one, two, three] {
        node.terminate();
    }
    let backup = postgres.copy_of(&database);

    let [one, two, three] = [1, 2, 3].map(|node| cluster.start(node));
    let ahead = refresh(&two, &in_backup).refresh_token();
    let ahead = refresh(&three, &ahead).refresh_token();
    assert_eq!(post(&one, "revoke", &format!("token={ended}")).status, 200);
    for node in [one, two, three] {
        node.terminate();
    }
    database.put_back(&backup);

    let told = cluster.refusal(1).stderr;
    assert!(told.contains("is not what it was") && told.contains("run `regrant restore`"), "{told}");
    let restore = ["restore", "--policy", "recover", "--for", "1h", "--yes"];
    let (is_done, told) = cluster.types(1, &[&restore[..], &["backup.dump"]].concat());
    assert!(!is_done && told.contains("pg_restore"), "{told}");
    let (is_done, told) = cluster.types(1, &restore);
    assert!(!is_done && told.contains("used the database a moment ago; stop all nodes"), "{told}");
    database.sql("DELETE FROM regrant.nodes");
    let (is_done, told) = cluster.types(1, &restore);
    assert!(is_done && told.contains("epoch 2 begins, with what ended since by the journal (1)"), "{told}");
    assert!(told.trim_end().ends_with("Start the nodes"), "{told}");

    let [one, two, three] = [1, 2, 3].map(|node| cluster.start(node));
    let next = refresh(&one, &ahead).refresh_token();
    assert_eq!(refresh(&two, &ahead).refresh_token(), next, "a retry at another node");
    refresh(&three, &next).refresh_token();
    refresh(&two, &ended).assert_invalid_grant();
}
