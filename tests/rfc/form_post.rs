//! OAuth 2.0 Form Post Response Mode: the answer of the authorization endpoint in a form instead of a link.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regrant_crypto::sha256;
use regrant_tests::{Answer, AuthorizationRequest, Form, TestServer};

const CALLBACK: &str = "https://app.example/cb?k=v%20w";

fn posted(request: AuthorizationRequest) -> AuthorizationRequest {
    request.with("response_mode", "form_post")
}

/// The one form of the page, which is sent to the client.
#[track_caller]
fn form(page: Answer) -> Form {
    let forms = page.assert_page(200).forms();
    let [form] = forms.try_into().expect("the page has one form");
    form
}

fn names(form: &Form) -> Vec<&str> {
    form.fields.iter().map(|(name, _)| name.as_str()).collect()
}

#[tokio::test]
async fn form_post_section_2_the_code_is_posted_to_the_redirect_uri() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").openid().redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let request = posted(app.authorization().with("scope", "openid").with("nonce", "n"));
    let consent = browser.reach_consent(&request).await.assert_consent_page();
    let page = browser.allow(&consent).await;
    assert_eq!(page.header("location"), None, "no code in an address");
    let form = form(page);
    assert_eq!((form.method.as_str(), form.action.as_str()), ("post", CALLBACK));
    assert_eq!(names(&form), ["code", "state", "iss"]);
    assert_eq!((form.field("state"), form.field("iss")), (Some("xyz"), Some("https://id.example")));
    let redeem = app.redeem(form.field("code").unwrap()).with("redirect_uri", CALLBACK);
    assert!(redeem.send().await.assert_ok().member("id_token").is_some());
}

#[tokio::test]
async fn form_post_section_2_errors_are_posted_too() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").openid().redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let request = posted(app.authorization());
    for (request, error) in [
        (request.clone().with("prompt", "none"), "login_required"),
        (request.clone().with("scope", "admin"), "invalid_scope"),
        (request.clone().without("response_type"), "invalid_request"),
        (request.clone().with("response_type", "id_token"), "unsupported_response_type"),
        (request.clone().and("nonce", "a").and("nonce", "b"), "invalid_request"),
    ] {
        let form = form(browser.authorize(&request).await);
        assert_eq!(names(&form), ["error", "error_description", "state", "iss"]);
        assert_eq!((form.field("error"), form.field("state")), (Some(error), Some("xyz")));
        assert_eq!(form.action, CALLBACK);
    }
    let consent = browser.reach_consent(&request).await.assert_consent_page();
    assert_eq!(form(browser.deny(&consent).await).field("error"), Some("access_denied"));
    // A mode that nobody knows cannot be the way in which to say so.
    for mode in ["FORM_POST", "form_post.jwt", "fragment"] {
        let refused = browser.authorize(&request.clone().with("response_mode", mode)).await;
        refused.assert_redirect_error("invalid_request");
    }
    let repeated = browser.authorize(&request.clone().and("response_mode", "form_post")).await;
    repeated.assert_redirect_error("invalid_request");
    // Who is not known is posted nothing.
    browser.authorize(&request.clone().with("redirect_uri", "https://evil.example")).await.assert_page(400);
    browser.authorize(&request.with("client_id", "nope")).await.assert_page(400);
}

#[tokio::test]
async fn form_post_section_2_without_the_mode_the_answer_is_a_link() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    for request in [app.authorization(), app.authorization().with("response_mode", "query")] {
        let redirect = server.user_agent().approve(&request).await;
        assert_eq!((redirect.address.as_str(), redirect.get("k")), ("https://app.example/cb", Some("v w")));
        redirect.code();
    }
}

/// The page posts itself by the one script that its policy names, and by a button where no script runs.
#[tokio::test]
async fn form_post_section_2_the_page_runs_one_script_and_goes_to_the_client_only() {
    let server = TestServer::start().await;
    for (id, uri, form_action) in [
        ("https", "https://app.example/cb", "form-action 'self' https:;"),
        ("loopback", "http://127.0.0.1/cb", "form-action 'self' https: http:;"),
        ("app", "com.example.app:/cb", "form-action 'self' https: com.example.app:;"),
    ] {
        let app = server.public(id).redirect_uris(&[uri]).register().await;
        let page = server.user_agent().authorize(&posted(app.authorization()).with("prompt", "none")).await;
        let policy = page.header("content-security-policy").unwrap().to_owned();
        let html = page.text_of_body();
        let scripts: Vec<_> =
            html.split("<script").skip(1).map(|rest| rest.split("</script>").next().unwrap()).collect();
        let [script] = scripts.try_into().expect("one script");
        let hash = STANDARD.encode(sha256(script.strip_prefix('>').expect("no attributes").as_bytes()));
        assert!(policy.ends_with(&format!("; script-src 'sha256-{hash}'")), "{policy}");
        assert!(policy.contains(form_action), "{policy}");
        assert!(html.contains("<button") && !html.contains("onload"), "{html}");
        assert_eq!(form(page).action, uri);
    }
}

/// §4: what the client sent comes back as it was, and as nothing else.
#[tokio::test]
async fn form_post_section_4_the_state_is_a_value_and_never_markup() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let plain = server.user_agent().authorize(&posted(app.authorization()).with("prompt", "none")).await;
    let tags = |page: &Answer| page.text_of_body().matches('<').count();
    for state in
        ["\"><script>x</script>", "'><img src=x>", "</form><form action=https://evil.example>", "&quot;&#34;", "\r\n\0"]
    {
        let request = posted(app.authorization()).with("prompt", "none").with("state", state);
        let page = server.user_agent().authorize(&request).await;
        assert_eq!(tags(&page), tags(&plain), "{}", page.text_of_body());
        assert_eq!(form(page).field("state"), Some(state));
    }
}
