//! RFC 9700, the security best current practice, and what OAuth 2.1 makes of it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regrant_engine::Secrecy;
use regrant_grant::RotationMode;
use regrant_protocol::ClientId;
use regrant_store::Store;
use regrant_tests::{TestServer, with_bytes};

/// C-117, C-156.
#[tokio::test]
async fn rfc9700_section_4_14_2_a_public_client_gets_a_new_refresh_token_and_reuse_ends_everything() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").register().await;
    let mut answers = vec![app.log_in().await];
    for _ in 0..3 {
        let newest = answers.last().unwrap().refresh_token();
        answers.push(app.refresh(&newest).send().await.assert_ok());
    }
    let mut tokens: Vec<_> = answers.iter().map(|answer| answer.refresh_token()).collect();
    tokens.sort_unstable();
    tokens.dedup();
    assert_eq!(tokens.len(), 4, "every refresh gives another token");

    app.refresh(&answers[0].refresh_token()).send().await.assert_error(400, "invalid_grant");
    for answer in &answers {
        app.refresh(&answer.refresh_token()).send().await.assert_error(400, "invalid_grant");
        // A public client cannot introspect; an API in the same process asks the engine.
        assert!(!server.is_good(&answer.access_token()).await, "the access tokens of the grant end with it");
    }
}

/// C-117: a public client cannot be registered so that its tokens are neither bound nor rotated.
#[tokio::test]
async fn rfc9700_section_4_14_2_a_public_client_must_rotate() {
    let server = TestServer::start().await;
    let existing = server.public("TestApp").register().await;
    let settings = server.store.client(&existing.id).await.unwrap().unwrap().settings;
    for (rotation, is_accepted) in [
        (RotationMode::Rotate, true),
        (RotationMode::Consume, true),
        (RotationMode::Reuse, false),
        (RotationMode::Fork, false),
    ] {
        let mut settings = settings.clone();
        settings.policy.rotation = rotation;
        let id = ClientId::parse(&format!("{rotation:?}")).unwrap();
        let registered = server.engine.register_client(id, Secrecy::Public, settings).await;
        assert_eq!(registered.is_ok(), is_accepted, "{rotation:?}");
    }
    let mut settings = settings;
    (settings.policy.rotation, settings.allow_unsafe_rotation) = (RotationMode::Reuse, true);
    let id = ClientId::parse("unsafe").unwrap();
    server.engine.register_client(id, Secrecy::Public, settings).await.expect("its operator said so");
}

/// C-119.
#[tokio::test]
async fn rfc9700_section_4_14_2_the_grant_inside_a_token_cannot_be_exchanged() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let (mine, other) = (app.log_in().await.refresh_token(), app.log_in().await.refresh_token());
    let bytes = URL_SAFE_NO_PAD.decode(&other[4..]).unwrap();
    // Grant id; grant id and generation; whole head; head and prefilter tag; authority tag.
    for part in [3..19, 3..23, 0..23, 0..31, 31..51] {
        let forged = with_bytes(&mine, |own| own[part.clone()].copy_from_slice(&bytes[part.clone()]));
        app.refresh(&forged).send().await.assert_error(400, "invalid_grant");
        app.revoke(&forged).send().await.assert_ok();
    }
    for generation in [0_u32, 2, 3, u32::MAX] {
        let forged = with_bytes(&mine, |own| own[19..23].copy_from_slice(&generation.to_be_bytes()));
        app.refresh(&forged).send().await.assert_error(400, "invalid_grant");
    }
    app.refresh(&mine).send().await.assert_ok();
    app.refresh(&other).send().await.assert_ok();
}

/// C-119: nor does a token of another server help, even with the same client and user.
#[tokio::test]
async fn rfc9700_section_4_14_2_a_token_of_another_server_is_forged() {
    let (server, other) = (TestServer::start().await, {
        TestServer::start_with(regrant_tests::Setup { seed: 2, ..Default::default() }).await
    });
    let app = server.confidential("TestClient").register().await;
    let same = other.confidential("TestClient").register().await;
    let foreign = same.log_in().await;
    app.refresh(&foreign.refresh_token()).send().await.assert_error(400, "invalid_grant");
    app.introspect(&foreign.access_token()).send().await.assert_inactive();
    app.revoke(&foreign.refresh_token()).send().await.assert_ok();
    same.refresh(&foreign.refresh_token()).send().await.assert_ok();
}

/// C-121: the password grant is for clients that list it, and for no other.
#[tokio::test]
async fn rfc9700_section_2_4_the_password_grant_is_for_clients_that_list_it() {
    use regrant_protocol::GrantType::{AuthorizationCode, ClientCredentials, RefreshToken};
    let server = TestServer::start().await;
    let builder = server.confidential("TestClient").redirect_uris(&["https://app.example/cb"]);
    let app = builder.grant_types(&[AuthorizationCode, ClientCredentials, RefreshToken]).register().await;
    app.password().send().await.assert_error(400, "unauthorized_client");
}

/// C-154: 20 bytes, behind which a guess of 2⁻¹⁶⁰ stands.
#[tokio::test]
async fn oauth_2_1_credentials_guessing_an_authority_tag_is_160_bits() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let token = app.log_in().await.refresh_token();
    assert_eq!(token.len(), "rgr_".len() + (23 + 8 + 20) * 4 / 3);
    for byte in 31..51 {
        let forged = with_bytes(&token, |bytes| bytes[byte] = !bytes[byte]);
        app.refresh(&forged).send().await.assert_error(400, "invalid_grant");
    }
    app.refresh(&token).send().await.assert_ok();
}
