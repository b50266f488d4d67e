//! OpenID Connect Core §5.3 and §5.4: what an access token tells about its user.

use regrant_protocol::Profile;
use regrant_store::{AccessTokenFormat, ClientChange, UserChange, UserStatus};
use regrant_tests::{Answer, Fault, Request, Setup, TestClient, TestServer, unverified_claims};
use serde_json::{Value, json};

const CALLBACK: &str = "https://app.example/cb";
const API: &str = "https://api.example";

fn profile() -> Profile {
    let text = |text: &str| Some(text.to_owned());
    Profile {
        name: text("Brent Shaffer"),
        given_name: text("Brent"),
        family_name: text("Shaffer"),
        middle_name: text("R."),
        nickname: text("bshaffer"),
        preferred_username: text("brent"),
        profile: text("https://people.example/brent"),
        picture: text("https://people.example/brent.png"),
        website: text("https://brent.example"),
        gender: text("male"),
        birthdate: text("0000-03-22"),
        zoneinfo: text("America/Denver"),
        locale: text("en-US"),
        updated_at: Some(1_700_000_000),
        email: text("brent@example.com"),
        email_verified: true,
    }
}

async fn openid_client<'a>(server: &'a TestServer) -> TestClient<'a> {
    server.confidential("TestClient").openid().redirect_uris(&[CALLBACK]).resources(&[API]).register().await
}

async fn tokens(app: &TestClient<'_>, server: &TestServer, scope: &str) -> Answer {
    let code = server.user_agent().obtain_code(&app.authorization().with("scope", scope)).await;
    app.redeem(&code).with("redirect_uri", CALLBACK).send().await.assert_ok()
}

fn ask(server: &TestServer, token: &str) -> Request {
    server.get("/userinfo").content_types(&[]).header("authorization", &format!("Bearer {token}"))
}

/// C-168.
#[tokio::test]
async fn openid_core_section_5_3_1_get_and_post_tell_the_same() {
    let server = TestServer::start().await;
    server.change_profile(profile()).await;
    let app = openid_client(&server).await;
    for format in [AccessTokenFormat::JwtEs256, AccessTokenFormat::Opaque] {
        app.change_settings(|settings| settings.access_token_format = format).await;
        let answer = tokens(&app, &server, "openid email").await;
        let bearer = format!("Bearer {}", answer.access_token());
        let post = || server.post("/userinfo");
        for request in [
            ask(&server, &answer.access_token()),
            post().header("authorization", &bearer),
            post().content_types(&[]).header("authorization", &bearer),
            post().with("access_token", &answer.access_token()),
        ] {
            let told = request.send().await.assert_ok();
            assert_eq!(told.header("content-type"), Some("application/json"));
            assert_eq!(told.header("cache-control"), Some("no-store"));
            let expected = json!({
                "sub": server.subject.as_str(), "email": "brent@example.com", "email_verified": true,
            });
            assert_eq!(told.json, expected, "{format:?}");
        }
    }
    for method in ["PUT", "DELETE", "PATCH"] {
        let refused = server.request(method, "/userinfo").send().await;
        assert_eq!((refused.status.as_u16(), refused.header("allow")), (405, Some("GET, HEAD, POST")), "{method}");
    }
}

/// C-168, C-172.
#[tokio::test]
async fn openid_core_section_5_4_each_scope_releases_its_claims() {
    let server = TestServer::start().await;
    server.change_profile(profile()).await;
    let app = openid_client(&server).await;
    let of_profile = json!({
        "name": "Brent Shaffer", "given_name": "Brent", "family_name": "Shaffer", "middle_name": "R.",
        "nickname": "bshaffer", "preferred_username": "brent", "profile": "https://people.example/brent",
        "picture": "https://people.example/brent.png", "website": "https://brent.example", "gender": "male",
        "birthdate": "0000-03-22", "zoneinfo": "America/Denver", "locale": "en-US", "updated_at": 1_700_000_000,
    });
    let of_email = json!({ "email": "brent@example.com", "email_verified": true });
    for (scope, released) in [
        ("openid", vec![]),
        ("openid read offline_access", vec![]),
        ("openid profile", vec![&of_profile]),
        ("openid email", vec![&of_email]),
        ("openid profile email", vec![&of_profile, &of_email]),
    ] {
        let answer = tokens(&app, &server, scope).await;
        let mut expected = json!({ "sub": unverified_claims(answer.member("id_token").unwrap())["sub"] });
        for claims in released {
            let claims = claims.as_object().unwrap().clone();
            expected.as_object_mut().unwrap().extend(claims);
        }
        assert_eq!(ask(&server, &answer.access_token()).send().await.assert_ok().json, expected, "{scope}");
    }
}

/// §5.3.2: what is not known is left out, never null; and what is told is what is known now.
#[tokio::test]
async fn openid_core_section_5_3_2_a_claim_that_is_not_known_is_left_out() {
    let server = TestServer::start().await;
    let app = openid_client(&server).await;
    let answer = tokens(&app, &server, "openid profile email").await;
    let sub = server.subject.as_str();
    for (profile, expected) in [
        (Profile::default(), json!({ "sub": sub })),
        (Profile { name: Some("B".to_owned()), ..Profile::default() }, json!({ "sub": sub, "name": "B" })),
        (
            Profile { email: Some("b@example.com".to_owned()), ..Profile::default() },
            json!({ "sub": sub, "email": "b@example.com", "email_verified": false }),
        ),
        (Profile { email_verified: true, ..Profile::default() }, json!({ "sub": sub })),
    ] {
        server.change_profile(profile).await;
        assert_eq!(ask(&server, &answer.access_token()).send().await.assert_ok().json, expected);
    }
}

/// A refresh for less gives a token that tells less.
#[tokio::test]
async fn openid_core_section_5_4_a_narrowed_access_token_releases_what_its_own_scope_says() {
    let server = TestServer::start().await;
    server.change_profile(profile()).await;
    let app = openid_client(&server).await;
    let answer = tokens(&app, &server, "openid profile email read").await;
    let narrowed = app.refresh(&answer.refresh_token()).with("scope", "openid email").send().await.assert_ok();
    let told = ask(&server, &narrowed.access_token()).send().await.assert_ok();
    assert_eq!(names(&told.json), ["email", "email_verified", "sub"]);
    let without = app.refresh(&narrowed.refresh_token()).with("scope", "profile read").send().await.assert_ok();
    ask(&server, &without.access_token()).send().await.assert_error(403, "insufficient_scope");
}

fn names(claims: &Value) -> Vec<&str> {
    claims.as_object().expect("claims are an object").keys().map(String::as_str).collect()
}

/// C-037, C-097, C-168: a user's access token with `openid`, for this server, that is good now.
#[tokio::test]
async fn openid_core_section_5_3_3_what_is_not_a_users_access_token_for_openid_is_refused() {
    let server = TestServer::start().await;
    let elsewhere = TestServer::start_with(Setup { seed: 2, ..Setup::default() }).await;
    let app = openid_client(&server).await;
    let answer = tokens(&app, &server, "openid").await;
    let foreign = tokens(&openid_client(&elsewhere).await, &elsewhere, "openid").await.access_token();
    let code = server.user_agent().obtain_code(&app.authorization().with("scope", "openid")).await;
    let itself = app.token("client_credentials").with("scope", "openid").send().await.access_token();
    let id_token = answer.member("id_token").unwrap();
    for refused in ["x", "rga_x", "a.b.c", &answer.refresh_token(), &code, id_token, &foreign, &itself] {
        ask(&server, refused).send().await.assert_error(401, "invalid_token");
    }
    let refused = ask(&server, &itself).send().await;
    assert!(refused.member("error_description").unwrap().contains("belongs to a client"), "{}", refused.text_of_body());
    let read = tokens(&app, &server, "read profile email").await.access_token();
    ask(&server, &read).send().await.assert_error(403, "insufficient_scope");
}

/// RFC 8707: a token that was asked for one resource server says nothing to another, and this is one.
#[tokio::test]
async fn openid_core_section_5_3_a_token_for_another_resource_server_is_refused() {
    let server = TestServer::start().await;
    let app = openid_client(&server).await;
    let request = app.authorization().with("scope", "openid read").with("resource", API);
    let code = server.user_agent().obtain_code(&request).await;
    let named = app.redeem(&code).with("redirect_uri", CALLBACK).send().await.assert_ok();
    assert_eq!(named.claims()["aud"], json!([API]));
    ask(&server, &named.access_token()).send().await.assert_error(401, "invalid_token");

    // A client whose tokens are for an API gets one that is for this endpoint too, when it asks for openid.
    app.change_settings(|settings| settings.audience = vec![API.to_owned()]).await;
    let both = tokens(&app, &server, "openid read").await;
    assert_eq!(both.claims()["aud"], json!([API, "https://id.example"]));
    ask(&server, &both.access_token()).send().await.assert_ok();
    let api_only = tokens(&app, &server, "read").await;
    assert_eq!(api_only.claims()["aud"], json!([API]));
}

/// RFC 6750 §3.1: `invalid_token` from the moment at which the token ends, however it ends.
#[tokio::test]
async fn openid_core_section_5_3_3_a_token_that_has_ended_tells_nothing() {
    let server = TestServer::start().await;
    let app = openid_client(&server).await;
    let end = async |how: &str| {
        let answer = tokens(&app, &server, "openid").await;
        ask(&server, &answer.access_token()).send().await.assert_ok();
        match how {
            "expired" => server.clock.advance_seconds(3600),
            "revoked" => drop(app.revoke(&answer.access_token()).send().await.assert_ok()),
            "grant revoked" => drop(app.revoke(&answer.refresh_token()).send().await.assert_ok()),
            "user locked" => server.change_user(UserChange::Status(UserStatus::Locked)).await,
            "user cutoff" => server.change_user(UserChange::RaiseCutoff).await,
            "client disabled" => app.change(ClientChange::Enabled(false)).await,
            other => panic!("{other} is not done"),
        }
        ask(&server, &answer.access_token()).send().await.assert_error(401, "invalid_token");
        server.change_user(UserChange::Status(UserStatus::Active)).await;
        app.change(ClientChange::Enabled(true)).await;
    };
    for how in ["expired", "revoked", "grant revoked", "user locked", "user cutoff", "client disabled"] {
        end(how).await;
    }
}

/// An outage is no verdict about a token: 503 with a time, and never 401, at which a client would throw it away.
#[tokio::test]
async fn openid_core_section_5_3_3_an_outage_is_no_verdict() {
    let server = TestServer::start().await;
    let app = openid_client(&server).await;
    let token = tokens(&app, &server, "openid").await.access_token();
    for fault in [Fault::Down, Fault::Refuses] {
        server.store.fail(fault);
        let refused = ask(&server, &token).may_be_unavailable().send().await.assert_unavailable();
        assert_eq!(refused.header("www-authenticate"), None);
        server.store.fail(None);
        ask(&server, &token).send().await.assert_ok();
    }
}
