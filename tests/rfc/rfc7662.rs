//! RFC 7662: introspection.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use regrant_grant::OldAccessTokens;
use regrant_store::{AccessTokenFormat, ClientSettings, UserChange, UserStatus};
use regrant_tests::{START_SECONDS, TestServer, USERNAME};

/// C-055; the methods are in `rfc6749_parameters.rs`.
#[tokio::test]
async fn rfc7662_section_2_1_the_caller_must_be_authorized() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let public = server.public("TestApp").register().await;
    let token = app.log_in().await.access_token();
    let anonymous = server.post("/introspect").with("token", &token);
    for refused in [
        anonymous.clone(),
        anonymous.clone().header("authorization", &format!("Bearer {token}")),
        anonymous.clone().basic("TestClient", "wrong"),
        anonymous.clone().with("client_id", "TestClient"),
        public.introspect(&token),
        public.introspect(&public.log_in().await.access_token()),
    ] {
        refused.send().await.assert_error(401, "invalid_client");
    }
    let in_body = anonymous.with("client_id", "TestClient").with("client_secret", app.secret.as_deref().unwrap());
    in_body.send().await.assert_active();
}

/// RFC 7662 §2.2: what an active token is told to be.
#[tokio::test]
async fn rfc7662_section_2_2_the_members_of_an_active_token() {
    let server = TestServer::start().await;
    for format in [AccessTokenFormat::JwtEs256, AccessTokenFormat::Opaque] {
        let app = server.confidential(&format!("{format:?}")).format(format).register().await;
        let login = app.log_in().await;
        server.clock.advance_milliseconds(500);
        let told = app.introspect(&login.access_token()).send().await.assert_active().json;
        for (member, expected) in [
            ("active", true.into()),
            ("scope", "read write".into()),
            ("client_id", app.id.as_str().into()),
            ("username", USERNAME.into()),
            ("token_type", "Bearer".into()),
            ("exp", (START_SECONDS + 3600).into()),
            ("iat", START_SECONDS.into()),
            ("sub", server.subject.as_str().into()),
            ("aud", serde_json::json!(["https://id.example"])),
            ("iss", "https://id.example".into()),
        ] {
            assert_eq!(told[member], expected, "{member} of {format:?}");
        }
        assert!(told["jti"].as_str().is_some());
        server.clock.jump_to(regrant_protocol::Timestamp::from_seconds(START_SECONDS));
    }
}

/// C-056: what an inactive answer may contain is checked by `assert_inactive`.
#[tokio::test]
async fn rfc7662_section_2_2_whatever_is_not_good_is_only_inactive() {
    let server = TestServer::start().await;
    for format in [AccessTokenFormat::JwtEs256, AccessTokenFormat::Opaque] {
        let app = server.confidential(&format!("{format:?}")).format(format).register().await;
        let stranger = server.confidential(&format!("stranger {format:?}")).register().await;
        let [expired, revoked] = [app.log_in().await, app.log_in().await];
        let itself = app.token("client_credentials").send().await;
        app.revoke(&revoked.refresh_token()).send().await.assert_ok();
        for token in [&revoked.access_token(), "garbage", "rga_AAAA", "a.b.c", "é"] {
            app.introspect(token).send().await.assert_inactive();
        }
        for foreign in [&expired, &itself] {
            stranger.introspect(&foreign.access_token()).send().await.assert_inactive();
            app.introspect(&foreign.access_token()).send().await.assert_active();
        }
        server.clock.advance_seconds(3599);
        app.introspect(&expired.access_token()).send().await.assert_active();
        server.clock.advance_seconds(1);
        app.introspect(&expired.access_token()).send().await.assert_inactive();
        app.introspect(&itself.access_token()).send().await.assert_inactive();
    }
}

/// C-057.
#[tokio::test]
async fn rfc7662_section_4_every_check_is_made_at_the_time_of_the_call() {
    let server = TestServer::start().await;
    for format in [AccessTokenFormat::JwtEs256, AccessTokenFormat::Opaque] {
        let app = server.confidential(&format!("{format:?}")).format(format).register().await;
        let token = app.log_in().await.access_token();
        for status in [UserStatus::Locked, UserStatus::Disabled] {
            server.change_user(UserChange::Status(status)).await;
            app.introspect(&token).send().await.assert_inactive();
            server.change_user(UserChange::Status(UserStatus::Active)).await;
            app.introspect(&token).send().await.assert_active();
        }
        server.change_user(UserChange::RaiseCutoff).await;
        app.introspect(&token).send().await.assert_inactive();
        app.introspect(&app.log_in().await.access_token()).send().await.assert_active();
    }
}

/// C-058: a client is told about its own tokens only, whoever they are for.
#[tokio::test]
async fn rfc7662_section_2_2_nobody_asks_about_the_tokens_of_others() {
    let server = TestServer::start().await;
    let audience =
        |settings: &mut regrant_store::ClientSettings| settings.audience = vec!["https://a.example".to_owned()];
    let app = server.confidential("app").set(audience).register().await;
    let api = server.confidential("https://b.example").register().await;
    let token = app.log_in().await.access_token();
    api.introspect(&token).send().await.assert_inactive();
    app.introspect(&token).send().await.assert_active();
}

/// C-059.
#[tokio::test]
async fn rfc7662_section_2_2_a_refresh_token_never_looks_like_an_access_token() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let token = app.log_in().await.refresh_token();
    for hint in ["", "refresh_token", "access_token"] {
        app.introspect(&token).with("token_type_hint", hint).send().await.assert_inactive();
    }
    app.introspect(&token.replace("rgr_", "rga_")).send().await.assert_inactive();
}

/// C-060.
#[tokio::test]
async fn rfc7662_section_2_1_a_jwt_that_is_not_our_access_token_is_inactive() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let login = app.log_in().await;
    let token = login.access_token();
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("not a JWT") };
    let jwks = server.get("/jwks").send().await.body;
    let encode = |header: &str| URL_SAFE_NO_PAD.encode(header);
    let by_the_key_set = jsonwebtoken::encode(
        &Header { typ: Some("at+jwt".to_owned()), ..Header::new(Algorithm::HS256) },
        &login.claims(),
        &EncodingKey::from_secret(&jwks),
    );
    for (forged, why) in [
        (format!("{}.{claims}.", encode(r#"{"alg":"none","typ":"at+jwt"}"#)), "none"),
        (format!("{}.{claims}.{signature}", encode(r#"{"alg":"none","typ":"at+jwt"}"#)), "none with a signature"),
        (format!("{}.{claims}.{signature}", encode(r#"{"alg":"ES256","typ":"JWT"}"#)), "another typ"),
        (format!("{header}.{}.{signature}", encode(r#"{"sub":"admin"}"#)), "other claims"),
        (
            format!("{header}.{claims}.{}", encode("no signature at all, but 64 bytes long like one of ES256 has.")),
            "noise",
        ),
        (format!("{header}.{claims}"), "no signature"),
        (format!("{token}.{signature}"), "four parts"),
        (format!("{token}="), "padding"),
        (by_the_key_set.unwrap(), "HS256 with the public keys"),
    ] {
        assert_eq!(app.introspect(&forged).send().await.text_of_body(), r#"{"active":false}"#, "{why}");
    }
    app.introspect(&token).send().await.assert_active();
}

/// A choice of ours, for clients of servers that do so: a retry gives what is current, and an older token is not.
#[tokio::test]
async fn rfc7662_section_2_2_a_refresh_ends_older_access_tokens_only_where_the_client_is_set_so() {
    let server = TestServer::start().await;
    let ending = |settings: &mut ClientSettings| settings.policy.old_access_tokens = OldAccessTokens::End;
    let app = server.confidential("TestClient").set(ending).register().await;
    let first = app.log_in().await;
    app.introspect(&first.access_token()).send().await.assert_active();
    let second = app.refresh(&first.refresh_token()).send().await;
    let again = app.refresh(&first.refresh_token()).send().await;
    app.introspect(&first.access_token()).send().await.assert_inactive();
    for current in [&second, &again] {
        app.introspect(&current.access_token()).send().await.assert_active();
    }
    app.change_settings(|settings| settings.policy.old_access_tokens = OldAccessTokens::Keep).await;
    app.introspect(&first.access_token()).send().await.assert_active();
}

/// C-061.
#[tokio::test]
async fn rfc7662_section_2_introspection_of_an_old_generation_changes_nothing() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let first = app.log_in().await;
    let second = app.refresh(&first.refresh_token()).send().await;
    let third = app.refresh(&second.refresh_token()).send().await.refresh_token();
    let row = server.grant(&third).await;
    for old in [&first, &second] {
        app.introspect(&old.refresh_token()).send().await.assert_inactive();
        app.introspect(&old.access_token()).send().await.assert_active();
    }
    assert_eq!(server.grant(&third).await, row);
    app.refresh(&third).send().await.assert_ok();
}
