//! Signing keys are at every node before they sign, and what is withdrawn counts at none.

use regrant_crypto::{Algorithm, KeyRing, SeededEntropy};
use regrant_engine::SIGNING_KEY_WAIT_SECONDS;
use regrant_store::AccessTokenFormat;

use crate::cluster::{Cluster, File};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_start_together_make_one_key_of_each_algorithm() {
    let cluster = Cluster::new();
    let file = File::of(&KeyRing::generate(&SeededEntropy::new(1)));
    let (a, b, c) = tokio::join!(cluster.node("a", &file), cluster.node("b", &file), cluster.node("c", &file));
    let nodes = [a.unwrap(), b.unwrap(), c.unwrap()];
    for node in &nodes {
        assert_eq!(node.key_set().len(), 2, "ES256 and EdDSA");
        assert_eq!(node.key_set(), nodes[0].key_set());
    }
    let (a, b) = tokio::join!(nodes[0].server.make_rs256_key(), nodes[1].server.make_rs256_key());
    a.and(b).unwrap();
    assert_eq!(nodes[0].key_set().len(), 3);
    assert_eq!(nodes[1].key_set(), nodes[0].key_set());
}

#[tokio::test]
async fn a_new_key_is_published_at_every_node_before_it_signs_at_any() {
    let cluster = Cluster::new();
    let [one, other] = cluster.nodes(["one", "other"], AccessTokenFormat::JwtEs256).await;
    let old = one.signer().await;
    let new = one.server.rotate_signing_key(Algorithm::Es256, false).await.unwrap().key_id;
    assert!(other.follow().await.keys);
    assert!(!other.follow().await.keys, "it is as it was");
    assert_eq!(other.key_set(), one.key_set());
    assert!(other.key_set().contains(&new));
    for node in [&one, &other] {
        assert_eq!(node.signer().await, old);
    }
    cluster.clock.advance_seconds(SIGNING_KEY_WAIT_SECONDS);
    for node in [&one, &other] {
        node.follow().await;
        assert_eq!(node.signer().await, new);
    }
    one.server.withdraw_signing_key(&old).await.unwrap();
    other.follow().await;
    assert_eq!((other.key_set(), other.key_set().contains(&old)), (one.key_set(), false));
}

#[tokio::test]
async fn a_token_of_a_key_that_a_node_has_not_heard_of_is_good_there() {
    let cluster = Cluster::new();
    let [one, other] = cluster.nodes(["one", "other"], AccessTokenFormat::JwtEs256).await;
    let before = other.log_in().await.unwrap();
    let new = one.server.rotate_signing_key(Algorithm::Es256, true).await.unwrap().key_id;
    let given = one.log_in().await.unwrap();
    assert!(!other.key_set().contains(&new), "it has not heard");
    assert_eq!(other.is_good(&given).await, Ok(true));
    assert_eq!(other.key_set(), one.key_set(), "it has looked");
    assert_eq!(other.is_good(&before).await, Ok(false));
}

#[tokio::test]
async fn a_withdrawn_key_is_not_believed_for_two_seconds_by_a_node_that_hears_nothing() {
    let cluster = Cluster::new();
    let [one, other] = cluster.nodes(["one", "other"], AccessTokenFormat::JwtEs256).await;
    let given = other.log_in().await.unwrap();
    one.server.rotate_signing_key(Algorithm::Es256, true).await.unwrap();
    assert_eq!(one.is_good(&given).await, Ok(false));
    cluster.clock.advance_seconds(2);
    assert_eq!(other.is_good(&given).await, Ok(false));
}
