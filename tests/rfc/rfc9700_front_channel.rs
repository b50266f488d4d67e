//! RFC 9700 where a browser takes part: redirects, what passes through them, and what other sites can do to it.

use regrant_protocol::RedirectUri;
use regrant_tests::{Form, TestServer};

const CALLBACK: &str = "https://app.example/cb";

/// C-112: nothing but the registered text is the registered URI, however a parser might read it.
#[tokio::test]
async fn rfc9700_section_4_1_3_a_redirect_uri_is_compared_byte_for_byte() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&["https://app.example/cb"]).register().await;
    let mut browser = server.user_agent();
    for variant in [
        "https://app.example",
        "https://app.example/",
        "https://app.example/cb/",
        "https://app.example/cb2",
        "https://app.example/CB",
        "https://app.example/c",
        "https://app.example/cb?",
        "https://app.example/cb?a=b",
        "https://app.example/cb#",
        "https://app.example/cb#a",
        "https://app.example/cb;a",
        "https://app.example/%63b",
        "https://app.example/cb%2F",
        "https://app.example/cb%00",
        "https://app.example/./cb",
        "https://app.example/x/../cb",
        "https://app.example/cb/..",
        "https://app.example/cb/../../evil",
        "https://app.example//cb",
        "https://app.example\\cb",
        "https:\\\\app.example\\cb",
        "https:/app.example/cb",
        "https:app.example/cb",
        "//app.example/cb",
        "/cb",
        "HTTPS://app.example/cb",
        "http://app.example/cb",
        "https://APP.example/cb",
        "https://app.example./cb",
        "https://app.example:443/cb",
        "https://app.example:8443/cb",
        "https://app.example@evil.example/cb",
        "https://user@app.example/cb",
        "https://user:password@app.example/cb",
        "https://app.example%40evil.example/cb",
        "https://app.example.evil.example/cb",
        "https://evil.example/https://app.example/cb",
        "https://evil.example#https://app.example/cb",
        "https://evil.example?https://app.example/cb",
        "https://sub.app.example/cb",
        "https://аpp.example/cb",
        "https://app。example/cb",
        "https://app.example/cb\t",
        "https://app.example/cb\n",
        "https://app.example/cb\r\nLocation: https://evil.example",
        " https://app.example/cb",
        "https://app.example/cb ",
        "https://app.example/cb\0",
        "https://app.example/\u{200b}cb",
        "javascript:alert(1)//https://app.example/cb",
        "data:text/html,https://app.example/cb",
    ] {
        browser.authorize(&app.authorization().with("redirect_uri", variant)).await.assert_page(400);
    }
    assert_eq!(browser.approve(&app.authorization()).await.address, CALLBACK);
}

/// C-114.
#[tokio::test]
async fn rfc9700_section_2_6_http_is_for_loopback_only() {
    for (uri, is_accepted) in [
        ("http://127.0.0.1/cb", true),
        ("http://[::1]:8080/cb", true),
        ("http://localhost/cb", true),
        ("http://example.com/cb", false),
        ("http://127.0.0.2/cb", false),
        ("http://192.168.0.1/cb", false),
        ("http://0.0.0.0/cb", false),
        ("http://localhost.example.com/cb", false),
        ("http://localhost./cb", false),
        ("http://127.0.0.1.example.com/cb", false),
        ("ftp://127.0.0.1/cb", false),
        ("ws://127.0.0.1/cb", false),
    ] {
        assert_eq!(RedirectUri::parse(uri).is_ok(), is_accepted, "{uri}");
    }
}

/// C-113: clients are registered by an operator, none by itself. So an error goes to the client by redirect, also where
/// nobody is logged in; that its redirect URI is its own was checked before.
#[tokio::test]
async fn rfc9700_section_4_11_2_an_error_is_told_the_client_that_an_operator_registered() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    for request in [app.authorization().with("scope", "admin"), app.authorization().with("prompt", "none")] {
        let redirect = server.user_agent().authorize(&request).await.redirect();
        assert_eq!((redirect.address.as_str(), redirect.get("error").is_some()), (CALLBACK, true));
        let elsewhere = request.with("redirect_uri", "https://evil.example/");
        server.user_agent().authorize(&elsewhere).await.assert_page(400);
    }
}

/// C-116: no token passes through the browser, by any response type or mode.
#[tokio::test]
async fn rfc9700_section_2_1_2_no_token_in_the_front_channel() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").openid().redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    browser.approve(&app.authorization()).await.code();
    for (response_type, mode) in
        [("token", "fragment"), ("id_token token", "query"), ("code token", "form_post"), ("code id_token", "query")]
    {
        let request = app.authorization().with("response_type", response_type).with("response_mode", mode);
        let answer = browser.authorize(&request.with("nonce", "n")).await;
        let told = answer.header("location").map_or_else(|| answer.text_of_body(), str::to_owned);
        assert!(told.contains("error") && !told.contains("token="), "{response_type} by {mode}: {told}");
    }
    for mode in ["fragment", "jwt", "query.jwt", "web_message", "QUERY"] {
        let answer = browser.authorize(&app.authorization().with("response_mode", mode)).await;
        answer.assert_redirect_error("invalid_request");
    }
    let redirect = browser.approve(&app.authorization()).await;
    assert!(redirect.parameters.iter().all(|(name, _)| ["code", "state", "iss"].contains(&name.as_str())));
}

/// C-123, C-158: every form of ours that is answered by a redirect.
#[tokio::test]
async fn rfc9700_section_4_12_a_form_is_answered_303_so_that_nobody_gets_a_password_posted() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let login = browser.authorize(&app.authorization()).await;
    let logged_in = browser.log_in(&login).await;
    let consent = browser.follow(&logged_in).await;
    let allowed = browser.allow(&consent).await;
    app.redeem(&allowed.redirect().code()).send().await.assert_ok();
    let account = browser.account().await;
    let ended = browser.submit(account.required_form("/account/end")).await;
    let login = browser.authorize(&app.authorization().with("prompt", "login")).await;
    let cancelled = browser.submit(login.required_form("/login").press("action", "cancel")).await;
    for answer in [logged_in, allowed, ended, cancelled] {
        assert_eq!((answer.status.as_u16(), answer.body.len()), (303, 0));
        assert!(!answer.header("location").unwrap().contains("brent123"));
    }
}

/// C-124.
#[tokio::test]
async fn rfc9700_section_2_6_no_script_of_another_origin_reads_the_authorization_endpoint() {
    let server = TestServer::start().await;
    let origin = "https://app.example";
    let builder = server.public("TestApp").redirect_uris(&[CALLBACK]);
    let origins = vec![regrant_protocol::WebOrigin::parse(origin).unwrap()];
    let app = builder.set(|settings| settings.allowed_origins = origins).register().await;
    for path in [format!("/authorize?{}", app.authorization().query()), "/account".to_owned(), "/logout".to_owned()] {
        for method in ["GET", "OPTIONS"] {
            let request = server.request(method, &path).content_types(&[]).header("origin", origin);
            let answer = request.header("access-control-request-method", "GET").send().await;
            let mut names = answer.headers.keys().map(|name| name.as_str());
            assert!(!names.any(|name| name.starts_with("access-control-")), "{method} {path}");
        }
    }
    let readable = app.redeem("rgc_x").header("origin", origin).send().await;
    assert_eq!(readable.header("access-control-allow-origin"), Some(origin), "the token endpoint is for scripts");
}

/// C-125: what a proxy would say is not believed, as nobody said that there is one.
#[tokio::test]
async fn rfc9700_section_4_13_headers_of_proxies_change_nothing() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let spoofed = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-for", "203.0.113.9"),
        ("forwarded", "for=203.0.113.9;host=evil.example;proto=http"),
    ];
    let path = format!("/authorize?{}", app.authorization().query());
    let request = server.get(&path).content_types(&[]);
    let page = spoofed.iter().fold(request, |request, (name, value)| request.header(name, value)).send().await;
    let cookie = page.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-") && cookie.contains("; Secure"), "{cookie}");
    assert!(!page.text_of_body().contains("evil") && page.required_form("/login").action == "/login");

    let mut browser = server.user_agent().at_address("192.0.2.7");
    let consent = browser.reach_consent(&app.authorization()).await.consent_form().press("decision", "allow");
    let mut headers = vec![("sec-fetch-site", "same-origin")];
    headers.extend(spoofed);
    let code = browser.submit_with(consent, &headers).await.redirect().code();
    app.redeem(&code).send().await.assert_ok();
    let account = browser.account().await.text_of_body();
    assert!(account.contains("192.0.2.7") && !account.contains("203.0.113.9"), "{account}");
}

/// C-127: the address of the consent page holds the request; neither it nor a code is told to another site by a `Referer`.
#[tokio::test]
async fn rfc9700_section_4_2_4_no_address_of_ours_leaks_in_a_referer() {
    let server = TestServer::start().await;
    let builder = server.public("TestApp").redirect_uris(&[CALLBACK]);
    let app = builder.set(|settings| settings.policy_uri = Some("https://app.example/privacy".to_owned()));
    let app = app.register().await;
    let mut browser = server.user_agent();
    let login = browser.authorize(&app.authorization()).await;
    let resume = browser.log_in(&login).await;
    let consent = browser.follow(&resume).await;
    let allowed = browser.allow(&consent).await;
    let (page, redirect) = (Some("same-origin"), Some("no-referrer"));
    for (answer, policy) in [(login, page), (resume, redirect), (consent.clone(), page), (allowed, redirect)] {
        assert_eq!(answer.header("referrer-policy"), policy);
    }
    let html = consent.text_of_body();
    let links: Vec<_> = html.split("<a href=\"").skip(1).collect();
    assert!(links.iter().any(|link| link.starts_with("https://app.example/privacy")), "{html}");
    for link in links {
        assert!(link.split('>').next().unwrap().contains("noopener"), "{link}");
    }
}

/// §4.16, §4.7: the forms of the account page are bound to the login session, as the consent form is.
#[tokio::test]
async fn rfc9700_section_4_7_no_other_site_or_session_sends_the_forms_of_the_account_page() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let (mut victim, mut attacker) = (server.user_agent(), server.user_agent());
    let tokens = app.redeem(&victim.obtain_code(&app.authorization()).await).send().await.assert_ok();
    attacker.approve(&app.authorization()).await.code();
    let seal = attacker.account().await.required_form("/account/end-all").fields;
    let own = victim.account().await.assert_page(200);
    for action in ["/account/end", "/account/end-all", "/account/password", "/account/log-out"] {
        let form = own.required_form(action).fill("current_password", "brent123").fill("new_password", "longenough");
        victim.submit_from_elsewhere(form.clone()).await.assert_page(403);
        victim.submit_with(form.clone(), &[("sec-fetch-site", "same-site")]).await.assert_page(403);
        let foreign = seal.iter().fold(form.clone(), |form, (name, value)| form.fill(name, value));
        victim.submit(foreign).await.assert_page(403);
        let without = Form { fields: form.fields.iter().filter(|(name, _)| name != "form").cloned().collect(), ..form };
        victim.submit(without).await.assert_page(403);
    }
    victim.account().await.assert_page(200).required_form("/account/end");
    app.refresh(&tokens.refresh_token()).send().await.assert_ok();
}
