//! What answers mean for the tokens that are kept.

use regrant_client::{
    Credential, Event, Failure, FileStorage, IssuerIdentifier, LogInReason, LogOut, MemoryStorage, OAuthError, Storage,
    StorageError, Swap, TokenError,
};
use regrant_protocol::{ClientId, Scope};

use crate::scene::{Ears, Kind, Scene};
use crate::way::Fate;

#[tokio::test]
async fn a_dead_token_is_never_sent_twice_and_a_person_is_asked_once() {
    let scene = Scene::new(Kind::Public).await;
    let directory = tempfile::tempdir().unwrap();
    let storage = FileStorage::new(directory.path().join("token.json"));
    let ears = Ears::default();
    let manager = scene.manager(storage.clone()).observed_by(ears.clone());
    let credential = scene.credential().await;
    manager.log_in(credential.clone()).await.unwrap();
    scene.client().revoke(credential.refresh_token.as_ref().unwrap()).await.unwrap();
    scene.server.clock.advance_seconds(3600);

    let refused = TokenError::LogIn(LogInReason::Refused("invalid_grant".to_owned()));
    for _ in 0..3 {
        assert_eq!(manager.access_token().await, Err(refused.clone()));
        assert_eq!(scene.manager(storage.clone()).access_token().await, Err(refused.clone()));
    }
    assert_eq!(scene.way.take_sent().len(), 1);
    assert_eq!(ears.take(), [Event::LogInNeeded(LogInReason::Refused("invalid_grant".to_owned()))]);

    manager.log_in(scene.credential().await).await.unwrap();
    assert!(scene.is_good(&manager.access_token().await.unwrap()).await);
}

#[tokio::test]
async fn what_is_not_a_verdict_of_the_server_keeps_the_tokens() {
    let oauth = |code: &str| OAuthError { error: code.to_owned(), description: String::new() };
    let config = |code: &str| TokenError::Refused(Failure::Configuration(oauth(code)));
    for (fate, expected) in [
        (Fate::Page(200), None),
        (Fate::Page(401), None),
        (Fate::Page(403), None),
        (Fate::Page(503), None),
        (Fate::Answered(429, r#"{"error":"invalid_grant"}"#), None),
        (
            Fate::Answered(401, r#"{"error":"invalid_client"}"#),
            Some(TokenError::Refused(Failure::ReRegister(oauth("invalid_client")))),
        ),
        (Fate::Answered(400, r#"{"error":"invalid_scope"}"#), Some(config("invalid_scope"))),
        (Fate::Answered(400, r#"{"error":"unauthorized_client"}"#), Some(config("unauthorized_client"))),
    ] {
        let scene = Scene::new(Kind::Public).await;
        let storage = MemoryStorage::default();
        let manager = scene.logged_in(storage.clone()).await;
        let before = storage.load().await.unwrap().unwrap().refresh_token;
        scene.server.clock.advance_seconds(3600);
        scene.way.next(&[fate; 4]);
        let error = manager.access_token().await.unwrap_err();
        match expected {
            Some(expected) => assert_eq!(error, expected, "{fate:?}"),
            None => assert!(error.is_temporary(), "{fate:?}: {error}"),
        }
        assert_eq!(storage.load().await.unwrap().unwrap().refresh_token, before, "{fate:?}");
        scene.way.next(&[]);
        scene.server.clock.advance_seconds(120);
        assert!(scene.is_good(&manager.access_token().await.unwrap()).await, "{fate:?}");
    }
}

#[tokio::test]
async fn an_answer_without_a_refresh_token_keeps_the_old_one() {
    let scene = Scene::new(Kind::Public).await;
    let storage = MemoryStorage::default();
    let manager = scene.logged_in(storage.clone()).await;
    let before = storage.load().await.unwrap().unwrap();
    scene.server.clock.advance_seconds(3600);
    scene.way.next(&[Fate::Answered(200, r#"{"access_token":"a","expires_in":60}"#)]);
    assert_eq!(manager.access_token().await.unwrap().expose(), "a");
    let after = storage.load().await.unwrap().unwrap();
    assert_eq!((after.refresh_token, after.scope), (before.refresh_token, before.scope));
}

#[tokio::test]
async fn an_error_is_no_reason_to_hide_a_token_that_still_lives() {
    let scene = Scene::new(Kind::Public).await;
    let manager = scene.logged_in(MemoryStorage::default()).await;
    let first = manager.access_token().await.unwrap();
    scene.server.clock.advance_seconds(3591);
    scene.way.next(&[Fate::Answered(400, r#"{"error":"invalid_scope"}"#)]);
    assert_eq!(manager.access_token().await.unwrap(), first);
    manager.invalidate(&first);
    scene.way.next(&[Fate::Answered(400, r#"{"error":"invalid_scope"}"#)]);
    assert!(manager.access_token().await.is_err());
}

#[tokio::test]
async fn a_rejected_token_is_replaced_once_for_all_who_saw_it_rejected() {
    let scene = Scene::new(Kind::Public).await;
    let manager = scene.logged_in(MemoryStorage::default()).await;
    let first = manager.access_token().await.unwrap();
    scene.server.clock.advance_seconds(60);
    let mut tokens = Vec::new();
    for _ in 0..5 {
        manager.invalidate(&first);
        tokens.push(manager.access_token().await.unwrap());
    }
    assert_eq!(scene.way.take_sent().len(), 1);
    assert!(tokens.iter().all(|token| *token != first && *token == tokens[0]));
}

#[tokio::test]
async fn a_logout_removes_the_tokens_here_and_at_the_server() {
    let scene = Scene::new(Kind::Public).await;
    let storage = MemoryStorage::default();
    let manager = scene.logged_in(storage.clone()).await;
    let token = manager.access_token().await.unwrap();
    assert_eq!(manager.log_out().await, Ok(LogOut::Revoked));
    assert_eq!(storage.load().await, Ok(None));
    assert!(!scene.is_good(&token).await);
    assert_eq!(manager.access_token().await, Err(TokenError::LogIn(LogInReason::NoCredential)));
    assert_eq!(manager.log_out().await, Ok(LogOut::NothingToRevoke));
}

#[tokio::test]
async fn a_client_of_its_own_needs_no_person() {
    let scene = Scene::new(Kind::Basic).await;
    let manager = scene.manager(MemoryStorage::default()).by_client_credentials(Scope::parse("read").unwrap());
    for _ in 0..3 {
        assert!(scene.is_good(&manager.access_token().await.unwrap()).await);
        scene.server.clock.advance_seconds(3600);
    }
    let sent = scene.way.take_sent();
    assert_eq!(sent.len(), 3);
    assert_eq!((sent[0].get("grant_type"), sent[0].get("scope")), (Some("client_credentials"), Some("read")));
}

/// A credential whose access token never ends, of another server and of another client.
async fn foreign(scene: &Scene) -> [Credential; 2] {
    let mut own = scene.credential().await;
    own.refresh_token = None;
    own.access.as_mut().unwrap().expires_at = None;
    let issuer = IssuerIdentifier::parse("https://other.example").unwrap();
    let client_id = ClientId::parse("Other").unwrap();
    [Credential { issuer, ..own.clone() }, Credential { client_id, ..own }]
}

#[tokio::test]
async fn a_credential_of_another_server_or_client_is_neither_sent_nor_served_nor_touched() {
    let scene = Scene::new(Kind::Public).await;
    let is_refused = |error: &TokenError| matches!(error, TokenError::OtherServer { .. });
    for foreign in foreign(&scene).await {
        let own = scene.credential().await;
        let storage = MemoryStorage::default();
        let manager = scene.manager(storage.clone());
        assert!(is_refused(&manager.log_in(foreign.clone()).await.unwrap_err()));
        assert_eq!(storage.load().await, Ok(None));

        assert_eq!(storage.compare_and_swap(None, Some(&foreign)).await, Ok(Swap::Done));
        assert!(is_refused(&manager.access_token().await.unwrap_err()));
        assert!(is_refused(&manager.log_in(own).await.unwrap_err()));
        assert!(is_refused(&manager.log_out().await.unwrap_err()));
        assert!(scene.way.take_sent().is_empty());
        assert_eq!(storage.load().await, Ok(Some(foreign)));
    }
}

#[tokio::test]
async fn what_another_server_gave_while_an_answer_was_on_its_way_is_neither_served_nor_overwritten() {
    for needs_person in [true, false] {
        let scene = Scene::new(Kind::Basic).await;
        for foreign in foreign(&scene).await {
            let storage = MemoryStorage::default();
            let manager = if needs_person {
                let manager = scene.logged_in(storage.clone()).await;
                scene.server.clock.advance_seconds(3600);
                manager
            } else {
                scene.manager(storage.clone()).by_client_credentials(Scope::empty())
            };
            let (beside, theirs) = (storage.clone(), foreign.clone());
            scene.way.meanwhile(async move {
                let kept = beside.load().await.unwrap();
                let swap = beside.compare_and_swap(kept.as_ref().map(Credential::version), Some(&theirs)).await;
                assert_eq!(swap, Ok(Swap::Done));
            });
            for _ in 0..2 {
                let error = manager.access_token().await.unwrap_err();
                assert!(matches!(error, TokenError::OtherServer { .. }), "{error}");
            }
            assert_eq!(scene.way.take_sent().len(), 1);
            assert_eq!(storage.load().await, Ok(Some(foreign)));
        }
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_read_for_now_does_not_hide_a_token_that_still_lives() {
    use std::os::unix::fs::PermissionsExt as _;
    let scene = Scene::new(Kind::Public).await;
    let directory = tempfile::tempdir().unwrap();
    let file = FileStorage::new(directory.path().join("token.json"));
    let manager = scene.logged_in(file.clone()).await;
    let first = manager.access_token().await.unwrap();
    let allow = |mode| std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
    allow(0o644);
    scene.server.clock.advance_seconds(3591);
    for _ in 0..2 {
        assert_eq!(manager.access_token().await.unwrap(), first);
    }
    scene.server.clock.advance_seconds(10);
    let error = manager.access_token().await.unwrap_err();
    assert!(matches!(error, TokenError::Storage(StorageError::Exposed { .. })), "{error}");
    allow(0o600);
    assert!(scene.is_good(&manager.access_token().await.unwrap()).await);
}

#[tokio::test]
async fn a_home_that_cannot_be_written_does_not_hide_a_token_that_still_lives() {
    let scene = Scene::new(Kind::Public).await;
    let directory = tempfile::tempdir().unwrap();
    let file = FileStorage::new(directory.path().join("token.json"));
    let first = scene.logged_in(file.clone()).await.access_token().await.unwrap();
    // Opening a directory for writing fails for everybody, root included.
    let lock = directory.path().join("token.json.lock");
    std::fs::remove_file(&lock).unwrap();
    std::fs::create_dir(&lock).unwrap();
    for (seconds, serves) in [(0, true), (3000, true), (500, true), (95, true), (5, false)] {
        scene.server.clock.advance_seconds(seconds);
        let token = scene.manager(file.clone()).access_token().await;
        match token {
            Ok(token) => assert!(serves && token == first, "{seconds}"),
            Err(error) => assert!(!serves && error.to_string().contains("token.json"), "{seconds}: {error}"),
        }
    }
    assert!(scene.way.take_sent().is_empty());
}
