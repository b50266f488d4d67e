//! One exchange, whoever asks and how many.

use std::time::Duration;

use regrant_client::{BlockingTokenManager, Event, FileStorage, MemoryStorage, Storage as _};
use regrant_protocol::Resource;

use crate::scene::{Ears, Kind, Scene};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_two_tasks_make_one_exchange() {
    let scene = Scene::new(Kind::Public).await;
    let manager = scene.logged_in(MemoryStorage::default()).await;
    for _ in 0..3 {
        scene.server.clock.advance_seconds(3600);
        let asked: Vec<_> =
            (0..32).map(|_| manager.clone()).map(|own| tokio::spawn(async move { own.access_token().await })).collect();
        let mut tokens = Vec::new();
        for task in asked {
            tokens.push(task.await.unwrap().unwrap());
        }
        assert_eq!(scene.way.take_sent().len(), 1);
        assert!(tokens.iter().all(|token| *token == tokens[0]));
        assert!(scene.is_good(&tokens[0]).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_managers_on_one_file_make_one_exchange() {
    let scene = Scene::new(Kind::Public).await;
    let directory = tempfile::tempdir().unwrap();
    let storage = FileStorage::new(directory.path().join("token.json"));
    let managers: Vec<_> = (0..8).map(|_| scene.manager(storage.clone())).collect();
    managers[0].log_in(scene.credential().await).await.unwrap();
    for _ in 0..3 {
        scene.server.clock.advance_seconds(3600);
        let asked: Vec<_> =
            managers.iter().cloned().map(|own| tokio::spawn(async move { own.access_token().await })).collect();
        for task in asked {
            assert!(scene.is_good(&task.await.unwrap().unwrap()).await);
        }
        assert_eq!(scene.way.take_sent().len(), 1);
    }
}

#[tokio::test]
async fn a_dropped_caller_does_not_drop_the_exchange() {
    let scene = Scene::new(Kind::Public).await;
    let manager = scene.logged_in(MemoryStorage::default()).await;
    scene.server.clock.advance_seconds(3600);
    {
        let asked = manager.access_token();
        let mut asked = std::pin::pin!(asked);
        let poll = std::future::poll_fn(|context| std::task::Poll::Ready(asked.as_mut().poll(context))).await;
        assert!(poll.is_pending());
    }
    assert!(scene.is_good(&manager.access_token().await.unwrap()).await);
    assert_eq!(scene.way.take_sent().len(), 1);
}

#[tokio::test]
async fn a_token_that_still_serves_is_given_out_while_the_next_one_is_fetched() {
    let scene = Scene::new(Kind::Public).await;
    let manager = scene.logged_in(MemoryStorage::default()).await;
    let first = manager.access_token().await.unwrap();
    assert!(scene.way.take_sent().is_empty());
    scene.server.clock.advance_seconds(3300);
    assert_eq!(manager.access_token().await.unwrap(), first);
    while manager.access_token().await.unwrap() == first {
        tokio::task::yield_now().await;
    }
    assert_eq!(scene.way.take_sent().len(), 1);
}

#[tokio::test]
async fn whoever_waits_is_told_of() {
    let scene = Scene::new(Kind::Public).await;
    let (ears, storage) = (Ears::default(), MemoryStorage::default());
    let manager = scene.manager(storage.clone()).observed_by(ears.clone());
    manager.log_in(scene.credential().await).await.unwrap();
    assert_eq!(ears.take_all(), [Event::LockWaited(Duration::ZERO)]);

    scene.server.clock.advance_seconds(3600);
    let others = storage.lock(Duration::ZERO).await.unwrap();
    let turn = async {
        tokio::task::yield_now().await;
        scene.server.clock.advance_seconds(7);
        drop(others);
    };
    let (first, second, third, ()) =
        tokio::join!(manager.access_token(), manager.access_token(), manager.access_token(), turn);
    assert!(first.is_ok() && first == second && second == third);
    let waited = Event::LockWaited(Duration::from_secs(7));
    assert_eq!(ears.take_all(), [Event::Joined, Event::Joined, waited, Event::Refreshed { tries: 1 }]);
}

#[test]
fn a_program_without_a_runtime_has_a_token_for_each_resource_server() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (scene, manager) = runtime.block_on(async {
        let scene = Scene::new(Kind::Public).await;
        let manager = scene.logged_in(MemoryStorage::default()).await;
        (scene, manager)
    });
    let tokens = BlockingTokenManager::new(manager).unwrap();
    let api = tokens.for_resource(&Resource::parse("https://api.example").unwrap());
    let first = tokens.access_token().unwrap();
    drop(tokens);
    let own = api.access_token();
    let sent = scene.way.take_sent();
    assert_eq!((sent.len(), sent[0].get("resource")), (1, Some("https://api.example")));
    assert!(own.map_or(true, |own| own != first), "never that of another");
}
