//! Master keys are at every node before tokens are made under them; in an emergency the old ones count at none.

use std::sync::{Mutex, PoisonError};

use regrant_crypto::{KeyRing, SeededEntropy};
use regrant_engine::{
    BrowserError, KeyFile, KeyFileNotRead, KeyFileNotWritten, KeyRotationError, KeyView, MasterKeyState, MasterKeyView,
    NODE_AWAITED_MILLISECONDS, OpenError, Refusal, TokenError, Verdict,
};
use regrant_protocol::Kid;
use regrant_store::{AccessTokenFormat, AnnouncedKey};

use crate::cluster::{Cluster, File, Node, kid};

async fn states(node: &Node) -> Vec<(u8, MasterKeyState)> {
    let only = |key: KeyView| match key {
        KeyView::Master(MasterKeyView { kid, state }) => Some((kid.0, state)),
        KeyView::Signing(_) => None,
    };
    node.server.keys().await.expect("the store answers").into_iter().filter_map(only).collect()
}

/// Whether the caller is told to come again.
fn is_503<T>(outcome: &Result<T, TokenError>) -> bool {
    outcome.as_ref().is_err_and(|error| Refusal::from(error).status == 503)
}

#[tokio::test]
async fn a_key_is_prepared_copied_and_put_in_force_and_nobody_is_refused_meanwhile() {
    use MasterKeyState::{Good, Newest, Prepared};
    let cluster = Cluster::new();
    let [one, other] = cluster.nodes(["one", "other"], AccessTokenFormat::Opaque).await;
    for node in [&one, &other] {
        node.follow().await;
    }
    let old = other.log_in().await.unwrap();
    assert_eq!(one.server.prepare_master_key(&*one.file).await.unwrap(), Kid(2));
    assert_eq!(states(&one).await, [(1, Newest), (2, Prepared)]);
    for node in [&one, &other] {
        node.follow().await;
        assert_eq!(kid(&node.log_in().await.unwrap()), 1, "nothing is made under it");
    }
    let refused = one.rotate(false).await;
    assert!(
        matches!(&refused, Err(KeyRotationError::NodeNotReady { node, kid: Kid(2) }) if node == "other"),
        "{refused:?}"
    );
    other.file.copy(&one.file);
    assert!(other.follow().await.keys);
    let seen: Vec<_> = one.server.nodes().await.unwrap().into_iter().map(|seen| seen.node).collect();
    let told: Vec<_> = seen.iter().map(|node| (node.name.as_str(), node.newest_key.kid)).collect();
    assert_eq!(told, [("one", Kid(2)), ("other", Kid(2))]);
    assert_eq!(one.rotate(false).await.unwrap(), 2);

    // The other has not heard: what it makes is good, and what it is shown too.
    let given = one.log_in().await.unwrap();
    assert_eq!((kid(&given), kid(&other.log_in().await.unwrap())), (2, 1));
    let given = other.refresh(&given).await.unwrap();
    assert_eq!((kid(&given), other.is_good(&given).await), (2, Ok(true)));
    other.follow().await;
    assert_eq!(states(&other).await, [(1, Good), (2, Newest)]);
    assert_eq!(kid(&other.refresh(&old).await.unwrap()), 2);
}

#[tokio::test]
async fn a_rotation_does_not_wait_for_a_node_that_is_gone_and_that_refuses_nobody_for_a_key_it_lacks() {
    let cluster = Cluster::new();
    let [one, other] = cluster.nodes(["one", "other"], AccessTokenFormat::Opaque).await;
    for node in [&one, &other] {
        node.follow().await;
    }
    let refused = one.rotate(false).await;
    assert!(matches!(&refused, Err(KeyRotationError::NodeNotReady { kid: Kid(2), .. })), "{refused:?}");
    assert_eq!(one.file.ring().newest().0, Kid(1), "nothing was made");
    cluster.clock.advance_milliseconds(NODE_AWAITED_MILLISECONDS as u32);
    assert_eq!(one.rotate(false).await.unwrap(), 2);

    let (old, new) = (other.log_in().await.unwrap(), one.log_in().await.unwrap());
    assert_eq!((kid(&old), kid(&new)), (1, 2));
    assert_eq!(other.verdict(&new).await, Verdict::Unavailable);
    assert!(is_503(&other.is_good(&new).await) && other.revoke(&new).await.is_err());
    assert_eq!(other.verdict(&old).await, Verdict::Rotated, "its own go on");
    assert_eq!(states(&other).await, [(1, MasterKeyState::Newest), (2, MasterKeyState::Missing)]);
    let refused = other.rotate(true).await;
    assert!(matches!(refused, Err(KeyRotationError::KeyMissing(Kid(2)))), "{refused:?}");
    other.file.copy(&one.file);
    other.follow().await;
    assert_eq!((other.is_good(&new).await, other.verdict(&new).await), (Ok(true), Verdict::Rotated));
}

#[tokio::test]
async fn an_emergency_ends_what_was_made_before_at_every_node_within_two_seconds() {
    for format in [AccessTokenFormat::Opaque, AccessTokenFormat::JwtEs256] {
        let cluster = Cluster::new();
        let [one, hears, deaf] = cluster.nodes(["one", "hears", "deaf"], format).await;
        let old = one.log_in().await.unwrap();
        let late = one.log_in().await.unwrap();
        assert_eq!(one.rotate(true).await.unwrap(), 2);
        assert_eq!((one.verdict(&old).await, one.is_good(&old).await), (Verdict::DeadEpoch, Ok(false)));

        // Who hears nothing goes on for a moment, and what it makes is dead.
        let successor = deaf.refresh(&late).await.unwrap();
        assert_eq!((kid(&successor), one.verdict(&successor).await), (1, Verdict::DeadEpoch));
        hears.follow().await;
        cluster.clock.advance_seconds(2);
        for node in [&hears, &deaf] {
            for given in [&old, &successor] {
                assert_eq!(node.verdict(given).await, Verdict::DeadEpoch);
                assert_ne!(node.is_good(given).await, Ok(true));
            }
        }

        // They have no key to make anything under, and refuse nothing that is good.
        let new = one.log_in().await.unwrap();
        for node in [&hears, &deaf] {
            assert!(is_503(&node.log_in().await) && is_503(&node.is_good(&new).await));
            assert_eq!(node.verdict(&new).await, Verdict::Unavailable);
            assert!(node.server.jwks().is_err(), "none is no key set");
            node.file.copy(&one.file);
            node.follow().await;
            assert_eq!(node.is_good(&new).await, Ok(true));
            assert_eq!(node.key_set(), one.key_set());
            assert_eq!(kid(&node.log_in().await.unwrap()), 2);
            assert_eq!(node.verdict(&old).await, Verdict::DeadEpoch);
        }
        assert_eq!(hears.verdict(&new).await, Verdict::Rotated);
    }
}

#[tokio::test]
async fn of_nodes_that_rotate_at_once_one_makes_the_key_and_the_other_is_told_to_copy_it() {
    let cluster = Cluster::new();
    let [one, other] = cluster.nodes(["one", "other"], AccessTokenFormat::Opaque).await;
    let outcomes = tokio::join!(one.rotate(false), other.rotate(false));
    let (winner, loser, told) = match outcomes {
        (Ok(2), told) => (&one, &other, told),
        (told, Ok(2)) => (&other, &one, told),
        other => panic!("{other:?}"),
    };
    // The second has made a key of its own by then, or has not begun to.
    assert!(matches!(told, Err(KeyRotationError::KidTaken(Kid(2)) | KeyRotationError::KeyMissing(Kid(2)))), "{told:?}");
    let given = winner.log_in().await.unwrap();
    assert_eq!(loser.verdict(&given).await, Verdict::Unavailable, "it has no such key");
    loser.file.copy(&winner.file);
    loser.follow().await;
    assert_eq!(loser.verdict(&given).await, Verdict::Rotated);
    assert_eq!(kid(&loser.log_in().await.unwrap()), 2);
}

/// Its ring would take the key of the winner out of the key file.
#[tokio::test]
async fn an_emergency_that_lost_against_that_of_another_node_is_forgotten() {
    let cluster = Cluster::new();
    let [one, other] = cluster.nodes(["one", "other"], AccessTokenFormat::Opaque).await;
    let outcomes = tokio::join!(one.rotate(true), other.rotate(true));
    let (winner, loser) = match outcomes {
        (Ok(2), Err(_)) => (&one, &other),
        (Err(_), Ok(2)) => (&other, &one),
        other => panic!("{other:?}"),
    };
    loser.file.copy(&winner.file);
    loser.follow().await;
    assert_eq!(loser.server.prepare_master_key(&*loser.file).await.unwrap(), Kid(3));
    winner.file.copy(&loser.file);
    winner.follow().await;
    let given = winner.log_in().await.unwrap();
    assert_eq!(kid(&given), 2);
    assert_eq!(loser.rotate(false).await.unwrap(), 3);
    assert_eq!(loser.verdict(&given).await, Verdict::Rotated, "no emergency was finished");
}

/// Prepared at two nodes, one number has two keys.
#[tokio::test]
async fn a_token_is_not_refused_because_another_key_of_its_number_is_prepared_here() {
    let cluster = Cluster::new();
    let [one, other] = cluster.nodes(["one", "other"], AccessTokenFormat::Opaque).await;
    for node in [&one, &other] {
        node.server.prepare_master_key(&*node.file).await.unwrap();
    }
    assert_eq!(one.rotate(false).await.unwrap(), 2);
    let given = one.log_in().await.unwrap();
    assert_eq!(other.verdict(&given).await, Verdict::Unavailable);
    other.file.copy(&one.file);
    other.follow().await;
    assert_eq!(other.verdict(&given).await, Verdict::Rotated);
}

#[tokio::test]
async fn a_node_does_not_start_with_a_key_file_that_is_old_or_of_another_store() {
    let cluster = Cluster::new();
    let [one] = cluster.nodes(["one"], AccessTokenFormat::Opaque).await;
    let old = File::of(&one.file.ring());
    assert_eq!(one.rotate(false).await.unwrap(), 2);
    let refused = cluster.node("old", &old).await.err();
    assert!(matches!(refused, Some(OpenError::KeyMissing(Kid(2)))), "{refused:?}");
    let mut foreign = KeyRing::generate(&SeededEntropy::new(5));
    foreign.add(&SeededEntropy::new(5)).unwrap();
    let refused = cluster.node("foreign", &File::of(&foreign)).await.err();
    assert!(matches!(refused, Some(OpenError::KeyOfAnotherStore(Kid(1)))), "{refused:?}");
    // One that was copied while a key is prepared starts, and prepares nothing else.
    one.server.prepare_master_key(&*one.file).await.unwrap();
    let other = cluster.node("other", &one.file).await.unwrap();
    assert_eq!(states(&other).await, states(&one).await);
    assert_eq!(other.server.prepare_master_key(&*other.file).await.unwrap(), Kid(3));
}

/// A key file on a disk that is full, and what was to be written there.
#[derive(Default)]
struct Full(Mutex<Option<KeyRing>>);

impl KeyFile for Full {
    fn read(&self) -> Result<KeyRing, KeyFileNotRead> {
        Err(KeyFileNotRead("it is not looked at".to_owned()))
    }

    fn replace(&self, ring: &KeyRing) -> Result<(), KeyFileNotWritten> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(ring.clone());
        Err(KeyFileNotWritten("the disk is full".to_owned()))
    }
}

/// As when the connection was lost after the commit.
#[tokio::test]
async fn a_rotation_whose_announcement_was_not_answered_is_finished_with_its_key() {
    let cluster = Cluster::new();
    let [one, other] = cluster.nodes(["one", "other"], AccessTokenFormat::Opaque).await;
    one.follow().await;
    let full = Full::default();
    assert!(matches!(one.server.rotate_master_key(&full, false).await, Err(KeyRotationError::KeyFile(_))));
    let ring = full.0.into_inner().unwrap().unwrap();
    let check_value = ring.check_value(Kid(2)).unwrap();
    one.server.store().announce_key(AnnouncedKey { kid: Kid(2), check_value }).await.unwrap();
    other.follow().await;
    assert_eq!(one.rotate(false).await.unwrap(), 2);
    assert_eq!(one.file.ring().newest().0, Kid(2));
}

/// A node that has lost touch cannot know which pages an emergency has ended.
#[tokio::test]
async fn a_page_is_taken_back_only_by_a_node_that_knows_which_keys_count() {
    let cluster = Cluster::new();
    let [one, other] = cluster.nodes(["one", "other"], AccessTokenFormat::Opaque).await;
    let page = one.login_page().await.unwrap();
    assert_eq!(other.post_login(&page).await, Ok(true), "made at any node, it counts at each");
    one.rotate(true).await.unwrap();
    assert_eq!(one.post_login(&page).await, Ok(false));
    assert_eq!(other.post_login(&page).await, Ok(true), "for two seconds at most");
    cluster.clock.advance_seconds(2);
    assert_eq!(other.post_login(&page).await, Ok(false));
    // One that the other has not the key of is not refused.
    let page = one.login_page().await.unwrap();
    assert!(matches!(other.post_login(&page).await, Err(BrowserError::Store(_))));
    other.file.copy(&one.file);
    other.follow().await;
    assert_eq!(other.post_login(&page).await, Ok(true));
}
