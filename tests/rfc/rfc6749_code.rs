//! RFC 6749 §4.1.2 to §4.1.4 and §10.5: the authorization code and its redemption.

use regrant_grant::CODE_LIFETIME_SECONDS;
use regrant_protocol::GrantType;
use regrant_tests::{TestServer, VERIFIER, flipped};

const CALLBACK: &str = "https://app.example/cb";

#[tokio::test]
async fn rfc6749_section_4_1_4_a_code_gives_tokens_that_live() {
    let server = TestServer::start().await;
    let builder = server.confidential("TestClient").redirect_uris(&[CALLBACK]);
    let app = builder.register().await;
    let tokens = app.redeem(&app.obtain_code().await).with("redirect_uri", CALLBACK).send().await.assert_ok();
    assert_eq!(tokens.claims()["sub"], server.subject.as_str());
    let active = app.introspect(&tokens.access_token()).send().await.assert_active();
    assert_eq!(active.member("scope"), Some("read write"));
    let second = app.refresh(&tokens.refresh_token()).send().await.assert_ok();
    assert_ne!(second.refresh_token(), tokens.refresh_token());
}

#[tokio::test]
async fn rfc6749_section_4_1_4_a_client_that_may_not_refresh_gets_no_refresh_token() {
    let server = TestServer::start().await;
    let builder = server.public("TestApp").redirect_uris(&[CALLBACK]);
    let app = builder.grant_types(&[GrantType::AuthorizationCode]).register().await;
    let tokens = app.redeem(&app.obtain_code().await).send().await.assert_ok();
    assert_eq!((tokens.member("refresh_token"), tokens.number("refresh_token_expires_in")), (None, None));
}

#[tokio::test]
async fn rfc6749_section_4_1_3_a_redemption_names_a_code() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    app.token("authorization_code").send().await.assert_error(400, "invalid_request");
    app.present("").send().await.assert_error(400, "invalid_request");
    let code = app.obtain_code().await;
    for name in ["code", "redirect_uri", "code_verifier"] {
        let twice = app.redeem(&code).with("redirect_uri", CALLBACK).with(name, "x");
        twice.send().await.assert_error(400, "invalid_request");
    }
    app.redeem(&code).with("scope", "admin").with("foo", "bar").send().await.assert_scope("read write");
}

/// C-014: the user may allow less than was asked.
#[tokio::test]
async fn rfc6749_section_3_3_the_scope_that_the_user_allowed_is_told() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").scope("a b c").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let page = browser.reach_consent(&app.authorization().with("scope", "a b")).await.assert_consent_page();
    let answer = browser.submit(page.consent_form().untick("b").press("decision", "allow")).await;
    let tokens = app.redeem(&answer.redirect().code()).send().await.assert_scope("a");
    let second = app.refresh(&tokens.refresh_token()).send().await.assert_scope("a");
    app.refresh(&second.refresh_token()).with("scope", "a b").send().await.assert_error(400, "invalid_scope");
}

/// C-014: nobody allows what was not asked.
#[tokio::test]
async fn rfc6749_section_3_3_a_consent_form_adds_nothing_to_what_was_asked() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").scope("a b c").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let page = browser.reach_consent(&app.authorization().with("scope", "a")).await.assert_consent_page();
    let more = page.consent_form().fill("allow_1", "b").fill("allow_2", "admin").press("decision", "allow");
    let code = browser.submit(more).await.redirect().code();
    app.redeem(&code).send().await.assert_scope("a");
}

/// C-017.
#[tokio::test]
async fn rfc6749_section_4_1_2_a_code_lives_for_a_minute() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    assert_eq!(CODE_LIFETIME_SECONDS, 60);
    let (first, second) = (app.obtain_code().await, app.obtain_code().await);
    server.clock.advance_milliseconds(CODE_LIFETIME_SECONDS * 1000 - 1);
    let tokens = app.redeem(&first).send().await.assert_ok();
    server.clock.advance_milliseconds(1);
    for _ in 0..2 {
        app.redeem(&second).send().await.assert_error(400, "invalid_grant");
        // An expired code that was used is as expired as any other: its grant lives on.
        app.redeem(&first).send().await.assert_error(400, "invalid_grant");
    }
    app.refresh(&tokens.refresh_token()).send().await.assert_ok();
}

/// C-017, C-018, C-151.
#[tokio::test]
async fn rfc6749_section_4_1_2_a_code_that_is_used_twice_ends_what_it_gave() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").redirect_uris(&[CALLBACK]).register().await;
    let code = app.obtain_code().await;
    let first = app.redeem(&code).send().await.assert_ok();
    let second = app.refresh(&first.refresh_token()).send().await.assert_ok();
    server.clock.advance_seconds(30);
    app.redeem(&code).send().await.assert_error(400, "invalid_grant");
    for dead in [&first, &second] {
        app.refresh(&dead.refresh_token()).send().await.assert_error(400, "invalid_grant");
        app.introspect(&dead.access_token()).send().await.assert_inactive();
    }
    app.redeem(&code).send().await.assert_error(400, "invalid_grant");
}

/// C-005, C-019: who has somebody else's code learns nothing and changes nothing.
#[tokio::test]
async fn rfc6749_section_4_1_3_a_code_is_for_its_client() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").redirect_uris(&[CALLBACK]).register().await;
    let strangers = [
        server.confidential("stranger").redirect_uris(&[CALLBACK]).register().await,
        server.public("TestApp").redirect_uris(&[CALLBACK]).register().await,
    ];
    let code = app.obtain_code().await;
    let mut told = Vec::new();
    for stranger in &strangers {
        for presented in [code.clone(), flipped(&code, 60), "rgc_x".to_owned(), "x".repeat(4000)] {
            told.push(stranger.redeem(&presented).send().await.assert_error(400, "invalid_grant").body);
        }
    }
    told.dedup();
    assert_eq!(told.len(), 1, "a stranger cannot tell a code of others from a forged one");
    let nameless = server.post("/token").with("grant_type", "authorization_code").with("code", &code);
    let nameless = nameless.with("code_verifier", VERIFIER);
    nameless.clone().send().await.assert_error(401, "invalid_client");
    nameless.clone().with("client_id", "TestClient").send().await.assert_error(401, "invalid_client");
    nameless.basic("TestClient", "wrong").send().await.assert_error(401, "invalid_client");

    let tokens = app.redeem(&code).send().await.assert_ok();
    for stranger in &strangers {
        stranger.redeem(&code).send().await.assert_error(400, "invalid_grant");
    }
    app.refresh(&tokens.refresh_token()).send().await.assert_ok();
}

/// C-019, C-020: a client that knows nothing of PKCE repeats the redirect URI, byte for byte.
#[tokio::test]
async fn rfc6749_section_4_1_3_the_redirect_uri_is_repeated_where_it_was_sent() {
    let server = TestServer::start().await;
    let builder = server.confidential("TestClient").pkce_optional();
    let app = builder.redirect_uris(&["http://127.0.0.1/cb", CALLBACK]).register().await;
    let sent = "http://127.0.0.1:49152/cb";
    let request = app.authorization().without_pkce().with("redirect_uri", sent);
    let code = server.user_agent().obtain_code(&request).await;
    app.present(&code).send().await.assert_error(400, "invalid_grant");
    for other in ["http://127.0.0.1/cb", "http://127.0.0.1:49153/cb", CALLBACK, "http://127.0.0.1:49152/cb/", "x"] {
        app.present(&code).with("redirect_uri", other).send().await.assert_error(400, "invalid_grant");
    }
    app.present(&code).with("redirect_uri", sent).send().await.assert_ok();
}

/// C-020: what was not sent need not be repeated; if it is, it has to be the registered one.
#[tokio::test]
async fn rfc6749_section_4_1_3_a_redirect_uri_that_was_not_sent_is_not_asked_for() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").pkce_optional().redirect_uris(&[CALLBACK]).register().await;
    let request = app.authorization().without_pkce().without("redirect_uri");
    for (repeated, is_accepted) in [(None, true), (Some(CALLBACK), true), (Some("https://app.example/other"), false)] {
        let code = server.user_agent().obtain_code(&request).await;
        let redemption = repeated.iter().fold(app.present(&code), |form, uri| form.with("redirect_uri", uri));
        assert_eq!(redemption.send().await.status.is_success(), is_accepted, "{repeated:?}");
    }
}

/// §10.5, §10.10: every bit counts, and only one text is the code.
#[tokio::test]
async fn rfc6749_section_10_10_a_code_cannot_be_changed_or_guessed() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let code = app.obtain_code().await;
    assert_eq!(code.len(), "rgc_".len() + (23 + 8 + 20) * 4 / 3);
    let reads = server.store.steps();
    for bit in 0..31 * 8 {
        app.redeem(&flipped(&code, bit)).send().await.assert_error(400, "invalid_grant");
    }
    assert_eq!(server.store.steps(), reads, "the store is not asked about a forgery");
    for bit in 31 * 8..51 * 8 {
        app.redeem(&flipped(&code, bit)).send().await.assert_error(400, "invalid_grant");
    }
    for changed in [
        format!("{code}="),
        format!("{code}A"),
        format!(" {code}"),
        code.replacen("rgc_", "RGC_", 1),
        code.replacen("rgc_", "rgr_", 1),
        code.replacen("rgc_", "rga_", 1),
        code.replacen("rgc_", "", 1),
        code[..code.len() - 1].to_owned(),
    ] {
        app.redeem(&changed).send().await.assert_error(400, "invalid_grant");
    }
    app.redeem(&code).send().await.assert_ok();
}

/// §10.5: a code and a refresh token of the same grant never stand for each other.
#[tokio::test]
async fn rfc6749_section_10_5_a_code_is_no_token_and_a_token_is_no_code() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").redirect_uris(&[CALLBACK]).register().await;
    let code = app.obtain_code().await;
    let as_refresh_token = code.replacen("rgc_", "rgr_", 1);
    for presented in [&code, &as_refresh_token] {
        app.refresh(presented).send().await.assert_error(400, "invalid_grant");
        app.introspect(presented).send().await.assert_inactive();
        app.revoke(presented).send().await.assert_ok();
    }
    let tokens = app.redeem(&code).send().await.assert_ok();
    let refresh_token = tokens.refresh_token();
    let as_code = refresh_token.replacen("rgr_", "rgc_", 1);
    for presented in [as_code, refresh_token.clone(), tokens.access_token()] {
        app.redeem(&presented).send().await.assert_error(400, "invalid_grant");
    }
    app.refresh(&refresh_token).send().await.assert_ok();
}
