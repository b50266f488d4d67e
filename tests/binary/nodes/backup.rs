use regrant_databases::{Postgres, run};

use super::cluster::{Cluster, copy_keys, log_in, post, refresh};

/// As the page about PostgreSQL tells it, by a user who owns the database and nothing else.
#[test]
fn a_dump_is_looked_at_put_back_and_restored_by_the_user_of_the_nodes() {
    let postgres = Postgres::start();
    postgres.sql("CREATE ROLE regrant LOGIN PASSWORD 'of no use on a socket'");
    for name in ["regrant", "regrant_restored"] {
        postgres.sql(&format!("CREATE DATABASE {name} OWNER regrant"));
    }
    let at = |name| Cluster::at(&format!("url = {:?}\n", postgres.socket_url("regrant", name)));
    let cluster = at("regrant");
    let [one, two, three] = cluster.start_three();
    let (in_dump, ended) = (log_in(&one).refresh_token(), log_in(&two).refresh_token());
    let (found_all, told) = cluster.types(1, &["doctor"]);
    assert!(found_all, "{told}");
    let dump = tempfile::NamedTempFile::new().expect("a test may write temporary files");
    let mut dumping = postgres.client("pg_dump", "regrant");
    run(dumping.args(["--schema=regrant", "--format=custom", "--dbname=regrant", "--file"]).arg(dump.path()));
    let ahead = refresh(&two, &in_dump).refresh_token();
    // What ends something moves the mark of its node at once; the others hear of it within a second.
    assert_eq!(post(&one, "revoke", &format!("token={ended}")).status, 200);
    for node in [one, two, three] {
        node.terminate();
    }

    let put_in = |name: &str| {
        let mut putting = postgres.client("pg_restore", "regrant");
        run(putting.args(["--dbname", name]).arg(dump.path()));
    };
    put_in("regrant_restored");
    let copy = at("regrant_restored");
    copy_keys(&cluster.data(1), &copy.data(1));
    let (found_all, told) = copy.types(1, &["doctor"]);
    assert!(found_all && told.contains("is a primary, with schema"), "{told}");

    postgres.sql("DROP DATABASE regrant");
    postgres.sql("CREATE DATABASE regrant OWNER regrant");
    put_in("regrant");
    let told = cluster.refusal(1).stderr;
    assert!(told.contains("is not what it was") && told.contains("run `regrant restore`"), "{told}");
    // Or the one who restores would wait until the nodes in the dump are gone for sure.
    postgres.sql_in("regrant", "DELETE FROM regrant.nodes");
    let (is_done, told) = cluster.types(1, &["restore", "--policy", "recover", "--for", "1h", "--yes"]);
    assert!(is_done && told.contains("epoch 2 begins"), "{told}");
    let [one, two] = [1, 2].map(|node| cluster.start(node));
    let next = refresh(&one, &ahead).refresh_token();
    refresh(&two, &next).refresh_token();
}
