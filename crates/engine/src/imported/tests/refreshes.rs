use super::*;

#[tokio::test]
async fn an_imported_token_is_refreshed_and_its_successor_is_ours() {
    let (world, _) = world("app", |_| {}).await;
    let first = refresh(&world, "app", REFRESH, "").await.unwrap();
    assert_eq!((first.scope.as_str(), first.refresh_token_expires_in), ("openid read", Some(HOUR)));
    assert!(refresh_token(&first).starts_with("rgr_"));
    assert!(world.server.recognise(first.access_token.expose()).is_some());
    let second = world.refresh(&first, "").await.unwrap();
    assert_ne!(refresh_token(&second), refresh_token(&first));
}

#[tokio::test]
async fn what_is_refused_has_its_verdict_and_changes_nothing() {
    let (world, _) = world("app", |_| {}).await;
    for (why, asker, token, rest, expected) in [
        ("a stranger's", "other", REFRESH, "", Verdict::WrongClient),
        ("in capitals", "app", &*REFRESH.to_uppercase(), "", Verdict::Malformed),
        ("unknown", "app", "a", "", Verdict::Malformed),
        ("an access token", "app", ACCESS, "", Verdict::Malformed),
        ("too much scope", "app", REFRESH, "&scope=profile", Verdict::ScopeExceeded),
        ("a resource", "app", REFRESH, "&resource=https%3A%2F%2Fa.example", Verdict::TargetRefused),
    ] {
        assert_eq!(verdict(refresh(&world, asker, token, rest).await), expected, "{why}");
    }
    let given = refresh(&world, "app", REFRESH, "&scope=read").await.unwrap();
    assert_eq!(given.scope.as_str(), "read");
    assert_eq!(world.refresh(&given, "").await.unwrap().scope.as_str(), "openid read", "it was narrowed once");
}

#[tokio::test]
async fn an_imported_token_ends_when_the_other_system_would_have_ended_it() {
    let days = |seconds: u32| Some(Timestamp::from_seconds(1_800_000_000 + i64::from(seconds)));
    for (why, idle, absolute, after, expected) in [
        ("before its end", days(DAY), None, DAY - 1, None),
        ("at its end", days(DAY), None, DAY, Some(Verdict::ExpiredIdle)),
        ("at the end of the grant", None, days(DAY), DAY, Some(Verdict::ExpiredAbsolute)),
        ("it has no end", None, None, 1_000 * DAY, None),
    ] {
        let (world, _) = world("app", |grant| {
            (grant.birth.idle_expires_at, grant.birth.absolute_expires_at) = (idle, absolute);
        })
        .await;
        world.clock.advance_seconds(after);
        let answer = refresh(&world, "app", REFRESH, "").await;
        assert_eq!(answer.is_err().then(|| verdict(answer)), expected, "{why}");
    }
}

#[tokio::test]
async fn what_an_operator_ends_ends_imported_grants_too() {
    for (why, expected) in [
        ("the grant", Verdict::Revoked),
        ("the client's grants", Verdict::Revoked),
        ("the user's grants", Verdict::Revoked),
        ("the user", Verdict::UserDisabled),
    ] {
        let (world, secret) = world("web", |_| {}).await;
        assert!(introspect(&world, &secret, ACCESS).await.is_some());
        let store = &world.server.store;
        match why {
            "the grant" => drop(world.server.end_grant_by_operator(world.row_id()).await.unwrap()),
            "the client's grants" => store.change_client(&client("web"), ClientChange::RaiseCutoff).await.unwrap(),
            "the user's grants" => store.change_user(&world.alice, UserChange::RaiseCutoff).await.unwrap(),
            _ => store.change_user(&world.alice, UserChange::Status(UserStatus::Disabled)).await.unwrap(),
        }
        assert_eq!(verdict(refresh(&world, &secret, REFRESH, "").await), expected, "{why}");
        assert_eq!(introspect(&world, &secret, ACCESS).await, None, "{why}");
    }
}

#[tokio::test]
async fn two_tabs_with_one_imported_token_get_one_successor() {
    let (world, _) = world("app", |_| {}).await;
    let (one, other) = tokio::join!(refresh(&world, "app", REFRESH, ""), refresh(&world, "app", REFRESH, ""));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(refresh_token(&one), refresh_token(&other));
    let access_token = |given: &TokenResponse| world.server.recognise(given.access_token.expose()).unwrap().id();
    assert_eq!(access_token(&one), access_token(&other));
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_and_reuse_ends_the_grant() {
    let (world, secret) = world("web", |_| {}).await;
    let first = refresh(&world, &secret, REFRESH, "").await.unwrap();
    world.clock.advance_seconds(HOUR / 2);
    let again = refresh(&world, &secret, REFRESH, "").await.unwrap();
    assert_eq!(refresh_token(&again), refresh_token(&first));

    let second = refresh(&world, &secret, refresh_token(&again), "").await.unwrap();
    assert_eq!(verdict(refresh(&world, &secret, REFRESH, "").await), Verdict::ReuseDetected);
    assert_eq!(verdict(refresh(&world, &secret, refresh_token(&second), "").await), Verdict::Revoked);
    assert_eq!(verdict(refresh(&world, &secret, REFRESH, "").await), Verdict::Revoked);
}

#[tokio::test]
async fn a_public_client_has_its_minute() {
    for (seconds, is_retry) in [(59, true), (60, false)] {
        let (world, _) = world("app", |_| {}).await;
        let first = refresh(&world, "app", REFRESH, "").await.unwrap();
        world.clock.advance_seconds(seconds);
        let again = refresh(&world, "app", REFRESH, "").await;
        assert_eq!(again.is_ok(), is_retry, "{seconds} s");
        assert_eq!(world.refresh(&first, "").await.is_ok(), is_retry, "{seconds} s");
    }
}

#[tokio::test]
async fn each_mode_treats_an_imported_token_as_one_of_ours() {
    for (mode, answered, is_good_again) in [
        (RotationMode::Reuse, Some(true), true),
        (RotationMode::Fork, Some(false), true),
        (RotationMode::Consume, None, false),
    ] {
        let (world, secret) = world("web", |_| {}).await;
        let own = ClientSettings {
            auth_methods: vec![TokenEndpointAuthMethod::ClientSecretPost],
            policy: Policy { rotation: mode, on_reuse: Some(OnReuse::Revoke), ..settings().policy },
            ..settings()
        };
        world.server.change_client(&client("web"), own).await.unwrap();
        for use_of_it in 0..3 {
            let answer = refresh(&world, &secret, REFRESH, "").await;
            if use_of_it > 0 && !is_good_again {
                assert_eq!(verdict(answer), Verdict::RetryTooLate, "{mode:?}");
                continue;
            }
            let given = answer.unwrap();
            let is_echoed = given.refresh_token.as_ref().map(|token| token.expose() == REFRESH);
            assert_eq!(is_echoed, answered, "{mode:?}");
            assert!(world.server.recognise(given.access_token.expose()).is_some());
            if mode == RotationMode::Fork {
                assert!(refresh(&world, &secret, refresh_token(&given), "").await.is_ok());
            }
            world.clock.advance_seconds(HOUR - 1);
        }
    }
}

#[tokio::test]
async fn an_imported_token_outlives_master_keys_and_what_it_gave_does_not() {
    for mode in [RotationMode::Rotate, RotationMode::Reuse, RotationMode::Fork] {
        let (world, secret) = world("web", |_| {}).await;
        let own = ClientSettings {
            auth_methods: vec![TokenEndpointAuthMethod::ClientSecretPost],
            policy: Policy { rotation: mode, ..settings().policy },
            ..settings()
        };
        world.server.change_client(&client("web"), own).await.unwrap();
        world.server.rotate_master_key(&Nowhere, false).await.unwrap();
        world.server.rotate_master_key(&Nowhere, true).await.unwrap();
        assert!(introspect(&world, &secret, ACCESS).await.is_some(), "{mode:?}");
        let listed = world.server.grant(world.row_id()).await.unwrap().unwrap();
        assert_eq!(listed.state, AccessVerdict::Active, "{mode:?}");

        let given = refresh(&world, &secret, REFRESH, "").await.unwrap();
        assert!(introspect(&world, &secret, given.access_token.expose()).await.is_some(), "{mode:?}");
        world.server.rotate_master_key(&Nowhere, true).await.unwrap();
        assert!(introspect(&world, &secret, given.access_token.expose()).await.is_none(), "{mode:?}");
        let again = refresh(&world, &secret, REFRESH, "").await;
        if mode == RotationMode::Rotate {
            assert_eq!(verdict(again), Verdict::DeadEpoch, "its successor is the current token, and dead");
            let listed = world.server.grant(world.row_id()).await.unwrap().unwrap();
            assert_eq!(listed.state, AccessVerdict::DeadEpoch);
        } else {
            let given = again.unwrap();
            assert!(introspect(&world, &secret, given.access_token.expose()).await.is_some(), "{mode:?}");
        }
    }
}

#[tokio::test]
async fn a_client_revokes_an_imported_grant_by_its_refresh_token() {
    for used_before in [false, true] {
        let (world, _) = world("app", |_| {}).await;
        if used_before {
            refresh(&world, "app", REFRESH, "").await.unwrap();
        }
        revoke(&world, "other", REFRESH).await;
        assert!(refresh(&world, "app", REFRESH, "").await.is_ok(), "of another client");
        revoke(&world, "app", REFRESH).await;
        assert_eq!(verdict(refresh(&world, "app", REFRESH, "").await), Verdict::Revoked);
        assert!(world.server.inspect(&world.context(), ACCESS).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn an_import_that_is_repeated_brings_nothing_back() {
    let (world, _) = world("app", |_| {}).await;
    let given = refresh(&world, "app", REFRESH, "").await.unwrap();
    revoke(&world, "app", ACCESS).await;
    let again = async || world.server.import(vec![foreign(&world, "app")]).await.unwrap();
    assert_eq!(again().await, Imported { known: 2, ..Imported::default() });
    assert!(world.server.inspect(&world.context(), ACCESS).await.unwrap().is_none());
    assert!(world.refresh(&given, "").await.is_ok());
    assert_eq!(verdict(refresh(&world, "app", REFRESH, "").await), Verdict::ReuseDetected);
    again().await;
    assert_eq!(verdict(refresh(&world, "app", REFRESH, "").await), Verdict::Revoked);
}

#[tokio::test]
async fn imported_tokens_are_explained_by_where_they_stand() {
    let (world, _) = world("app", |_| {}).await;
    let explain = async |token: &str| world.server.explain(token).await.unwrap();
    let told = explain(REFRESH).await;
    assert_eq!((told.kind, told.verdict), (TokenKind::RefreshToken, ExplainedVerdict::Refresh(Verdict::Rotated)));
    assert_eq!((told.grant_id, told.client), (Some(world.row_id()), Some(client("app"))));
    let given = refresh(&world, "app", REFRESH, "").await.unwrap();
    world.refresh(&given, "").await.unwrap();
    let told = explain(REFRESH).await;
    assert_eq!(told.verdict, ExplainedVerdict::Refresh(Verdict::ReuseDetected));
    assert!(told.text.starts_with("This refresh token is generation 0; the grant is at generation 2"), "{}", told.text);

    let told = explain(ACCESS).await;
    assert_eq!(
        (told.kind, told.verdict),
        (TokenKind::OpaqueAccessToken, ExplainedVerdict::Access(AccessVerdict::Active))
    );
    revoke(&world, "app", ACCESS).await;
    assert_eq!(explain(ACCESS).await.verdict, ExplainedVerdict::AccessTokenRevoked);
    assert_eq!(explain("unknown").await.kind, TokenKind::Unknown);
}

#[tokio::test]
async fn the_client_of_an_imported_token_is_found_without_a_write() {
    let (world, _) = world("app", |_| {}).await;
    let find = async |token: &str| {
        let token = Secret::new(token.to_owned());
        world.server.client_of_refresh_token(&world.context(), &token).await
    };
    let before = world.server.grant(world.row_id()).await.unwrap();
    assert_eq!(find(REFRESH).await, Ok(Some(client("app"))));
    assert_eq!(find(ACCESS).await, Ok(None));
    assert_eq!(find("unknown").await, Ok(None));
    assert_eq!(world.server.grant(world.row_id()).await.unwrap(), before);
    let given = refresh(&world, "app", REFRESH, "").await.unwrap();
    assert_eq!(find(refresh_token(&given)).await, Ok(Some(client("app"))));
}
