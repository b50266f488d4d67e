//! Lost answers lose nothing.

use regrant_client::{Event, MemoryStorage, Storage, TokenError};

use crate::scene::{Ears, Kind, Scene};
use crate::way::Fate::{Busy, LostAfter, LostBefore, NotSent, Page, Truncated};

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_with_the_same_token_and_proof() {
    for kind in [Kind::Public, Kind::Basic, Kind::Post] {
        for (fates, rotations) in [
            (&[LostBefore][..], 1),
            (&[LostAfter], 2),
            (&[Truncated], 2),
            (&[Truncated, Truncated], 3),
            (&[Page(502)], 1),
            (&[Page(200), Truncated], 2),
            (&[NotSent, NotSent, LostAfter], 2),
            (&[Busy(1), Truncated, Busy(1)], 2),
        ] {
            let scene = Scene::new(kind).await;
            let storage = MemoryStorage::default();
            let manager = scene.logged_in(storage.clone()).await;
            scene.server.clock.advance_seconds(3600);
            scene.way.next(fates);
            let token = manager.access_token().await.unwrap();
            assert!(scene.is_good(&token).await, "{kind:?} {fates:?}");
            assert_eq!(scene.way.take_answered(), rotations, "{kind:?} {fates:?}");

            let sent = scene.way.take_sent();
            assert_eq!(sent.len(), fates.len() + 1, "{kind:?} {fates:?}");
            // What was not sent is no try.
            let unsent = fates.iter().filter(|&&fate| fate == NotSent).count();
            let tries = &sent[unsent..];
            for name in ["refresh_token", "retry_challenge"] {
                assert!(tries.iter().all(|own| own.get(name) == tries[0].get(name)), "{name} {kind:?} {fates:?}");
            }
            let proved: Vec<bool> = tries.iter().map(|own| own.get("retry_verifier").is_some()).collect();
            assert!(!proved[0] && proved[1..].iter().all(|&proved| proved), "{kind:?} {fates:?}");

            // One grant, one step further, and alive.
            let kept = storage.load().await.unwrap().unwrap();
            let grant = scene.server.grant(kept.refresh_token.unwrap().expose()).await;
            assert_eq!(grant.version, 2, "{kind:?} {fates:?}");
            assert_eq!(kept.pending, None);
        }
    }
}

#[tokio::test]
async fn after_a_retry_nothing_is_refreshed_for_twenty_seconds_from_the_unanswered_try() {
    let scene = Scene::new(Kind::Public).await;
    let manager = scene.logged_in(MemoryStorage::default()).await;
    scene.server.clock.advance_seconds(3600);
    scene.way.next(&[Page(502)]);
    let token = manager.access_token().await.unwrap();
    let sent = scene.way.take_sent();
    scene.server.clock.advance_seconds(10);
    manager.invalidate(&token);
    assert_ne!(manager.access_token().await.unwrap(), token);
    let next = scene.way.take_sent();
    assert_eq!(next.len(), 1);
    assert_eq!(next[0].at_seconds - sent[0].at_seconds, 20);
}

#[tokio::test]
async fn tries_stop_inside_the_window_and_one_is_made_past_it() {
    let scene = Scene::new(Kind::Public).await;
    let ears = Ears::default();
    let storage = MemoryStorage::default();
    scene.logged_in(storage.clone()).await;
    let manager = scene.manager(storage).observed_by(ears.clone());
    scene.server.clock.advance_seconds(3600);
    scene.way.next(&[LostBefore; 5]);
    let error = manager.access_token().await.unwrap_err();
    assert!(error.is_temporary(), "{error}");
    let sent = scene.way.take_sent();
    assert!(sent.iter().all(|own| own.at_seconds - sent[0].at_seconds <= 40), "{sent:?}");
    assert_eq!(sent.len(), 2);
    assert!(matches!(ears.take()[..], [Event::Failed(TokenError::Temporary { .. })]));

    // Nothing had arrived: a login would have thrown the session away.
    scene.way.next(&[]);
    scene.server.clock.advance_seconds(1000);
    assert!(scene.is_good(&manager.access_token().await.unwrap()).await);
    assert_eq!(scene.way.take_sent()[0].get("refresh_token"), sent[0].get("refresh_token"));
    assert!(matches!(ears.take()[..], [Event::Refreshed { tries: 1 }]));
}

#[tokio::test]
async fn with_its_verifier_a_session_is_found_again_within_the_hour() {
    let scene = Scene::new(Kind::Public).await;
    let storage = MemoryStorage::default();
    let manager = scene.logged_in(storage.clone()).await;
    scene.server.clock.advance_seconds(3600);
    scene.way.next(&[LostAfter, LostAfter]);
    manager.access_token().await.unwrap_err();
    drop(manager);
    scene.server.clock.advance_seconds(3000);
    let token = scene.manager(storage).access_token().await.unwrap();
    assert!(scene.is_good(&token).await);
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_leaves_nothing_pending_and_is_left_alone_for_a_moment() {
    let scene = Scene::new(Kind::Public).await;
    let storage = MemoryStorage::default();
    let manager = scene.logged_in(storage.clone()).await;
    scene.server.clock.advance_seconds(3600);
    scene.way.next(&[NotSent; 4]);
    assert!(manager.access_token().await.unwrap_err().is_temporary());
    assert_eq!(scene.way.take_sent().len(), 4);
    let kept = storage.load().await.unwrap().unwrap();
    assert_eq!((kept.pending, kept.failures), (None, 1), "nothing was sent, so nothing is pending");
    let pause = kept.not_before.unwrap().seconds() - scene.server.clock_seconds();
    assert!((1..=4).contains(&pause), "{pause}");
    let other = scene.manager(storage);
    assert!(scene.is_good(&other.access_token().await.unwrap()).await, "a short pause is waited for");
}

#[tokio::test]
async fn a_server_that_asks_for_time_is_given_it_by_all() {
    let scene = Scene::new(Kind::Public).await;
    let storage = MemoryStorage::default();
    let manager = scene.logged_in(storage.clone()).await;
    scene.server.clock.advance_seconds(3600);
    scene.way.next(&[Busy(7)]);
    assert!(scene.is_good(&manager.access_token().await.unwrap()).await);
    let sent = scene.way.take_sent();
    assert_eq!((sent.len(), sent[1].at_seconds - sent[0].at_seconds), (2, 7), "a short time is waited for");

    scene.server.clock.advance_seconds(3600);
    scene.way.next(&[Busy(600)]);
    for asker in [manager, scene.manager(storage.clone())] {
        let error = asker.access_token().await.unwrap_err();
        let expected = Some(std::time::Duration::from_secs(600));
        assert!(matches!(error, TokenError::Temporary { retry_after, .. } if retry_after == expected), "{error}");
    }
    assert_eq!(scene.way.take_sent().len(), 1, "a long one is for the caller to wait, whoever it is");
    scene.server.clock.advance_seconds(600);
    assert!(scene.is_good(&scene.manager(storage).access_token().await.unwrap()).await);
}
