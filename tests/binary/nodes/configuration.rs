use std::fs;

use regrant_databases::Postgres;

use super::cluster::Cluster;

const OVERRULED: &str = "not as the configuration of this node says";
const AGAIN: &str = "as the configuration of this node says again";
const REMOVED: &str = "removed, and in the configuration of this node";

#[test]
fn a_node_tells_when_another_has_changed_what_its_own_configuration_says() {
    let database = Postgres::shared().database();
    let cluster = Cluster::on(&database);
    let first = cluster.start_first();
    cluster.copy_keys(1, 2);
    let config = cluster.config(2);
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("name = \"App\"", "name = \"Another\"")).unwrap();
    let second = Cluster::start_with(&config);
    first.wait_for_log(OVERRULED);
    first.signal("HUP");
    first.wait_for_log(AGAIN);
    second.wait_for_log(OVERRULED);

    // The first gets the file of the second, and another one comes.
    let own = cluster.config(1);
    fs::write(&own, fs::read_to_string(&config).unwrap().replace("data2", "data1")).unwrap();
    first.signal("HUP");
    second.wait_for_log(AGAIN);
    fs::write(&config, text).unwrap();
    second.signal("HUP");
    first.wait_for_log(OVERRULED);
}

/// What is kept of a secret is a hash, and another hash may be of the same one.
#[test]
fn a_node_tells_when_a_client_has_another_secret_and_when_it_is_gone() {
    let database = Postgres::shared().database();
    let cluster = Cluster::on(&database);
    let first = cluster.start_first();
    cluster.copy_keys(1, 2);
    let _second = cluster.start(2);
    let rotate = |secret: &str| cluster.pipes(2, secret, &["client", "rotate-secret", "app", "--secret-stdin"]);
    rotate("another\n");
    first.wait_for_log(OVERRULED);
    rotate("sesame\n");
    first.wait_for_log(AGAIN);

    rotate("another\n");
    first.wait_for_log(OVERRULED);
    let (is_removed, told) = cluster.types(2, &["client", "remove", "app", "--yes"]);
    assert!(is_removed, "{told}");
    first.wait_for_log(REMOVED);
}
