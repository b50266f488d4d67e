//! RFC 6749 §6 and §10: refreshing an access token.

use regrant_grant::ScopeNarrowing;
use regrant_store::ClientSettings;
use regrant_tests::{TestServer, flipped};

/// C-027.
#[tokio::test]
async fn rfc6749_section_6_a_stranger_neither_uses_nor_ends_a_grant() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let strangers = [server.confidential("stranger").register().await, server.public("TestApp").register().await];
    let first = app.log_in().await.refresh_token();
    let second = app.refresh(&first).send().await.refresh_token();
    let row = server.grant(&second).await;
    let mut told = Vec::new();
    for stranger in &strangers {
        for token in [&first, &second] {
            told.push(stranger.refresh(token).send().await.assert_error(400, "invalid_grant").body);
        }
        told.push(stranger.refresh(&flipped(&second, 60)).send().await.assert_error(400, "invalid_grant").body);
    }
    told.dedup();
    assert_eq!(told.len(), 1, "a stranger cannot tell a token of others from a forged one");
    assert_eq!(server.grant(&second).await, row);
    app.refresh(&second).send().await.assert_ok();
}

/// C-028.
#[tokio::test]
async fn rfc6749_section_6_refresh_scope_never_widens() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").scope("a b c").register().await;
    let first = app.password().with("scope", "a b").send().await.refresh_token();
    for wider in ["a b c", "c", "a c", "A", "offline"] {
        app.refresh(&first).with("scope", wider).send().await.assert_error(400, "invalid_scope");
    }
    assert_eq!(server.grant(&first).await.version, 1, "a refused scope uses nothing up");
    let second = app.refresh(&first).with("scope", "a").send().await.assert_scope("a").refresh_token();
    app.refresh(&second).send().await.assert_scope("a b");
}

/// C-029.
#[tokio::test]
async fn rfc6749_section_6_the_new_refresh_token_has_the_scope_of_the_old() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").scope("a b c").register().await;
    let mut token = app.log_in().await.refresh_token();
    for (asked, granted) in [("a", "a"), ("b c", "b c"), ("", "a b c"), ("c a b", "c a b"), ("b", "b"), ("a c", "a c")]
    {
        let answer = app.refresh(&token).with("scope", asked).send().await.assert_scope(granted);
        assert_eq!(answer.claims()["scope"], granted);
        token = answer.refresh_token();
        assert_eq!(server.grant(&token).await.scope.as_str(), "a b c");
    }
}

/// A choice of ours, for clients of servers that do so.
#[tokio::test]
async fn rfc6749_section_6_a_narrower_scope_sticks_only_where_the_client_is_set_so() {
    let server = TestServer::start().await;
    let narrowing = |settings: &mut ClientSettings| settings.policy.scope_narrowing = ScopeNarrowing::Grant;
    let app = server.confidential("TestClient").scope("a b c").set(narrowing).register().await;
    let first = app.log_in().await.refresh_token();
    let second = app.refresh(&first).with("scope", "a b").send().await.assert_scope("a b").refresh_token();
    assert_eq!(server.grant(&second).await.scope.as_str(), "a b");
    // The answer was lost.
    let again = app.refresh(&first).with("scope", "a b").send().await.assert_scope("a b").refresh_token();
    assert_eq!(again, second);
    app.refresh(&first).with("scope", "a b c").send().await.assert_error(400, "invalid_scope");
    app.refresh(&second).with("scope", "c").send().await.assert_error(400, "invalid_scope");
    let third = app.refresh(&second).send().await.assert_scope("a b").refresh_token();
    app.refresh(&third).with("scope", "b").send().await.assert_scope("b");
}

/// RFC 6749 §6: a scope that an operator takes from the client later is still what the user granted.
#[tokio::test]
async fn rfc6749_section_6_the_scope_is_that_of_the_grant() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").scope("a").register().await;
    let first = app.log_in().await.refresh_token();
    app.change_settings(|settings| {
        settings.scope = regrant_protocol::Scope::parse("a b").unwrap();
        settings.default_scope = settings.scope.clone();
    })
    .await;
    app.refresh(&first).with("scope", "a b").send().await.assert_error(400, "invalid_scope");
    app.refresh(&first).send().await.assert_scope("a");
}

/// OpenID Connect Core §11, and clients that name it at every refresh.
#[tokio::test]
async fn openid_core_section_11_offline_access_in_a_refresh_is_ignored_where_it_was_not_granted() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").scope("a b").register().await;
    let first = app.log_in().await.refresh_token();
    let second = app.refresh(&first).with("scope", "a offline_access").send().await.assert_scope("a").refresh_token();
    app.refresh(&second).with("scope", "c offline_access").send().await.assert_error(400, "invalid_scope");

    let keeper = server.confidential("keeper").scope("a offline_access").register().await;
    let first = keeper.log_in().await.refresh_token();
    let second = keeper.refresh(&first).with("scope", "offline_access").send().await.assert_scope("offline_access");
    keeper.refresh(&second.refresh_token()).send().await.assert_scope("a offline_access");
}

/// C-007, C-014: what is ignored is absent, so that the whole scope is given; a client that hears of no scope believes
/// that it has what it asked for (RFC 6749 §5.1).
#[tokio::test]
async fn openid_core_section_11_a_refresh_that_names_offline_access_alone_asks_for_no_scope() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").scope("a b").register().await;
    let first = app.log_in().await.refresh_token();
    app.refresh(&first).with("scope", "offline_access").send().await.assert_scope("a b");
}

/// C-030: a flip in head or prefilter tag is found without the store, one in the authority tag by its row.
#[tokio::test]
async fn rfc6749_section_10_4_every_bit_of_a_refresh_token_counts() {
    const BITS: usize = 408;
    const BITS_BEFORE_THE_AUTHORITY_TAG: usize = 248;
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let token = app.log_in().await.refresh_token();
    let row = server.grant(&token).await;
    for bit in 0..BITS {
        let calls = server.store.calls();
        app.refresh(&flipped(&token, bit)).send().await.assert_error(400, "invalid_grant");
        let expected = u64::from(bit >= BITS_BEFORE_THE_AUTHORITY_TAG);
        assert_eq!(server.store.calls() - calls, expected, "calls of the store for bit {bit}");
    }
    assert_eq!(server.grant(&token).await, row);
    app.refresh(&token).send().await.assert_ok();
}

/// C-194.
#[tokio::test]
async fn rfc6749_section_10_4_only_the_canonical_encoding_is_a_token() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let token = app.log_in().await.refresh_token();
    let mut others: Vec<String> = (1..token.len()).map(|length| token[..length].to_owned()).collect();
    others.extend(["=", "==", "A", "AAAA", " ", "\n", "\0", "%"].map(|tail| format!("{token}{tail}")));
    others.extend([" ", "rgr_", "Bearer "].map(|head| format!("{head}{token}")));
    others.push(token.replace("rgr_", "rga_"));
    others.push(token.replace("rgr_", "rgc_"));
    others.push(token.replace("rgr_", "RGR_"));
    others.push(token[4..].to_owned());
    others.push(format!("{}=", &token[..71]));
    for other in others {
        app.refresh(&other).send().await.assert_error(400, "invalid_grant");
    }
    assert_eq!(server.grant(&token).await.version, 1);
    app.refresh(&token).send().await.assert_ok();
}
