use super::*;

#[tokio::test]
async fn only_strings_that_nobody_knows_are_charged_and_only_to_who_proves_nothing() {
    let (world, secret) = world("app", |_| {}).await;
    let api = async |token: &str| world.server.inspect(&world.context(), token).await;
    for _ in 0..2 * SOURCE_FAILURE_BURST {
        assert!(api(ACCESS).await.unwrap().is_some());
        assert_eq!(api("rga_unknown").await, Ok(None), "of our own form");
        assert_eq!(introspect(&world, &secret, "unknown").await, None, "by a client that proved itself");
    }
    for guess in 0..SOURCE_FAILURE_BURST {
        assert_eq!(api(&format!("unknown{guess}")).await, Ok(None), "{guess}");
    }
    for guess in 0..SOURCE_FAILURE_BURST {
        let refused = refresh(&world, "app", &format!("unknown{guess}"), "").await;
        assert_eq!(verdict(refused), Verdict::Malformed, "{guess}, from a budget of its own");
    }
    let wait = TokenError::TooManyFailures { retry_after_seconds: SOURCE_FAILURE_INTERVAL_SECONDS };
    assert_eq!(api(ACCESS).await, Err(wait.clone()));
    assert_eq!(refresh(&world, "app", REFRESH, "").await, Err(wait.clone()));
    assert_eq!(verdict(refresh(&world, &secret, REFRESH, "").await), Verdict::WrongClient);
    let form = Params::parse(format!("client_id=app&token={REFRESH}").as_bytes()).unwrap();
    assert_eq!(world.server.revoke(&world.context(), None, &form).await, Err(wait));
    let userinfo = world.server.userinfo(&world.context(), &BearerToken::parse(b"Bearer x").unwrap()).await;
    assert!(matches!(userinfo, Err(UserInfoError::TooManyFailures { .. })), "{userinfo:?}");
    world.clock.advance_seconds(SOURCE_FAILURE_INTERVAL_SECONDS);
    assert!(refresh(&world, "app", REFRESH, "").await.is_ok());
}

#[tokio::test]
async fn dead_access_tokens_at_an_api_keep_nobody_from_refreshing() {
    let (world, _) = world("app", |_| {}).await;
    let userinfo = async || world.server.userinfo(&world.context(), &BearerToken::parse(b"Bearer dead").unwrap()).await;
    for _ in 0..SOURCE_FAILURE_BURST {
        assert!(!matches!(userinfo().await, Err(UserInfoError::TooManyFailures { .. })));
    }
    assert!(matches!(userinfo().await, Err(UserInfoError::TooManyFailures { .. })), "the budget is spent");
    assert!(refresh(&world, "app", REFRESH, "").await.is_ok());
}

#[tokio::test]
async fn nothing_is_looked_up_or_charged_until_something_was_imported() {
    let world = World::new().await;
    for _ in 0..2 * SOURCE_FAILURE_BURST {
        assert_eq!(verdict(refresh(&world, "app", REFRESH, "").await), Verdict::Malformed);
    }
    world.server.store.import(vec![foreign(&world, "app")]).await.unwrap();
    assert_eq!(verdict(refresh(&world, "app", REFRESH, "").await), Verdict::Malformed, "nobody told the server");
    world.clock.advance_seconds(IMPORTS_CACHED_MAX.as_secs() as u32);
    assert!(refresh(&world, "app", REFRESH, "").await.is_ok());

    let world = World::new().await;
    assert_eq!(verdict(refresh(&world, "app", REFRESH, "").await), Verdict::Malformed);
    world.server.import(vec![foreign(&world, "app")]).await.unwrap();
    assert!(refresh(&world, "app", REFRESH, "").await.is_ok());
}

#[test]
fn what_has_the_form_of_our_tokens_is_ours() {
    for (token, is_ours) in [
        ("rgr_", true),
        ("rga_AAAA", true),
        ("rgc_x", true),
        ("rgz_", true),
        ("rgr", false),
        ("rg_r", false),
        ("RGR_x", false),
        ("", false),
        (REFRESH, false),
    ] {
        assert_eq!(has_form_of_ours(token), is_ours, "{token:?}");
    }
}
