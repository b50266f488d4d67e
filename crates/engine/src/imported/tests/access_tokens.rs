use super::*;

#[tokio::test]
async fn an_imported_access_token_is_introspected_until_its_end() {
    let (world, secret) = world("web", |_| {}).await;
    let told = introspect(&world, &secret, ACCESS).await.unwrap();
    let iat = world.now().seconds() - i64::from(HOUR / 2);
    assert_eq!((told.username.as_deref(), told.claims.scope.as_str()), (Some("alice"), "openid"));
    assert_eq!((told.claims.sub.as_str(), told.claims.client_id.as_str()), (world.alice.as_str(), "web"));
    assert_eq!((told.claims.iss.as_str(), told.claims.aud.as_slice()), (ISSUER, &[ISSUER.to_owned()][..]));
    assert_eq!((told.claims.iat, told.claims.exp), (iat, iat + i64::from(HOUR)));
    assert_eq!(told.claims.auth_time, Some(iat - i64::from(HOUR / 2)));

    refresh(&world, &secret, REFRESH, "").await.unwrap();
    world.clock.advance_seconds(HOUR / 2 - 1);
    assert_eq!(introspect(&world, &secret, ACCESS).await, Some(told), "a refresh leaves it");
    world.clock.advance_seconds(1);
    assert_eq!(introspect(&world, &secret, ACCESS).await, None);
}

#[tokio::test]
async fn an_imported_access_token_is_good_for_its_own_client_and_no_longer_than_its_grant() {
    let end = Timestamp::from_seconds(1_800_000_010);
    let (world, secret) = world("web", |grant| grant.birth.absolute_expires_at = Some(end)).await;
    assert_eq!(introspect(&world, &secret, ACCESS).await.unwrap().claims.exp, end.seconds());
    let own = ClientSettings { auth_methods: vec![TokenEndpointAuthMethod::ClientSecretPost], ..settings() };
    let other = world.server.register_client(client("api"), Secrecy::Generated, own).await.unwrap();
    let other = format!("api&client_secret={}", other.unwrap().expose());
    assert_eq!(introspect(&world, &other, ACCESS).await, None);
    assert_eq!(introspect(&world, &secret, REFRESH).await, None, "a refresh token");
    world.clock.advance_seconds(10);
    assert_eq!(introspect(&world, &secret, ACCESS).await, None);
}

#[tokio::test]
async fn where_old_access_tokens_end_with_a_refresh_imported_ones_do() {
    for mode in [RotationMode::Rotate, RotationMode::Reuse] {
        // The other system made the access token before the refresh token that it keeps.
        let earlier = |grant: &mut ImportedGrant| {
            grant.access_tokens[0].issued_at = grant.birth.created_at.plus_seconds(-9);
        };
        let (world, secret) = world("web", earlier).await;
        let policy = Policy { rotation: mode, old_access_tokens: OldAccessTokens::End, ..settings().policy };
        let auth_methods = vec![TokenEndpointAuthMethod::ClientSecretPost];
        world
            .server
            .change_client(&client("web"), ClientSettings { auth_methods, policy, ..settings() })
            .await
            .unwrap();
        assert!(introspect(&world, &secret, ACCESS).await.is_some(), "{mode:?}");
        world.clock.advance_seconds(1);
        let given = refresh(&world, &secret, REFRESH, "").await.unwrap();
        assert_eq!(introspect(&world, &secret, ACCESS).await, None, "{mode:?}");
        assert!(introspect(&world, &secret, given.access_token.expose()).await.is_some(), "{mode:?}");
    }
}

#[tokio::test]
async fn userinfo_and_an_api_of_the_same_process_know_imported_access_tokens() {
    let (world, _) = world("app", |_| {}).await;
    let ask = async |token: &str| {
        let header = format!("Bearer {token}");
        world.server.userinfo(&world.context(), &BearerToken::parse(header.as_bytes()).unwrap()).await
    };
    assert_eq!(ask(ACCESS).await.unwrap()["sub"], world.alice.as_str());
    assert_eq!(ask(REFRESH).await, Err(UserInfoError::InvalidToken));
    assert!(world.server.inspect(&world.context(), ACCESS).await.unwrap().is_some());
    revoke(&world, "other", ACCESS).await;
    assert!(ask(ACCESS).await.is_ok(), "of another client");
    revoke(&world, "app", ACCESS).await;
    assert_eq!(ask(ACCESS).await, Err(UserInfoError::InvalidToken));
    assert!(world.server.inspect(&world.context(), ACCESS).await.unwrap().is_none());
    assert!(refresh(&world, "app", REFRESH, "").await.is_ok(), "it was revoked alone");
}
