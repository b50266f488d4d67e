//! RFC 8707: for which resource servers a token is.

use regrant_tests::TestServer;
use serde_json::json;

const R1: &str = "https://r1.example/api";
const R2: &str = "urn:example:r2";

/// C-088.
#[tokio::test]
async fn rfc8707_section_2_a_resource_is_an_absolute_uri_and_may_repeat() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").resources(&[R1, R2]).register().await;
    for wrong in ["foo", "/api", "https://r1.example/api#x", "https://r3.example", "https://r1.example/api/"] {
        for request in [app.password(), app.token("client_credentials")] {
            request.with("resource", wrong).send().await.assert_error(400, "invalid_target");
        }
    }
    for request in [app.password(), app.token("client_credentials")] {
        let both = request.with("resource", R1).with("resource", R2).send().await;
        assert_eq!(both.claims()["aud"], json!([R1, R2]));
    }
}

/// C-089, C-118.
#[tokio::test]
async fn rfc8707_section_2_2_a_refresh_narrows_the_resources_and_never_widens_them() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").resources(&[R1, R2]).register().await;
    let login = app.password().with("resource", R1).send().await.refresh_token();
    app.refresh(&login).with("resource", R2).send().await.assert_error(400, "invalid_target");
    assert_eq!(server.grant(&login).await.version, 1, "a refused resource uses nothing up");

    let mut token = app.password().with("resource", R1).with("resource", R2).send().await.refresh_token();
    for (asked, audience) in [(vec![R1], json!([R1])), (vec![R2], json!([R2])), (vec![], json!([R1, R2]))] {
        let request = asked.iter().fold(app.refresh(&token), |request, resource| request.with("resource", resource));
        let answer = request.send().await.assert_ok();
        assert_eq!(answer.claims()["aud"], audience);
        token = answer.refresh_token();
    }
}

/// What is named at the authorization endpoint is what the user agrees to; the redemption may narrow it.
#[tokio::test]
async fn rfc8707_section_2_1_the_authorization_request_names_the_resources_and_the_redemption_narrows_them() {
    let server = TestServer::start().await;
    let builder = server.confidential("TestClient").resources(&[R1, R2]);
    let app = builder.redirect_uris(&["https://app.example/cb"]).register().await;
    let mut browser = server.user_agent();
    for wrong in ["foo", "https://r3.example", "https://r1.example/api#x"] {
        let answer = browser.authorize(&app.authorization().with("resource", wrong)).await;
        answer.assert_redirect_error("invalid_target");
    }
    let page = browser.reach_consent(&app.authorization().with("resource", R1)).await.assert_consent_page();
    assert!(page.text_of_body().contains(R1), "the user is told: {}", page.text_of_body());
    let code = browser.allow(&page).await.redirect().code();
    app.redeem(&code).with("resource", R2).send().await.assert_error(400, "invalid_target");
    let tokens = app.redeem(&code).send().await.assert_ok();
    assert_eq!(tokens.claims()["aud"], json!([R1]));

    // The consent was for one of them.
    let both = app.authorization().with("resource", R1).and("resource", R2);
    let page = browser.authorize(&both).await.assert_consent_page();
    let code = browser.allow(&page).await.redirect().code();
    let tokens = app.redeem(&code).with("resource", R2).send().await.assert_ok();
    assert_eq!(tokens.claims()["aud"], json!([R2]));
    // What was allowed at resource servers that were named is not allowed at those that the client has by default.
    browser.authorize(&app.authorization()).await.assert_consent_page();
    browser.authorize(&app.authorization().with("prompt", "none")).await.assert_redirect_error("consent_required");
    let again = app.refresh(&tokens.refresh_token()).send().await.assert_ok();
    assert_eq!(again.claims()["aud"], json!([R1, R2]), "a refresh without a resource is for all that was granted");
}
