//! What a node knows is read anew when the database is another server, which may have lost what it knows.

use std::sync::Arc;
use std::time::Duration;

use regrant_databases::Postgres;
use regrant_engine::{CATCH_UP_MILLISECONDS_MAX, Followed, NODE_NAME_CHARACTERS_MAX};
use regrant_store::AccessTokenFormat;
use tokio::time::sleep;

use crate::cluster::Cluster;

/// A change that is lost and another in its place have the same numbers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_client_of_the_same_version_is_noticed_after_a_fail_over() {
    let former = Postgres::start();
    let new = former.standby();
    let folder = |postgres: &Postgres| postgres.socket_folder().display().to_string().replace('/', "%2F");
    let hosts = [&former, &new].map(|postgres| format!("{}:{}", folder(postgres), postgres.port())).join(",");
    let cluster = Cluster::at(&format!("postgres://postgres@{hosts}/postgres"));
    let [node] = cluster.nodes(["node"], AccessTokenFormat::Opaque).await;
    node.follow().await;
    let is_opaque = async || node.log_in().await.unwrap().access_token.expose().starts_with("rga_");
    assert!(is_opaque().await);
    let behind = "SELECT count(*) FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn()";
    while former.sql(behind).trim() != "1" {}
    new.sql("SELECT pg_promote()");
    new.sql(r#"UPDATE regrant.clients SET settings = replace(settings, '"opaque"', '"jwt_es256"')"#);
    drop(former);

    let followed = loop {
        if let Ok(followed) = node.follower.follow_once().await {
            break followed;
        }
    };
    assert_eq!(followed, Followed { clients: true, keys: true, waits_for_standby: false });
    assert!(!is_opaque().await);
    assert_eq!(node.follow().await, Followed::default(), "it is read once");
}

/// A machine that is paused, and a connection that leads nowhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_long_for_a_database_that_does_not_answer() {
    let postgres = Postgres::start();
    let cluster = Cluster::at(&postgres.socket_url("postgres", "postgres"));
    let [node] = cluster.nodes(["node"], AccessTokenFormat::Opaque).await;
    let given = node.log_in().await.unwrap();
    cluster.clock.advance_seconds(2);
    postgres.pause();
    let told = node.refresh(&given).await.unwrap_err().to_string();
    postgres.resume();
    assert!(told.contains(&format!("has not told within {CATCH_UP_MILLISECONDS_MAX} ms")), "{told}");
    node.refresh(&given).await.unwrap();
}

#[tokio::test]
async fn a_node_is_known_by_a_name_that_is_not_endless() {
    let cluster = Cluster::new();
    let [node] = cluster.nodes(["node"], AccessTokenFormat::Opaque).await;
    let named = node.server.follower("é".repeat(NODE_NAME_CHARACTERS_MAX + 1), Arc::clone(&node.file) as _);
    named.follow_once().await.unwrap();
    let told: Vec<_> = node.server.nodes().await.unwrap().into_iter().map(|seen| seen.node.name).collect();
    assert_eq!(told, ["é".repeat(NODE_NAME_CHARACTERS_MAX)]);
}

/// A server whose standby is away: whoever asks it is not answered, and those who give up leave nothing behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_commits_nothing_is_asked_once_however_many_give_up() {
    const WAITING: &str = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    const TRIES_MAX: u32 = 1_000;
    let postgres = Postgres::start();
    let cluster = Cluster::at(&postgres.socket_url("postgres", "postgres"));
    let [node] = cluster.nodes(["node"], AccessTokenFormat::Opaque).await;
    let node = Arc::new(node);
    let given = node.log_in().await.unwrap();
    postgres.let_commits_wait();
    let ask = || {
        cluster.clock.advance_seconds(2);
        let (node, given) = (Arc::clone(&node), given.clone());
        tokio::spawn(async move { node.is_good(&given).await })
    };
    let mut tries = 0..TRIES_MAX;
    let first = loop {
        assert!(tries.next().is_some(), "it is answered from what may be old");
        let asking = ask();
        let mut waiting = String::new();
        while !asking.is_finished() && waiting.is_empty() {
            waiting = postgres.sql(WAITING).trim().to_owned();
        }
        asking.abort();
        // Or the server has not heard of the setting yet.
        if !waiting.is_empty() {
            break waiting;
        }
    };
    for _ in 0..8 {
        let asking = ask();
        sleep(Duration::from_millis(20)).await;
        asking.abort();
        assert_eq!(postgres.sql(WAITING).trim(), first);
    }
}
