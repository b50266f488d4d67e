//! OpenID Connect Core §3.1.2, §5.5 and §6: what a client may ask of the authorization endpoint beside OAuth. What the
//! user is to be asked is in `openid_core_prompt.rs`, what they agree to in `openid_core_consent.rs`.

use regrant_tests::{AuthorizationRequest, Form, Setup, TestClient, TestServer, unverified_claims};

const CALLBACK: &str = "https://app.example/cb";

async fn openid_client<'a>(server: &'a TestServer) -> TestClient<'a> {
    server.confidential("TestClient").openid().redirect_uris(&[CALLBACK]).register().await
}

/// The form with which a client's page asks, instead of a link.
fn as_form(request: &AuthorizationRequest) -> Form {
    let form = Form { action: "/authorize".to_owned(), method: "post".to_owned(), ..Form::default() };
    request.parameters().iter().fold(form, |form, (name, value)| form.fill(name, value))
}

/// The claims of the ID token that a code gives.
async fn id_token(app: &TestClient<'_>, code: &str) -> serde_json::Value {
    let answer = app.redeem(code).with("redirect_uri", CALLBACK).send().await.assert_ok();
    unverified_claims(answer.member("id_token").expect("the scope has openid"))
}

/// C-160.
#[tokio::test]
async fn openid_core_section_3_1_2_1_a_request_by_post_comes_to_the_same_as_one_by_get() {
    let server = TestServer::start().await;
    let app = openid_client(&server).await;
    let request = app.authorization().with("scope", "openid").with("nonce", "n-0S6_WzA2Mj");

    let mut browser = server.user_agent();
    let login = browser.submit(as_form(&request)).await.assert_login_page();
    let resume = browser.log_in(&login).await;
    let consent = browser.follow(&resume).await.assert_consent_page();
    let redirect = browser.allow(&consent).await.redirect();
    assert_eq!((redirect.address.as_str(), redirect.get("state")), (CALLBACK, Some("xyz")));
    assert_eq!(id_token(&app, &redirect.code()).await["nonce"], "n-0S6_WzA2Mj");

    // From the client's own site the browser leaves our cookies out, until the form has become a link.
    let silent = request.with("prompt", "none");
    let link = browser.submit_from_elsewhere(as_form(&silent)).await;
    assert_eq!(link.redirect().address, "/authorize");
    browser.follow(&link).await.redirect().code();
    // The query of a POST is not the request.
    let path = format!("/authorize?{}", silent.query());
    browser.submit(Form { action: path, method: "post".to_owned(), ..Form::default() }).await.assert_page(400);
}

/// C-164.
#[tokio::test]
async fn openid_core_section_3_1_2_2_an_id_token_hint_never_gives_another_users_tokens() {
    let server = TestServer::start().await;
    let app = openid_client(&server).await;
    let other = server.register_user("other").await;
    let request = app.authorization().with("scope", "openid");
    let (mut mine, mut theirs) = (server.user_agent(), server.user_agent());
    let hint = async |browser: &mut regrant_tests::UserAgent<'_>| {
        let code = browser.obtain_code(&request).await;
        let answer = app.redeem(&code).with("redirect_uri", CALLBACK).send().await.assert_ok();
        answer.member("id_token").unwrap().to_owned()
    };
    let my_hint = hint(&mut mine).await;
    let login = theirs.authorize(&request).await;
    let resume = theirs.log_in_as(&login, "other", "brent123").await;
    let consent = theirs.follow(&resume).await;
    theirs.allow(&consent).await.redirect().code();
    let their_hint = hint(&mut theirs).await;

    // An ID token says who it was, also when it is past its end.
    server.clock.advance_seconds(7200);
    let silent = request.clone().with("prompt", "none");
    mine.authorize(&silent.clone().with("id_token_hint", &my_hint)).await.redirect().code();
    let refused = mine.authorize(&silent.with("id_token_hint", &their_hint)).await;
    refused.assert_redirect_error("login_required");

    let expecting = request.with("id_token_hint", &their_hint);
    let page = mine.authorize(&expecting).await.assert_login_page();
    assert_eq!(page.required_form("/login").field("username"), Some(""), "not the name of somebody who is not meant");
    let resume = mine.log_in(&page).await;
    mine.follow(&resume).await.assert_redirect_error("login_required");
    let page = mine.authorize(&expecting).await.assert_login_page();
    let resume = mine.log_in_as(&page, "other", "brent123").await;
    let code = mine.follow(&resume).await.redirect().code();
    assert_eq!(id_token(&app, &code).await["sub"], other.as_str());
}

/// C-164: what is not an ID token of this server says nothing about anybody.
#[tokio::test]
async fn openid_core_section_3_1_2_1_an_id_token_hint_is_an_id_token_of_this_server() {
    let server = TestServer::start().await;
    let foreign_server = TestServer::start_with(Setup { seed: 2, ..Setup::default() }).await;
    let app = openid_client(&server).await;
    let same = openid_client(&foreign_server).await;
    let mut browser = server.user_agent();
    let request = app.authorization().with("scope", "openid");
    let answer =
        app.redeem(&browser.obtain_code(&request).await).with("redirect_uri", CALLBACK).send().await.assert_ok();
    let code = foreign_server.user_agent().obtain_code(&same.authorization().with("scope", "openid")).await;
    let foreign = same.redeem(&code).with("redirect_uri", CALLBACK).send().await.assert_ok();
    let own = answer.member("id_token").unwrap();
    let (claims, signature) = own.rsplit_once('.').unwrap();
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", claims.split_once('.').unwrap().1);
    for hint in [
        "x",
        &answer.access_token(),
        &answer.refresh_token(),
        foreign.member("id_token").unwrap(),
        &unsigned,
        claims,
        &format!("{claims}.{}", signature.chars().rev().collect::<String>()),
    ] {
        let refused = browser.authorize(&request.clone().with("id_token_hint", hint)).await;
        let redirect = refused.assert_redirect_error("invalid_request");
        assert!(!redirect.get("error_description").unwrap().contains(hint) || hint == "x", "a token is not told again");
    }
    browser.authorize(&request.with("id_token_hint", own)).await.redirect().code();
}

#[tokio::test]
async fn openid_core_section_3_1_2_1_a_login_hint_is_what_the_login_page_begins_with() {
    let server = TestServer::start().await;
    let app = openid_client(&server).await;
    let longest = "x".repeat(255);
    for (hint, expected) in [
        ("bshaffer", "bshaffer"),
        ("jane@example.com", "jane@example.com"),
        ("Zoë 🦀", "Zoë 🦀"),
        (&longest, longest.as_str()),
        (&format!("{longest}x"), ""),
        ("two\nlines", ""),
        ("", ""),
    ] {
        let page =
            server.user_agent().authorize(&app.authorization().with("login_hint", hint)).await.assert_login_page();
        assert_eq!(page.required_form("/login").field("username"), Some(expected), "{hint:?}");
    }
    // Who is logged in already may not be the one.
    let mut browser = server.user_agent();
    browser.approve(&app.authorization()).await.code();
    let request = app.authorization().with("prompt", "login").with("login_hint", "jane@example.com");
    let page = browser.authorize(&request).await.assert_login_page();
    assert_eq!(page.required_form("/login").field("username"), Some("jane@example.com"));
    // It is a hint: who logs in is who knows a password.
    let code = server.user_agent().obtain_code(&app.authorization().with("login_hint", "other")).await;
    assert_eq!(id_token(&app, &code).await["sub"], server.subject.as_str());
}

/// C-173, §5.5, §3.1.2.1: what is not supported is ignored, whatever it says.
#[tokio::test]
async fn openid_core_section_3_1_2_1_what_is_not_supported_never_causes_an_error() {
    let server = TestServer::start().await;
    let app = openid_client(&server).await;
    let mut browser = server.user_agent();
    let plain = app.authorization().with("scope", "openid");
    browser.approve(&plain).await.code();
    let long = "urn:x:".repeat(200);
    for name in ["display", "ui_locales", "acr_values", "claims", "claims_locales", "registration", "dpop_jkt", "x"] {
        for value in [
            "page",
            "touch",
            "fr-CA fr en",
            "urn:mace:incommon:iap:silver 0",
            "{\"userinfo\":{\"a\":null}}",
            "{",
            &long,
        ] {
            let code = browser.authorize(&plain.clone().with(name, value)).await.redirect().code();
            let claims = id_token(&app, &code).await;
            assert_eq!(claims["acr"], regrant_protocol::IdTokenClaims::ACR_PASSWORD, "{name}={value}");
        }
    }
    for round in 0..200 {
        let request =
            plain.clone().with("ui_locales", &format!("x-{round}")).with("acr_values", &format!("urn:{round}"));
        browser.authorize(&request).await.redirect().code();
    }
}

/// C-170, §6: request objects are refused by name, before anything in them could count, and never send anybody elsewhere.
#[tokio::test]
async fn openid_core_section_6_request_objects_are_refused_by_name() {
    let server = TestServer::start().await;
    let app = openid_client(&server).await;
    let mut browser = server.user_agent();
    // {"alg":"none"}, {"redirect_uri":"https://evil.example","client_id":"TestClient"}
    let unsigned =
        "eyJhbGciOiJub25lIn0.eyJyZWRpcmVjdF91cmkiOiJodHRwczovL2V2aWwuZXhhbXBsZSIsImNsaWVudF9pZCI6IlRlc3RDbGllbnQifQ.";
    for (name, value, code) in [
        ("request", unsigned, "request_not_supported"),
        ("request_uri", "https://app.example/request.jwt", "request_uri_not_supported"),
        ("request_uri", "urn:ietf:params:oauth:request_uri:x", "request_uri_not_supported"),
    ] {
        let request = app.authorization().with(name, value);
        for request in [request.clone(), request.clone().without("response_type")] {
            assert_eq!(browser.authorize(&request).await.assert_redirect_error(code).address, CALLBACK);
        }
        browser.authorize(&request.with("redirect_uri", "https://evil.example")).await.assert_page(400);
    }
}
