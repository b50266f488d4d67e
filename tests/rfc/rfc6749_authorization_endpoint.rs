//! RFC 6749 §3.1, §3.3 and §4.1: requests to the authorization endpoint, and its answers.

use regrant_protocol::{GrantType, RedirectUri};
use regrant_store::ClientChange;
use regrant_tests::{Form, Redirect, TestServer};

const CALLBACK: &str = "https://app.example/cb";

/// Every parameter that the endpoint knows, but for the two that say who is answered, and `resource`, which may repeat.
const PARAMETERS: [&str; 13] = [
    "response_type",
    "response_mode",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "prompt",
    "max_age",
    "login_hint",
    "id_token_hint",
    "request",
    "request_uri",
];

/// C-006.
#[tokio::test]
async fn rfc6749_section_3_1_get_and_post_are_served_and_unknown_parameters_ignored() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let request = app.authorization().with("foo", "bar").with("display", "touch").with("ui_locales", "fr");
    let code = server.user_agent().obtain_code(&request).await;
    app.redeem(&code).send().await.assert_ok();

    let form = Form { action: "/authorize".to_owned(), method: "post".to_owned(), ..Form::default() };
    let fill = |form: Form, (name, value): &(String, String)| form.fill(name, value);
    let form = request.parameters().iter().fold(form, fill);
    let mut browser = server.user_agent();
    browser.submit(form.clone()).await.assert_login_page();
    // A form of the client's own site brings no cookies along; the link that it becomes does.
    let link = browser.submit_from_elsewhere(form).await;
    assert_eq!(link.redirect().address, "/authorize");
    browser.follow(&link).await.assert_login_page();

    for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
        let refused = server.request(method, &format!("/authorize?{}", request.query())).send().await.assert_page(405);
        let allowed: Vec<_> = refused.header("allow").unwrap().split(',').map(str::trim).collect();
        assert_eq!(allowed, ["GET", "HEAD", "POST"], "{method}");
    }
}

/// C-007.
#[tokio::test]
async fn rfc6749_section_3_1_an_empty_parameter_is_absent() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let empty =
        ["state", "scope", "nonce", "prompt", "max_age", "resource", "response_mode", "redirect_uri", "request"];
    let request = empty.iter().fold(app.authorization(), |request, name| request.with(name, ""));
    let redirect = server.user_agent().approve(&request).await;
    assert_eq!((redirect.address.as_str(), redirect.get("state")), (CALLBACK, None));
    app.redeem(&redirect.code()).send().await.assert_scope("read write");

    let mut browser = server.user_agent();
    browser.authorize(&request.with("client_id", "")).await.assert_page(400);
    let missing = browser.authorize(&app.authorization().with("response_type", "")).await;
    missing.assert_redirect_error("invalid_request");
}

/// C-008.
#[tokio::test]
async fn rfc6749_section_3_1_no_parameter_more_than_once() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    for name in PARAMETERS.into_iter().chain(["unknown"]) {
        for (value, again) in [("v", "v"), ("v", "w"), ("", "v")] {
            let request = app.authorization().with(name, value).and(name, again);
            let redirect = browser.authorize(&request).await.assert_redirect_error("invalid_request");
            assert_eq!(redirect.get("state"), (name != "state").then_some("xyz"), "{name}");
            assert!(redirect.get("error_description").unwrap().contains(name), "{redirect:?}");
        }
    }
    for (name, value) in [("client_id", "TestApp"), ("redirect_uri", CALLBACK)] {
        browser.authorize(&app.authorization().and(name, value)).await.assert_page(400);
        browser.authorize(&app.authorization().and(name, "")).await.assert_page(400);
    }
}

/// C-010, C-116.
#[tokio::test]
async fn rfc6749_section_3_1_1_the_response_type_is_code() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").openid().redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let missing = browser.authorize(&app.authorization().without("response_type")).await;
    assert_eq!(missing.assert_redirect_error("invalid_request").get("state"), Some("xyz"));
    for other in
        ["foo", "CODE", "code code", "token", "id_token", "code id_token", "id_token code", "code token", "none"]
    {
        let answer = browser.authorize(&app.authorization().with("response_type", other)).await;
        assert_eq!(answer.assert_redirect_error("unsupported_response_type").get("state"), Some("xyz"), "{other}");
    }
}

/// C-011.
#[tokio::test]
async fn rfc6749_section_3_1_2_the_query_of_a_redirect_uri_is_kept() {
    let server = TestServer::start().await;
    for uri in ["https://app.example/cb#x", "https://app.example/cb#", "/cb", "app.example/cb", "//app.example/cb"] {
        assert!(RedirectUri::parse(uri).is_err(), "{uri} is registered");
    }
    let app = server.public("TestApp").redirect_uris(&["https://app.example/cb?k=v%20w&state=mine"]).register().await;
    let mut browser = server.user_agent();
    let answer = browser.reach_consent(&app.authorization().without("state")).await;
    let answer = browser.allow(&answer).await;
    let location = answer.header("location").unwrap();
    assert!(location.starts_with("https://app.example/cb?k=v%20w&state=mine&code=rgc_"), "{location}");
    app.redeem(&answer.redirect().code()).send().await.assert_ok();
    let refused = browser.authorize(&app.authorization().with("scope", "admin").without("state")).await;
    assert_eq!(refused.assert_redirect_error("invalid_scope").get("k"), Some("v w"));
}

/// C-012, C-033: with and without a login, and where no page may be shown.
#[tokio::test]
async fn rfc6749_section_3_1_2_4_who_is_not_known_is_sent_nobody() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let others = server.public("Other").redirect_uris(&["https://other.example/cb"]).register().await;
    let mut browser = server.user_agent();
    browser.approve(&others.authorization()).await;
    for request in [
        app.authorization().with("client_id", "nope"),
        app.authorization().with("client_id", "testapp"),
        app.authorization().with("client_id", "a\u{7f}b"),
        app.authorization().without("client_id"),
        app.authorization().with("redirect_uri", "https://evil.example"),
        app.authorization().with("redirect_uri", "https://other.example/cb"),
        app.authorization().with("redirect_uri", "javascript:alert(1)"),
    ] {
        for request in [request.clone(), request.clone().with("prompt", "none"), request.with("response_type", "foo")] {
            browser.authorize(&request).await.assert_page(400);
        }
    }
    app.change(ClientChange::Enabled(false)).await;
    browser.authorize(&app.authorization().with("prompt", "none")).await.assert_page(400);
}

/// C-013.
#[tokio::test]
async fn rfc6749_section_3_1_2_3_the_redirect_uri_is_needed_unless_there_is_one_only() {
    let server = TestServer::start().await;
    let one = server.public("One").redirect_uris(&[CALLBACK]).register().await;
    let two = server.public("Two").redirect_uris(&[CALLBACK, "https://app.example/cb2"]).register().await;
    let redirect = server.user_agent().approve(&one.authorization().without("redirect_uri")).await;
    assert_eq!(redirect.address, CALLBACK);
    one.redeem(&redirect.code()).send().await.assert_ok();

    let mut browser = server.user_agent();
    browser.authorize(&two.authorization().without("redirect_uri")).await.assert_page(400);
    let second = two.authorization().with("redirect_uri", "https://app.example/cb2");
    assert_eq!(browser.approve(&second).await.address, "https://app.example/cb2");
    two.change_settings(|settings| settings.redirect_uris.clear()).await;
    browser.authorize(&two.authorization().without("redirect_uri")).await.assert_page(400);
}

/// C-015.
#[tokio::test]
async fn rfc6749_section_3_3_without_a_scope_the_clients_default_is_asked_for() {
    let server = TestServer::start().await;
    let builder = server.public("TestApp").scope("read write").redirect_uris(&[CALLBACK]);
    let app = builder.set(|settings| settings.default_scope = regrant_protocol::Scope::parse("read").unwrap());
    let app = app.register().await;
    app.redeem(&app.obtain_code().await).send().await.assert_scope("read");
}

/// C-016, C-157: what the client may not have is refused before anybody is asked.
#[tokio::test]
async fn rfc6749_section_3_3_a_scope_that_is_malformed_or_not_the_clients_is_refused() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").scope("read write !#[]~").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    for scope in ["a\"b", "a\\b", "read\twrite", "read\u{a0}write", "é", "read  write", " read", "read ", "\0", "admin"]
    {
        let answer = browser.authorize(&app.authorization().with("scope", scope)).await;
        assert_eq!(answer.assert_redirect_error("invalid_scope").get("state"), Some("xyz"), "{scope:?}");
    }
    let code = browser.obtain_code(&app.authorization().with("scope", "!#[]~")).await;
    app.redeem(&code).send().await.assert_scope("!#[]~");
}

#[tokio::test]
async fn rfc6749_section_4_1_2_1_a_client_without_the_grant_type_is_unauthorized() {
    let server = TestServer::start().await;
    let builder = server.public("TestApp").redirect_uris(&[CALLBACK]);
    let app = builder.grant_types(&[GrantType::RefreshToken]).register().await;
    let answer = server.user_agent().authorize(&app.authorization()).await;
    answer.assert_redirect_error("unauthorized_client");
    app.redeem("rgc_x").send().await.assert_error(400, "unauthorized_client");
}

/// The user says no: at the login page, at the consent page, and by unticking everything.
#[tokio::test]
async fn rfc6749_section_4_1_2_1_who_is_refused_is_told_access_denied() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let login = browser.authorize(&app.authorization()).await.assert_login_page();
    let cancelled = browser.submit(login.required_form("/login").press("action", "cancel")).await;
    let consent = browser.reach_consent(&app.authorization()).await.assert_consent_page();
    let denied = browser.deny(&consent).await;
    let emptied = consent.consent_form().untick("read").untick("write").press("decision", "allow");
    let emptied = browser.submit(emptied).await;
    for answer in [cancelled, denied, emptied] {
        let redirect = answer.assert_redirect_error("access_denied");
        assert_eq!((redirect.address.as_str(), redirect.get("state")), (CALLBACK, Some("xyz")));
    }
}

#[tokio::test]
async fn rfc6749_section_4_1_2_1_where_no_page_may_be_shown_an_outage_is_told_the_client() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    browser.approve(&app.authorization()).await;
    server.store.fail(regrant_tests::Fault::Refuses);
    let silent = browser.authorize(&app.authorization().with("prompt", "none")).await;
    silent.assert_redirect_error("temporarily_unavailable");
    server.store.fail(None);
    browser.authorize(&app.authorization().with("prompt", "none")).await.redirect().code();
}

/// C-021. What may be in an error, and that no `Location` has two lines, is checked for every answer by the harness.
#[tokio::test]
async fn rfc6749_section_4_1_2_1_nothing_that_is_sent_comes_back_as_html_or_as_a_header() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    for evil in ["\"", "\\", "\r\nSet-Cookie: a=b", "é", "\u{0}", "<script>x", "\"><script>x", "%", "\u{7f}", "🦀", "'"]
    {
        let mut browser = server.user_agent();
        for name in PARAMETERS.into_iter().chain(["client_id", "redirect_uri", "resource", evil]) {
            for request in [app.authorization().with(name, evil), app.authorization().and(name, evil)] {
                let answer = browser.authorize(&request).await;
                assert!(matches!(answer.status.as_u16(), 200 | 303 | 400), "{name}={evil:?}: {}", answer.status);
                assert!(!answer.text_of_body().contains("<script>x"), "{name}={evil:?}: {}", answer.text_of_body());
                if let Some(location) = answer.header("location") {
                    assert!(location.starts_with("https://app.example/cb?"), "{location}");
                    assert!(location.bytes().all(|byte| byte.is_ascii_graphic()), "{location}");
                }
            }
        }
        let login = browser.authorize(&app.authorization()).await.assert_login_page();
        let refused = browser.log_in_as(&login, evil, evil).await.assert_page(403);
        assert!(!refused.text_of_body().contains("<script>x"), "{}", refused.text_of_body());
    }
}

/// C-022.
#[tokio::test]
async fn rfc6749_section_4_1_2_state_comes_back_byte_for_byte() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let kilobyte = "%00é%2B%20<script>".repeat(60);
    for state in ["xyz", " ", "+", "a b&c=d#e", "\0\r\n\t", "é🦀", "%", "\"'<>&amp;", kilobyte.as_str()] {
        let request = app.authorization().with("state", state);
        let mut browser = server.user_agent();
        let redirect = browser.approve(&request).await;
        assert_eq!((redirect.get("state"), redirect.get("code").is_some()), (Some(state), true));
        let refused = browser.authorize(&request.clone().with("scope", "admin")).await;
        assert_eq!(refused.assert_redirect_error("invalid_scope").get("state"), Some(state));
        let posted = browser.authorize(&request.with("response_mode", "form_post").with("scope", "admin")).await;
        assert_eq!(posted.assert_page(200).required_form("/cb").field("state"), Some(state));
    }
    let none = server.user_agent().approve(&app.authorization().without("state")).await;
    assert_eq!(none.get("state"), None);
    let longest = "s".repeat(regrant_protocol::STATE_BYTES_MAX);
    let request = app.authorization().with("state", &longest);
    assert_eq!(server.user_agent().approve(&request).await.get("state"), Some(&*longest));
    let longer = server.user_agent().authorize(&request.with("state", &(longest + "s"))).await;
    longer.assert_redirect_error("invalid_request");
}

/// The parameters that the client gets are those of the specification, and nothing else.
#[tokio::test]
async fn rfc6749_section_4_1_2_a_response_has_code_state_and_iss() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let names = |redirect: &Redirect| redirect.parameters.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let mut browser = server.user_agent();
    let redirect = browser.approve(&app.authorization()).await;
    assert_eq!(names(&redirect), ["code", "state", "iss"]);
    let refused = browser.authorize(&app.authorization().without_pkce()).await;
    assert_eq!(names(&refused.redirect()), ["error", "error_description", "state", "iss"]);
}
