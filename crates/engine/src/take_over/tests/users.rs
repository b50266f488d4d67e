use regrant_protocol::{Subject, Username};
use regrant_store::User;

use super::*;

fn id_token(claims: Value) -> Says {
    Says::Tokens(json!({ "id_token": jwt(claims) }))
}

#[tokio::test]
async fn the_user_is_whom_the_chosen_source_names() {
    let now = 1_800_000_000;
    for (source, says, of_users, claim, expected, logged_in) in [
        (UserSource::AccessToken, Says::Tokens(json!({})), json!({}), "sub", "bob", now),
        (
            UserSource::IdToken,
            id_token(json!({ "sub": "carol", "auth_time": now - 60 })),
            json!({}),
            "sub",
            "carol",
            now - 60,
        ),
        (
            UserSource::IdToken,
            id_token(json!({ "sub": "carol", "auth_time": now + 60 })),
            json!({}),
            "sub",
            "carol",
            now,
        ),
        (UserSource::IdToken, id_token(json!({ "email": "c@x.example" })), json!({}), "email", "c@x.example", now),
        (UserSource::Introspection, Says::Tokens(json!({})), json!({ "active": true, "sub": 42 }), "sub", "42", now),
        (
            UserSource::Introspection,
            Says::Tokens(json!({})),
            json!({ "active": true, "username": "dave" }),
            "username",
            "dave",
            now,
        ),
        (UserSource::UserInfo, Says::Tokens(json!({})), json!({ "sub": "jörg" }), "sub", "j%C3%B6rg", now),
        (UserSource::UserInfo, Says::Tokens(json!({})), json!({ "sub": "other" }), "sub", "user:other", now),
    ] {
        let (world, old) =
            world(|settings| (settings.user_from, settings.user_claim) = (source, claim.to_owned())).await;
        old.says(says);
        old.of_users.lock().unwrap().1 = of_users;
        refresh(&world, OLD).await.unwrap();
        let row = row(&world).await.unwrap();
        assert_eq!((row.subject.as_str(), row.authenticated_at.seconds()), (expected, logged_in));
    }
}

#[tokio::test]
async fn a_user_whom_nobody_names_loses_nothing_while_that_is_put_right() {
    type Change = fn(&mut OldServerSettings);
    let jwt_of = |claims: Value| Says::Tokens(json!({ "access_token": jwt(claims) }));
    for (what, change, says, of_users) in [
        ("no JWT", (|_| {}) as Change, Says::Tokens(json!({ "access_token": "opaque" })), (200, json!({}))),
        ("two parts", |_| {}, Says::Tokens(json!({ "access_token": "e30.e30" })), (200, json!({}))),
        ("no claim", |_| {}, jwt_of(json!({})), (200, json!({}))),
        ("an empty claim", |_| {}, jwt_of(json!({ "sub": "" })), (200, json!({}))),
        ("half a number", |_| {}, jwt_of(json!({ "sub": 1.5 })), (200, json!({}))),
        ("no id_token", |settings| settings.user_from = UserSource::IdToken, Says::Tokens(json!({})), (200, json!({}))),
        (
            "another issuer",
            |settings| settings.issuer = Some("https://old.example".to_owned()),
            jwt_of(json!({ "sub": "bob", "iss": "https://else.example" })),
            (200, json!({})),
        ),
        (
            "another audience",
            |settings| settings.audience = Some("app".to_owned()),
            jwt_of(json!({ "sub": "bob", "aud": ["web", "api"] })),
            (200, json!({})),
        ),
        (
            "not active",
            |settings| settings.user_from = UserSource::Introspection,
            Says::Tokens(json!({})),
            (200, json!({ "active": false, "sub": "bob" })),
        ),
        (
            "no userinfo",
            |settings| settings.user_from = UserSource::UserInfo,
            Says::Tokens(json!({})),
            (404, json!({})),
        ),
    ] {
        let (mut world, old) = world(change).await;
        let listener = world.listen();
        old.says(says);
        *old.of_users.lock().unwrap() = of_users;
        let told = refresh(&world, OLD).await.unwrap_err();
        assert_eq!(told, TokenError::NotTakenOver { retry_after_seconds: 10 }, "{what}");
        assert!(listener.heard()[0].contains("TakeOver { outcome: Lost"), "{what}");
        old.asked();

        set(&world, &old, |_| {});
        old.says(Says::Tokens(json!({})));
        refresh(&world, OLD).await.unwrap();
        assert_eq!(old.asked(), [format!("refresh {NEXT}")], "{what}");
        assert_eq!(row(&world).await.unwrap().subject.as_str(), "bob");
    }
}

#[tokio::test]
async fn what_a_jwt_has_to_say_is_looked_for() {
    for aud in [json!("app"), json!(["api", "app"])] {
        let (world, old) = world(|settings| {
            (settings.issuer, settings.audience) = (Some("https://old.example".to_owned()), Some("app".to_owned()));
        })
        .await;
        let claims = json!({ "sub": "bob", "iss": "https://old.example", "aud": aud });
        old.says(Says::Tokens(json!({ "access_token": jwt(claims) })));
        refresh(&world, OLD).await.unwrap();
    }
}

#[tokio::test]
async fn a_user_is_asked_about_again_before_anything_is_given_up() {
    let (world, old) = world(|settings| settings.user_from = UserSource::UserInfo).await;
    old.of_users.lock().unwrap().0 = 503;
    let world = Arc::new(world);
    let refreshing = tokio::spawn({
        let world = Arc::clone(&world);
        async move { refresh(&world, OLD).await }
    });
    while old.asked.lock().unwrap().len() < 2 {
        tokio::task::yield_now().await;
    }
    old.of_users.lock().unwrap().0 = 200;
    refreshing.await.unwrap().unwrap();
    assert_eq!(old.asked(), [format!("refresh {OLD}"), "userinfo".to_owned(), "userinfo".to_owned()]);
}

#[tokio::test]
async fn a_user_who_is_not_known_here_is_made_or_refused() {
    for (unknown_users, is_known, is_good) in [
        (UnknownUsers::Create, false, true),
        (UnknownUsers::Create, true, true),
        (UnknownUsers::Refuse, true, true),
        (UnknownUsers::Refuse, false, false),
    ] {
        let (mut world, old) = world(|settings| settings.unknown_users = unknown_users).await;
        let bob = Subject::parse("bob").unwrap();
        if is_known {
            let username = Username::parse("robert").unwrap();
            world.server.store.add_user(User::without_password(bob.clone(), username)).await.unwrap();
        }
        let listener = world.listen();
        let answered = refresh(&world, OLD).await;
        assert_eq!(answered.is_ok(), is_good, "{unknown_users:?} {is_known}");
        if !is_good {
            assert_eq!(verdict(answered), Verdict::Malformed);
            assert!(listener.heard()[0].contains("TakeOver { outcome: UserRefused"));
            assert_eq!(verdict(refresh(&world, OLD).await), Verdict::Malformed);
            assert_eq!(old.asked().len(), 1);
        }
        let user = world.server.store.user(&bob).await.unwrap();
        let name = user.map(|user| user.username.as_str().to_owned());
        let expected = if is_known { Some("robert") } else { is_good.then_some("bob") };
        assert_eq!(name.as_deref(), expected);
    }
}

#[tokio::test]
async fn a_user_who_is_called_as_somebody_else_is_here_is_not_taken_for_them() {
    let (world, old) = world(|_| {}).await;
    old.says(Says::Tokens(json!({ "access_token": jwt(json!({ "sub": "alice" })) })));
    refresh(&world, OLD).await.unwrap();
    let subject = row(&world).await.unwrap().subject;
    assert_ne!(subject, world.alice);
    let user = world.server.store.user(&subject).await.unwrap().unwrap();
    assert_eq!((subject.as_str(), user.username.as_str()), ("alice", "old:alice"));
}

#[tokio::test]
async fn a_user_who_was_removed_here_does_not_come_back() {
    let (world, _old) = world(|_| {}).await;
    let bob = Subject::parse("bob").unwrap();
    let user = User::without_password(bob.clone(), Username::parse("bob").unwrap());
    world.server.store.add_user(user).await.unwrap();
    world.server.remove_user(&bob).await.unwrap();
    assert_eq!(verdict(refresh(&world, OLD).await), Verdict::Malformed);
    assert!(row(&world).await.is_none());
}
