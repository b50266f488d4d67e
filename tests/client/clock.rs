//! A clock that is wrong.

use regrant_client::MemoryStorage;

use crate::scene::{Kind, Scene};
use crate::way::Fate;

#[tokio::test]
async fn a_clock_that_is_an_hour_wrong_neither_storms_nor_serves_ended_tokens() {
    for wrong_seconds in [-3600, 0, 3600] {
        let scene = Scene::with_clock(Kind::Public, wrong_seconds).await;
        let manager = scene.logged_in(MemoryStorage::default()).await;
        for refreshes in 0..3 {
            assert!(scene.is_good(&manager.access_token().await.unwrap()).await, "{wrong_seconds}");
            scene.server.clock.advance_seconds(1800);
            assert!(scene.is_good(&manager.access_token().await.unwrap()).await, "{wrong_seconds}");
            assert_eq!(scene.way.take_sent().len(), usize::from(refreshes > 0), "{wrong_seconds}");
            scene.server.clock.advance_seconds(1800);
        }
    }
}

#[tokio::test]
async fn the_window_is_kept_with_a_wrong_clock_too() {
    for wrong_seconds in [-3600, 3600] {
        let scene = Scene::with_clock(Kind::Public, wrong_seconds).await;
        let manager = scene.logged_in(MemoryStorage::default()).await;
        scene.server.clock.advance_seconds(3600);
        scene.way.next(&[Fate::LostAfter]);
        assert!(scene.is_good(&manager.access_token().await.unwrap()).await, "{wrong_seconds}");
    }
}
