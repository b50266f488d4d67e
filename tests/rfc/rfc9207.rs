//! RFC 9207: the issuer in the answers of the authorization endpoint.

use regrant_tests::{Setup, TestServer};

const CALLBACK: &str = "https://app.example/cb";

/// C-103: success, and every error that the endpoint can send to a client.
#[tokio::test]
async fn rfc9207_section_2_every_answer_names_the_issuer() {
    for issuer in ["https://id.example", "https://id.example/t1"] {
        let server = TestServer::start_with(Setup { issuer, ..Setup::default() }).await;
        let builder = server.confidential("TestClient").openid();
        let app = builder.redirect_uris(&[CALLBACK]).register().await;
        let mut browser = server.user_agent();
        let request = || app.authorization();
        for (request, error) in [
            (request().without("response_type"), "invalid_request"),
            (request().with("response_type", "token"), "unsupported_response_type"),
            (request().with("scope", "admin"), "invalid_scope"),
            (request().with("resource", "https://api.example"), "invalid_target"),
            (request().with("request", "x"), "request_not_supported"),
            (request().with("request_uri", "x"), "request_uri_not_supported"),
            (request().with("prompt", "none"), "login_required"),
            (request().and("state", "x"), "invalid_request"),
            (request().with("state", &"s".repeat(4000)), "invalid_request"),
        ] {
            let redirect = browser.authorize(&request).await.assert_redirect_error(error);
            assert_eq!(redirect.get("iss"), Some(issuer), "{error}");
        }
        let consent = browser.reach_consent(&request()).await.assert_consent_page();
        let silent = browser.authorize(&request().with("prompt", "none")).await;
        let denied = browser.deny(&consent).await;
        for (answer, error) in [(silent, "consent_required"), (denied, "access_denied")] {
            assert_eq!(answer.assert_redirect_error(error).get("iss"), Some(issuer), "{error}");
        }
        let code = browser.allow(&consent).await.redirect();
        assert_eq!((code.get("iss"), code.get("error")), (Some(issuer), None));
    }
}

/// OAuth 2.0 Form Post Response Mode: the same parameters in another envelope.
#[tokio::test]
async fn rfc9207_section_2_an_answer_that_is_posted_names_the_issuer_too() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let request = app.authorization().with("response_mode", "form_post");
    let refused = browser.authorize(&request.clone().with("prompt", "none")).await.assert_page(200);
    let consent = browser.reach_consent(&request).await.assert_consent_page();
    let allowed = browser.allow(&consent).await.assert_page(200);
    for (page, name) in [(refused, "error"), (allowed, "code")] {
        let form = page.required_form("/cb");
        assert_eq!((form.action.as_str(), form.field("iss")), (CALLBACK, Some("https://id.example")));
        assert!(form.field(name).is_some() && form.field("state") == Some("xyz"), "{form:?}");
    }
}

/// C-103: what a client compares with is told where it looks, and is the same text.
#[tokio::test]
async fn rfc9207_section_3_the_metadata_says_that_iss_comes() {
    let server = TestServer::start().await;
    server.confidential("TestClient").openid().redirect_uris(&[CALLBACK]).register().await;
    for path in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
        let metadata = server.get(path).send().await.assert_ok();
        assert_eq!(metadata.json["authorization_response_iss_parameter_supported"], true, "{path}");
        assert_eq!(metadata.member("issuer"), Some("https://id.example"));
    }
}

/// The issuer is a setting: neither the request nor a proxy has a say in it.
#[tokio::test]
async fn rfc9207_section_2_3_the_issuer_is_that_of_the_settings_whatever_the_request_says() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").redirect_uris(&[CALLBACK]).register().await;
    let path = format!("/authorize?{}&iss=https://evil.example", app.authorization().with("prompt", "none").query());
    let request = server.get(&path).content_types(&[]).header("host", "evil.example");
    let redirect = request.header("x-forwarded-host", "evil.example").send().await.redirect();
    assert_eq!((redirect.get("iss"), redirect.address.as_str()), (Some("https://id.example"), CALLBACK));
}
