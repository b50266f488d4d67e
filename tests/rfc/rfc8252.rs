//! RFC 8252: native apps.

use regrant_engine::{RegistrationError, Secrecy};
use regrant_protocol::{ClientId, RedirectUri};
use regrant_store::Store;
use regrant_tests::TestServer;

/// C-062.
#[tokio::test]
async fn rfc8252_section_7_3_any_port_of_a_loopback_address_and_nothing_else_differs() {
    let server = TestServer::start().await;
    let ip_4 = server.public("Four").redirect_uris(&["http://127.0.0.1/cb"]).register().await;
    let ip_6 = server.public("Six").redirect_uris(&["http://[::1]/cb"]).register().await;
    let with_port = server.public("Port").redirect_uris(&["http://127.0.0.1:8080/cb?a=b"]).register().await;
    let mut browser = server.user_agent();
    for (app, accepted) in [
        (&ip_4, "http://127.0.0.1/cb"),
        (&ip_4, "http://127.0.0.1:1/cb"),
        (&ip_4, "http://127.0.0.1:49152/cb"),
        (&ip_4, "http://127.0.0.1:65535/cb"),
        (&ip_6, "http://[::1]/cb"),
        (&ip_6, "http://[::1]:49152/cb"),
        (&with_port, "http://127.0.0.1:8080/cb?a=b"),
        (&with_port, "http://127.0.0.1:9/cb?a=b"),
        (&with_port, "http://127.0.0.1/cb?a=b"),
    ] {
        let redirect = browser.approve(&app.authorization().with("redirect_uri", accepted)).await;
        assert_eq!(redirect.address, accepted.split('?').next().unwrap());
        let redemption = app.redeem(&redirect.code()).with("redirect_uri", accepted);
        redemption.send().await.assert_ok();
    }
    for (app, refused) in [
        (&ip_4, "http://127.0.0.1:49152/cb2"),
        (&ip_4, "http://127.0.0.1:49152/CB"),
        (&ip_4, "http://127.0.0.1:49152/cb/"),
        (&ip_4, "http://127.0.0.1:49152/cb?x=1"),
        (&ip_4, "http://127.0.0.1:49152/cb?"),
        (&ip_4, "http://127.0.0.1:49152/cb#x"),
        (&ip_4, "http://127.0.0.1:49152"),
        (&ip_4, "https://127.0.0.1:49152/cb"),
        (&ip_4, "HTTP://127.0.0.1:49152/cb"),
        (&ip_4, "http://127.0.0.2:49152/cb"),
        (&ip_4, "http://127.0.0.01:49152/cb"),
        (&ip_4, "http://127.1:49152/cb"),
        (&ip_4, "http://0x7f.1:49152/cb"),
        (&ip_4, "http://2130706433:49152/cb"),
        (&ip_4, "http://0.0.0.0:49152/cb"),
        (&ip_4, "http://localhost:49152/cb"),
        (&ip_4, "http://[::1]:49152/cb"),
        (&ip_4, "http://[::ffff:127.0.0.1]:49152/cb"),
        (&ip_4, "http://127.0.0.1.evil.example:49152/cb"),
        (&ip_4, "http://127.0.0.1@evil.example/cb"),
        (&ip_4, "http://user@127.0.0.1:49152/cb"),
        (&ip_4, "http://127.0.0.1:49152@evil.example/cb"),
        (&ip_4, "http://127.0.0.1:/cb"),
        (&ip_4, "http://127.0.0.1:0/cb"),
        (&ip_4, "http://127.0.0.1:65536/cb"),
        (&ip_4, "http://127.0.0.1:+80/cb"),
        (&ip_4, "http://127.0.0.1:49152\\cb"),
        (&ip_6, "http://127.0.0.1:49152/cb"),
        (&ip_6, "http://[0:0:0:0:0:0:0:1]:49152/cb"),
        (&ip_6, "http://[::1%25lo]:49152/cb"),
        (&ip_6, "http://::1:49152/cb"),
        (&with_port, "http://127.0.0.1:8080/cb?a=c"),
        (&with_port, "http://127.0.0.1:8080/cb"),
    ] {
        browser.authorize(&app.authorization().with("redirect_uri", refused)).await.assert_page(400);
    }
}

/// C-062: the open port is for addresses; `localhost` is a name, and exact.
#[tokio::test]
async fn rfc8252_section_8_3_localhost_is_exact() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&["http://localhost:8080/cb"]).register().await;
    let mut browser = server.user_agent();
    browser.approve(&app.authorization()).await.code();
    for (refused, is_mistaken) in
        [("http://localhost:8081/cb", false), ("http://localhost/cb", false), ("http://127.0.0.1:8080/cb", true)]
    {
        let page = browser.authorize(&app.authorization().with("redirect_uri", refused)).await.assert_page(400);
        assert_eq!(page.text_of_body().contains("with localhost as its host"), is_mistaken, "{refused}");
    }
    let app = server.public("Address").redirect_uris(&["http://127.0.0.1/cb"]).register().await;
    let request = app.authorization().with("redirect_uri", "http://localhost:49152/cb");
    let page = browser.authorize(&request).await.assert_page(400);
    assert!(page.text_of_body().contains("with 127.0.0.1 as its host"), "{}", page.text_of_body());
}

/// C-063.
#[tokio::test]
async fn rfc8252_section_7_1_a_private_use_scheme_has_a_dot() {
    for (uri, is_accepted) in [
        ("com.example.app:/cb", true),
        ("com.example.app:/", true),
        ("com.example.app://host/cb", true),
        ("myapp:/cb", false),
        ("myapp://cb", false),
        ("com.example.app:cb", false),
        ("javascript:alert(1)", false),
        ("data:text/html,x", false),
        ("file:///etc/passwd", false),
        ("COM.EXAMPLE.APP:/cb", false),
        (".example:/cb", false),
    ] {
        assert_eq!(RedirectUri::parse(uri).is_ok(), is_accepted, "{uri}");
    }
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&["com.example.app:/cb"]).register().await;
    let mut browser = server.user_agent();
    let page = browser.reach_consent(&app.authorization()).await.assert_consent_page();
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("com.example.app:"), "the browser may follow the redirect: {policy}");
    let answer = browser.allow(&page).await;
    assert!(answer.header("location").unwrap().starts_with("com.example.app:/cb?code="));
    app.redeem(&answer.redirect().code()).send().await.assert_ok();
    for refused in
        ["com.example.app:/cb2", "com.example.app://cb", "com.example.app:/CB", "com.example.application:/cb"]
    {
        browser.authorize(&app.authorization().with("redirect_uri", refused)).await.assert_page(400);
    }
}

/// C-064.
#[tokio::test]
async fn rfc8252_section_8_5_an_app_on_a_device_has_no_secret() {
    let server = TestServer::start().await;
    let existing = server.confidential("TestClient").redirect_uris(&["https://app.example/cb"]).register().await;
    let mut settings = server.store.client(&existing.id).await.unwrap().unwrap().settings;
    settings.redirect_uris = vec![RedirectUri::parse("com.example.app:/cb").unwrap()];
    let id = ClientId::parse("another").unwrap();
    let refused = server.engine.register_client(id, Secrecy::Generated, settings).await.unwrap_err();
    assert!(matches!(refused, RegistrationError::PrivateUseScheme(_)), "{refused}");
}

/// C-065: only an https redirect URI, or a secret, tells who receives the code.
#[tokio::test]
async fn rfc8252_section_8_6_a_client_that_cannot_be_known_again_is_always_asked_for() {
    let server = TestServer::start().await;
    let apps = [
        (server.public("Scheme").redirect_uris(&["com.example.app:/cb"]).register().await, true),
        (server.public("Loopback").redirect_uris(&["http://127.0.0.1/cb"]).register().await, true),
        (server.public("Localhost").redirect_uris(&["http://localhost:80/cb"]).register().await, true),
        (server.public("Https").redirect_uris(&["https://app.example/cb"]).register().await, false),
        (server.confidential("Secret").redirect_uris(&["http://127.0.0.1/cb"]).register().await, false),
    ];
    let mut browser = server.user_agent();
    for (app, is_asked_again) in apps {
        browser.approve(&app.authorization()).await.code();
        let silent = browser.authorize(&app.authorization().with("prompt", "none")).await;
        let again = browser.authorize(&app.authorization()).await;
        if is_asked_again {
            silent.assert_redirect_error("consent_required");
            again.assert_consent_page();
        } else {
            silent.redirect().code();
            again.redirect().code();
        }
    }
}

/// §6: a native app is protected by PKCE, whatever its settings say.
#[tokio::test]
async fn rfc8252_section_6_a_public_client_must_use_pkce() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&["com.example.app:/cb"]).register().await;
    app.change_settings(|settings| settings.require_pkce = false).await;
    let answer = server.user_agent().authorize(&app.authorization().without_pkce()).await;
    answer.assert_redirect_error("invalid_request");
    let mut settings = server.store.client(&app.id).await.unwrap().unwrap().settings;
    settings.require_pkce = false;
    let id = ClientId::parse("another").unwrap();
    let refused = server.engine.register_client(id, Secrecy::Public, settings).await;
    assert_eq!(refused.unwrap_err(), RegistrationError::PublicWithoutPkce);
}
