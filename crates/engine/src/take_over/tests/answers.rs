use super::*;

/// What a caller is told, and whether the same token is presented again when it comes again.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    /// The token is unknown, and that is remembered.
    Dead,
    /// Come again after so many seconds; nothing is remembered of the token.
    Later(u32),
}

#[tokio::test]
async fn only_a_refusal_of_the_token_is_one() {
    const MISCONFIGURED: Told = Told::Later(10);
    let code = |code: &str| json!({ "error": code }).to_string();
    let html = || "<html><body>Not Found</body></html>".to_owned();
    for (status, retry_after, body, expected) in [
        (400, None, code("invalid_grant"), Told::Dead),
        (401, None, code("invalid_grant"), Told::Dead),
        (400, None, code("expired_token"), Told::Dead),
        (200, None, code("invalid_grant"), Told::Dead),
        (429, Some(7), code("slow_down"), Told::Later(7)),
        (503, Some(100_000), html(), Told::Later(60)),
        (503, None, code("temporarily_unavailable"), Told::Later(1)),
        (500, None, code("invalid_grant"), Told::Later(1)),
        (400, None, code("server_error"), Told::Later(1)),
        (401, None, code("invalid_client"), MISCONFIGURED),
        (400, None, code("invalid_client"), MISCONFIGURED),
        (400, None, code("unauthorized_client"), MISCONFIGURED),
        (400, None, code("unsupported_grant_type"), MISCONFIGURED),
        (400, None, code("invalid_request"), MISCONFIGURED),
        (404, None, html(), MISCONFIGURED),
        (302, None, String::new(), MISCONFIGURED),
        (200, None, html(), MISCONFIGURED),
        (200, None, "[]".to_owned(), MISCONFIGURED),
        (200, None, "{\"access_token\":\"x\"".to_owned(), MISCONFIGURED),
        (200, None, json!({ "access_token": 7 }).to_string(), MISCONFIGURED),
        (200, None, json!({ "refresh_token": "x" }).to_string(), MISCONFIGURED),
        (201, None, json!({ "access_token": "x" }).to_string(), MISCONFIGURED),
        (403, None, "{}".to_owned(), MISCONFIGURED),
    ] {
        let (world, old) = world(|_| {}).await;
        old.says(Says::Answer(status, retry_after, body.clone()));
        let error = refresh(&world, OLD).await.unwrap_err();
        let told = if let TokenError::NotTakenOver { retry_after_seconds } = error {
            Told::Later(retry_after_seconds)
        } else {
            assert_eq!(error, TokenError::refresh(Verdict::Malformed), "{status} {body}");
            Told::Dead
        };
        assert_eq!(told, expected, "{status} {body}");
        assert!(row(&world).await.is_none());
        old.says(Says::Tokens(json!({})));
        if let Told::Later(seconds) = told {
            world.clock.advance_seconds(seconds);
            refresh(&world, OLD).await.unwrap();
            continue;
        }
        assert_eq!(verdict(refresh(&world, OLD).await), Verdict::Malformed, "{status} {body}");
        assert_eq!(old.asked().len(), 1, "{status} {body}");
        world.clock.advance_seconds(u32::try_from(DEAD_SECONDS).unwrap());
        refresh(&world, OLD).await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_refuses_nobody() {
    let (mut world, old) = world(|_| {}).await;
    let listener = world.listen();
    old.says(Says::Silence);
    assert_eq!(refresh(&world, OLD).await.unwrap_err(), TokenError::NotTakenOver { retry_after_seconds: 1 });
    let heard = listener.heard();
    assert!(heard[0].contains("TakeOver { outcome: Unreachable") && heard[1].contains("Refused"), "{heard:?}");
    old.says(Says::Tokens(json!({})));
    refresh(&world, OLD).await.unwrap();
}

#[tokio::test]
async fn the_scope_is_what_the_old_server_says_within_what_the_client_may_have() {
    let all = "openid profile read";
    for (source, more, kept, given) in [
        (UserSource::AccessToken, json!({ "scope": "read" }), "read", "read"),
        (UserSource::AccessToken, json!({ "scope": " profile  read " }), "profile read", "profile read"),
        (UserSource::AccessToken, json!({ "scope": ["read", "openid"] }), "read openid", "read openid"),
        (UserSource::AccessToken, json!({ "scope": "read admin" }), "read admin", "read"),
        (UserSource::AccessToken, json!({ "scope": "" }), "", ""),
        (UserSource::AccessToken, json!({ "scope": null }), all, all),
        (UserSource::AccessToken, json!({ "scope": 7 }), all, all),
        (UserSource::AccessToken, json!({}), all, all),
        (UserSource::Introspection, json!({}), "profile", "profile"),
        (UserSource::Introspection, json!({ "scope": "read" }), "read", "read"),
    ] {
        let (world, old) = world(|settings| settings.user_from = source).await;
        old.says(Says::Tokens(more.clone()));
        let given_here = refresh(&world, OLD).await.unwrap();
        assert_eq!((row(&world).await.unwrap().scope.as_str(), given_here.scope.as_str()), (kept, given), "{more}");
    }
}
