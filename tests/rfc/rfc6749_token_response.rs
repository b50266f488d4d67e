//! RFC 6749 §4.3, §4.4 and §5: what the token endpoint answers.

use regrant_protocol::{GrantType, Scope};
use regrant_store::AccessTokenFormat;
use regrant_tests::TestServer;

/// C-024: the headers are checked by the harness, for every answer.
#[tokio::test]
async fn rfc6749_section_5_1_the_members_of_a_response_and_their_types() {
    let server = TestServer::start().await;
    for format in [AccessTokenFormat::JwtEs256, AccessTokenFormat::JwtEdDsa, AccessTokenFormat::Opaque] {
        let app = server.confidential(&format!("{format:?}")).format(format).register().await;
        let login = app.log_in().await;
        let refresh = app.refresh(&login.refresh_token()).send().await.assert_ok();
        let itself = app.token("client_credentials").send().await.assert_ok();
        for answer in [&login, &refresh, &itself] {
            assert_eq!(answer.number("expires_in"), Some(3600));
            assert_eq!(answer.member("scope"), Some("read write"));
        }
        for answer in [&login, &refresh] {
            assert_eq!(answer.number("refresh_token_expires_in"), Some(14 * 24 * 3600));
            assert_eq!(answer.refresh_token().len(), 72);
        }
    }
}

/// C-024.
#[tokio::test]
async fn rfc6749_section_5_1_what_never_ends_has_no_expires_in() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").lifetimes(0, 0, 0).register().await;
    let login = app.log_in().await;
    let refresh = app.refresh(&login.refresh_token()).send().await.assert_ok();
    for answer in [&login, &refresh] {
        assert_eq!((&answer.json["expires_in"], &answer.json["refresh_token_expires_in"]), (&().into(), &().into()));
    }
    server.clock.advance_seconds(u32::MAX);
    app.introspect(&refresh.access_token()).send().await.assert_active();
    app.refresh(&refresh.refresh_token()).send().await.assert_ok();
}

/// C-014.
#[tokio::test]
async fn rfc6749_section_3_3_the_granted_scope_is_told() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").scope("a b c").register().await;
    for (asked, granted) in [("a", "a"), ("b a", "b a"), ("a a b", "a b")] {
        let login = app.password().with("scope", asked).send().await.assert_scope(granted);
        app.refresh(&login.refresh_token()).send().await.assert_scope(granted);
        app.token("client_credentials").with("scope", asked).send().await.assert_scope(granted);
    }
    for request in [app.password(), app.token("client_credentials")] {
        let refused = request.with("scope", "a d").send().await.assert_error(400, "invalid_scope");
        assert_eq!(refused.member("error_description"), Some("'d' is not in the scope of this client"));
    }
}

/// C-015.
#[tokio::test]
async fn rfc6749_section_3_3_without_a_scope_the_clients_default_is_granted() {
    let server = TestServer::start().await;
    for default in ["b", "a b", ""] {
        let builder = server.confidential(&format!("default {default:?}")).scope("a b");
        let parsed = Scope::parse(default).unwrap();
        let app = builder.set(|settings| settings.default_scope = parsed).register().await;
        let login = app.log_in().await.assert_scope(default);
        app.refresh(&login.refresh_token()).send().await.assert_scope(default);
        app.token("client_credentials").send().await.assert_scope(default);
    }
}

/// C-023.
#[tokio::test]
async fn rfc6749_section_4_4_client_credentials_are_for_confidential_clients_and_have_no_refresh_token() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let answer = app.token("client_credentials").send().await.assert_ok();
    assert!(answer.json.get("refresh_token").is_none());
    assert!(answer.json.get("refresh_token_expires_in").is_none());
    let public = server.public("TestApp").register().await;
    public.token("client_credentials").send().await.assert_error(400, "unauthorized_client");
}

/// C-023: even if an operator's change of settings slipped it in.
#[tokio::test]
async fn rfc6749_section_4_4_a_public_client_never_acts_for_itself() {
    let server = TestServer::start().await;
    let public = server.public("TestApp").register().await;
    public.change_settings(|settings| settings.grant_types.push(GrantType::ClientCredentials)).await;
    public.token("client_credentials").send().await.assert_error(400, "unauthorized_client");
}

/// C-026.
#[tokio::test]
async fn rfc6749_section_5_2_an_unknown_grant_type_is_unsupported_and_a_forbidden_one_is_unauthorized() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    for unknown in ["foo", "Refresh_Token", "urn:ietf:params:oauth:grant-type:device_code", "implicit"] {
        app.token(unknown).send().await.assert_error(400, "unsupported_grant_type");
    }
    for forbidden in GrantType::ALL {
        let kept: Vec<_> = GrantType::ALL.into_iter().filter(|kept| *kept != forbidden).collect();
        let other = server.confidential(&format!("without {forbidden:?}")).redirect_uris(&["https://app.example/cb"]);
        let other = other.grant_types(&kept).register().await;
        let request = match forbidden {
            GrantType::Password => other.password(),
            GrantType::RefreshToken => other.refresh(&app.log_in().await.refresh_token()),
            GrantType::AuthorizationCode => other.redeem("rgc_x"),
            GrantType::ClientCredentials => other.token(forbidden.as_str()),
        };
        request.send().await.assert_error(400, "unauthorized_client");
    }
}

/// RFC 6749 §1.5: a refresh token is optional, and given to whoever may use it.
#[tokio::test]
async fn rfc6749_section_1_5_a_client_that_may_not_refresh_gets_no_refresh_token() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").grant_types(&[GrantType::Password]).register().await;
    let answer = app.log_in().await;
    assert!(answer.json.get("refresh_token").is_none());
    app.change_settings(|settings| settings.grant_types.push(GrantType::RefreshToken)).await;
    assert!(app.log_in().await.json.get("refresh_token").is_some());
    for (needed, is_given) in [("read", true), ("offline", false)] {
        app.change_settings(|settings| settings.refresh_token_scope = Some(Scope::parse(needed).unwrap())).await;
        assert_eq!(app.log_in().await.json.get("refresh_token").is_some(), is_given, "{needed}");
    }
}

/// RFC 6749 §4.3.2.
#[tokio::test]
async fn rfc6749_section_4_3_2_wrong_credentials_are_an_invalid_grant_whoever_the_user_is() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let mut told = Vec::new();
    for (username, password) in [
        ("bshaffer", "wrong"),
        ("nobody", "brent123"),
        ("\u{7}", "x"),
        ("BSHAFFER", "brent123"),
        ("bshaffer ", "brent123"),
    ] {
        let request = app.token("password").with("username", username).with("password", password);
        told.push(request.send().await.assert_error(400, "invalid_grant").body);
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
}
