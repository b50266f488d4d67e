//! Whatever somebody sends or is called, it is a text on a page and never a part of it (RFC 9700 §4.16, C-022).

use regrant_protocol::{Profile, RedirectUri, Resources, Scope};
use regrant_store::ClientSettings;
use regrant_tests::{Answer, PASSWORD, TestServer, USERNAME};

const CALLBACK: &str = "https://app.example/cb";

/// What would be markup, script or an attribute if it were not escaped.
const EVIL: [&str; 10] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onfocus='alert(1)' autofocus='",
    "\" onfocus=\"alert(1)\" autofocus=\"",
    "</title></textarea></style></bdi><svg onload=alert(1)>",
    "<!--",
    "&lt;b&gt;&#60;b&#62;",
    "{{7*7}}{% raw %}",
    "javascript:alert(1)",
    "\u{202e}gpj.exe<b",
];

/// The tags of a page with the names of their attributes, as a browser reads them.
fn skeleton(html: &str) -> Vec<String> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some((_, after)) = rest.split_once('<') {
        let mut tag = String::new();
        let mut quote = None;
        let mut end = after.len();
        for (at, character) in after.char_indices() {
            match (quote, character) {
                (None, '>') => {
                    end = at;
                    break;
                }
                (None, '"' | '\'') => quote = Some(character),
                (None, _) => tag.push(character),
                (Some(open), _) if open == character => quote = None,
                (Some(_), _) => {}
            }
        }
        tags.push(tag);
        rest = &after[end..];
    }
    tags
}

#[test]
fn a_skeleton_tells_markup_from_text_and_values() {
    let plain = skeleton("<p class=\"a\">text</p><input value=\"x\">");
    assert_eq!(plain, ["p class=", "/p", "input value="]);
    assert_eq!(skeleton("<p class=\"b\">&lt;b&gt;</p><input value=\"a>b<c'\">"), plain);
    for injected in
        ["<input value=\"\" autofocus=\"\">", "<input value='x'><b>", "<input value=\"x\"y>", "<input value=x><!--"]
    {
        assert_ne!(skeleton(injected), skeleton("<input value=\"x\">"), "{injected}");
    }
}

/// The page with something evil is made like the page with something plain.
#[track_caller]
fn assert_same_markup(evil: &Answer, plain: &Answer, what: &str) {
    assert_eq!(evil.status, plain.status, "{what}: {}", evil.text_of_body());
    let (evil_html, plain_html) = (evil.text_of_body(), plain.text_of_body());
    assert_eq!(skeleton(&evil_html), skeleton(&plain_html), "{what}: {evil_html}");
}

/// What anybody can write into a link, or into the login page.
#[tokio::test]
async fn rfc9700_section_4_16_what_a_link_says_is_text() {
    let server = TestServer::start().await;
    let builder = server.public("TestApp").openid().redirect_uris(&[CALLBACK]);
    let goodbye = vec![RedirectUri::parse("https://app.example/goodbye").unwrap()];
    let app = builder.set(|settings| settings.post_logout_redirect_uris = goodbye).register().await;
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pages = async |text: &str| {
        let mut browser = server.user_agent();
        let request = app.authorization().with("scope", "openid");
        let mut pages = vec![
            ("login_hint", browser.authorize(&request.clone().with("login_hint", text)).await),
            ("client_id", browser.authorize(&request.clone().with("client_id", text)).await),
            ("redirect_uri", browser.authorize(&request.clone().with("redirect_uri", text)).await),
            (
                "state",
                browser
                    .authorize(
                        &request.clone().with("state", text).with("prompt", "none").with("response_mode", "form_post"),
                    )
                    .await,
            ),
            (
                "resource",
                browser.authorize(&request.clone().with("resource", text).with("response_mode", "form_post")).await,
            ),
            ("request", browser.go_to(&format!("/consent?request={}", encode(text))).await),
        ];
        let login = browser.authorize(&request).await;
        pages.push(("username", browser.log_in_as(&login, text, "wrong").await));
        for (what, query) in [
            ("post_logout_redirect_uri", format!("client_id=TestApp&post_logout_redirect_uri={}", encode(text))),
            (
                "client_id of a log-out",
                format!("client_id={}&post_logout_redirect_uri=https://x.example", encode(text)),
            ),
            ("form", format!("form={}&decision=log-out", encode(text))),
            ("a name", format!("{0}=1&{0}=2", encode(text))),
        ] {
            pages.push((what, browser.open(&format!("/logout?{query}")).await));
        }
        pages
    };
    let plain = pages("plain").await;
    for evil in EVIL {
        for ((what, page), (_, plain)) in pages(evil).await.iter().zip(&plain) {
            assert_same_markup(page, plain, &format!("{what} {evil:?}"));
        }
    }
    // It is there, as it was written, for whoever looks at the page.
    let page = server.user_agent().authorize(&app.authorization().with("login_hint", EVIL[0])).await;
    assert_eq!(page.required_form("/login").field("username"), Some(EVIL[0]));
}

/// What an operator or a user calls something, which may come from somebody else.
#[tokio::test]
async fn rfc9700_section_4_16_what_somebody_is_called_is_text() {
    let plain = named_pages("plain").await;
    for evil in EVIL {
        for ((what, page), (_, plain)) in named_pages(evil).await.iter().zip(&plain) {
            assert_same_markup(page, plain, &format!("{what} {evil:?}"));
        }
    }
}

/// Every page that shows a name, where everything that has a name is called `name`.
async fn named_pages(name: &str) -> Vec<(&'static str, Answer)> {
    let server = TestServer::start().await;
    // No client may be called what hides letters or turns them round.
    let of_client = if name.contains('\u{202e}') { "name" } else { name };
    let called = |settings: &mut ClientSettings| settings.name = Some(of_client.to_owned());
    let builder = server.confidential("TestClient").openid().redirect_uris(&[CALLBACK]);
    let app = builder.set(called).register().await;
    server.register_user(name).await;
    let mut browser = server.user_agent();
    let request = app.authorization().with("scope", "openid");
    let login = browser.authorize(&request).await;
    let resume = browser.log_in_as(&login, name, PASSWORD).await;
    let consent = browser.follow(&resume).await;
    let allow = consent.consent_form().press("decision", "allow");
    let from_browser = [("sec-fetch-site", "same-origin"), ("user-agent", name)];
    let from_browser = if name.is_ascii() { &from_browser[..] } else { &from_browser[..1] };
    let code = browser.submit_with(allow, from_browser).await.redirect().code();
    app.redeem(&code).with("redirect_uri", CALLBACK).send().await.assert_ok();
    let account = browser.account().await;
    let logout = browser.open("/logout?client_id=TestClient").await;
    vec![("login", login), ("consent", consent), ("account", account), ("log out?", logout)]
}

#[tokio::test]
async fn rfc9700_section_4_16_what_a_user_says_of_himself_is_text() {
    let server = TestServer::start().await;
    let mut browser = server.user_agent();
    let login = browser.account().await;
    browser.log_in(&login).await;
    let mut account = async |name: &str| {
        let profile = Profile { name: Some(name.to_owned()), ..Profile::default() };
        server.change_profile(profile).await;
        browser.account().await
    };
    let plain = account("plain").await;
    for evil in EVIL {
        assert_same_markup(&account(evil).await, &plain, evil);
    }
}

/// Scope names and resources have an alphabet, and it has angle brackets, ampersands and apostrophes.
#[tokio::test]
async fn rfc9700_section_4_16_scopes_and_resources_are_text() {
    let page = async |scope: &str, resource: &str| {
        let server = TestServer::start().await;
        let builder = server.confidential("TestClient").scope(scope).resources(&[resource]).redirect_uris(&[CALLBACK]);
        let app = builder.register().await;
        let mut browser = server.user_agent();
        let consent =
            browser.reach_consent(&app.authorization().with("resource", resource)).await.assert_consent_page();
        let code = browser.allow(&consent).await.redirect().code();
        app.redeem(&code).with("redirect_uri", CALLBACK).send().await.assert_ok();
        [consent, browser.account().await]
    };
    let plain = page("plain", "https://api.example").await;
    for (scope, resource) in [
        ("<script>alert(1)</script>", "https://api.example/'onfocus='alert(1)"),
        ("'onfocus='alert(1)'", "x:''"),
        ("</title></bdi><svg/onload=alert(1)>", "javascript:alert(1)"),
        ("&lt;b&gt;", "https://api.example/?a&lt;b"),
        ("<!--", "https://api.example/--"),
    ] {
        Scope::parse(scope).expect("it may be registered");
        Resources::parse([resource]).expect("it may be registered");
        let pages = page(scope, resource).await;
        for (evil, plain) in pages.iter().zip(&plain) {
            assert_same_markup(evil, plain, &format!("{scope} {resource}"));
        }
        let written = resource.replace('&', "&#38;").replace('\'', "&#39;");
        assert!(pages[0].text_of_body().contains(&written), "it reads as it is: {}", pages[0].text_of_body());
    }
}

/// An address that is no web page is not linked to.
#[tokio::test]
async fn rfc9700_section_4_16_a_link_to_a_client_runs_no_script() {
    let server = TestServer::start().await;
    let builder = server.confidential("TestClient").openid().redirect_uris(&[CALLBACK]);
    let app = builder.register().await;
    let request = app.authorization().with("scope", "openid");
    let mut browser = server.user_agent();
    let plain = browser.reach_consent(&request).await.assert_consent_page();
    for evil in
        EVIL.into_iter().chain(["data:text/html,<script>alert(1)</script>", "https://a\"onclick=\"x", "//evil.example"])
    {
        app.change_settings(|settings| {
            (settings.client_uri, settings.policy_uri) = (Some(evil.to_owned()), Some(evil.to_owned()));
            settings.tos_uri = Some(evil.to_owned());
        })
        .await;
        let page = browser.authorize(&request).await.assert_consent_page();
        assert_same_markup(&page, &plain, evil);
    }
    assert!(plain.text_of_body().contains(USERNAME));
}
