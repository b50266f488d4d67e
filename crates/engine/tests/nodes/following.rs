//! That a node follows by itself, when it is told and when it is not.

use std::time::Duration;

use regrant_crypto::Algorithm;
use regrant_engine::{FOLLOW_PAUSE_MILLISECONDS_MAX, Followed};
use regrant_store::{AccessTokenFormat, ClientSettings};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::cluster::{Cluster, Node, app, settings};

const _: () = assert!(FOLLOW_PAUSE_MILLISECONDS_MAX <= 1_000, "what no node tells is followed within a second too");

/// Longer than any machine that runs tests needs.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_follows_what_it_hears_of_and_what_nobody_tells_it() {
    let cluster = Cluster::new();
    let [one, other] = cluster.nodes(["one", "other"], AccessTokenFormat::JwtEs256).await;
    let Node { server, follower, .. } = other;
    let (tell, mut told) = mpsc::unbounded_channel();
    let running = tokio::spawn(follower.run(move |outcome| drop(tell.send(outcome.clone()))));
    let mut follows = async |expected: Followed| {
        let told = async {
            loop {
                let followed = told.recv().await.unwrap().unwrap();
                if followed == expected {
                    break;
                }
            }
        };
        timeout(PATIENCE, told).await.expect("it follows");
    };
    // What was changed since it was opened.
    follows(Followed { clients: true, ..Followed::default() }).await;
    let key_set = || server.jwks().unwrap().len();
    one.server.rotate_signing_key(Algorithm::Es256, false).await.unwrap();
    follows(Followed { keys: true, ..Followed::default() }).await;
    assert_eq!(key_set(), 3);
    let renamed = ClientSettings { name: Some("Photos".to_owned()), ..settings() };
    one.server.change_client(&app(), renamed).await.unwrap();
    follows(Followed { clients: true, ..Followed::default() }).await;
    // Without a notification, as behind a pooler.
    cluster.sql(
        "SET search_path = regrant;
         UPDATE signing_keys SET withdrawn_at = 1, sealed = '' WHERE algorithm = 'EdDSA';
         UPDATE changes SET keys = keys + 1",
    );
    follows(Followed { keys: true, ..Followed::default() }).await;
    assert_eq!(key_set(), 2);
    running.abort();
}

/// Those that are not there are not waited for, and those that are tell of themselves again and again.
#[tokio::test]
async fn a_node_tells_that_it_is_there_each_second_and_not_more_often() {
    let cluster = Cluster::new();
    let [one, other] = cluster.nodes(["one", "other"], AccessTokenFormat::Opaque).await;
    let seen = async || {
        let nodes = other.server.nodes().await.unwrap();
        nodes.into_iter().map(|seen| (seen.node.name, seen.seen_milliseconds_ago)).collect::<Vec<_>>()
    };
    one.follow().await;
    for (milliseconds, ago) in [(0, 0), (999, 999), (1, 0), (500, 500)] {
        cluster.clock.advance_milliseconds(milliseconds);
        one.follow().await;
        assert_eq!(seen().await, [("one".to_owned(), ago)]);
    }
}
