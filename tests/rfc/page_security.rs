//! Every page that a browser is shown: what is sent with it, and its cookies. What other sites can do to it is in
//! `page_forgery.rs`, what gets into its HTML in `page_injection.rs`.

use std::collections::BTreeMap;

use regrant_tests::{Answer, Fault, Form, PASSWORD, Setup, TestClient, TestServer, USERNAME};

const CALLBACK: &str = "https://app.example/cb";

async fn client<'a>(server: &'a TestServer) -> TestClient<'a> {
    server.confidential("TestClient").openid().redirect_uris(&[CALLBACK]).register().await
}

/// Everything with which a page is sent.
#[track_caller]
fn assert_page_headers(what: &str, page: &Answer, form_action: &str, opener_policy: &str) {
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; \
         form-action {form_action}"
    );
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", policy.as_str()),
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cache-control", "no-store"),
        ("cross-origin-opener-policy", opener_policy),
    ] {
        let values: Vec<_> = page.headers.get_all(name).iter().collect();
        assert_eq!(values, [value], "{name} of {what}");
    }
    let devices = page.header("permissions-policy").unwrap_or_default();
    assert!(devices.contains("camera=()") && devices.contains("geolocation=()"), "{what}: {devices:?}");
}

/// C-032, C-126, C-127: each page that leads back to a client, with each status that it can have.
#[tokio::test]
async fn rfc9700_section_4_16_a_page_that_leads_to_a_client_is_protected() {
    let server = TestServer::start().await;
    let app = client(&server).await;
    let request = app.authorization().with("scope", "openid read");
    let mut browser = server.user_agent();
    let login = browser.authorize(&request).await;
    let wrong = browser.log_in_as(&login, USERNAME, "wrong").await;
    let mut slowed = browser.log_in_as(&login, "nobody", "wrong").await;
    for _ in 0..regrant_engine::FAILURE_BURST {
        slowed = browser.log_in_as(&login, "nobody", "wrong").await;
    }
    let resume = browser.log_in(&login).await;
    let consent = browser.follow(&resume).await;
    server.clock.advance_seconds(601);
    let late_login = browser.log_in(&login).await;
    let late_consent = browser.allow(&consent).await;
    for (what, status, page) in [
        ("login", 200, login),
        ("login, wrong password", 403, wrong),
        ("login, too many failures", 429, slowed),
        ("login, outdated", 403, late_login),
        ("consent", 200, consent),
        ("consent, outdated", 403, late_consent),
    ] {
        assert_eq!(page.status, status, "{what}: {}", page.text_of_body());
        assert_page_headers(what, &page, "'self' https:", "unsafe-none");
    }
}

/// C-032, C-126, C-127: each page of our own, with each status that it can have.
#[tokio::test]
async fn rfc9700_section_4_16_a_page_of_our_own_is_protected() {
    let server = TestServer::start().await;
    let app = client(&server).await;
    let request = app.authorization().with("scope", "openid read");
    let mut browser = server.user_agent();
    let mut pages = vec![("login", 200, browser.account().await)];
    let allow = browser.reach_consent(&request).await.consent_form().press("decision", "allow");
    let code = browser.submit(allow.clone()).await.redirect().code();
    app.redeem(&code).with("redirect_uri", CALLBACK).send().await.assert_ok();
    pages.push(("answered before", 409, browser.submit(allow.clone()).await));
    pages.push(("another site", 403, browser.submit_from_elsewhere(allow.clone()).await));
    pages.push(("not ours", 403, browser.submit(allow.fill("request", "x")).await));

    let account = browser.account().await;
    let gone = account.required_form("/account/end").fill("grant", "AAAAAAAAAAAAAAAAAAAAAA");
    pages.push(("no such grant", 404, browser.submit(gone).await));
    pages.push((
        "account, new password too short",
        400,
        browser.submit(account.required_form("/account/password")).await,
    ));
    pages.push(("log out?", 200, browser.open("/logout").await));
    pages.push(("log out to nowhere", 400, browser.open("/logout?post_logout_redirect_uri=https://x.example").await));
    pages.push(("no client", 400, browser.open("/authorize").await));
    pages.push(("unreadable", 400, browser.open("/authorize?x=%FF").await));
    pages.push(("too long", 414, browser.open(&format!("/authorize?x={}", "x".repeat(8192))).await));
    pages.push(("another method", 405, browser.open("/login").await));
    pages.push(("no form", 415, server.post("/login").content_types(&["application/json"]).form("{}").send().await));
    pages.push(("too large", 413, server.post("/login").form("x".repeat(20_000)).send().await));
    server.store.fail(Fault::Down);
    let path = format!("/authorize?{}", request.query());
    pages.push(("outage", 503, server.get(&path).content_types(&[]).may_be_unavailable().send().await));
    server.store.fail(None);
    pages.push(("logged out", 200, browser.submit(account.required_form("/account/log-out")).await));
    pages.push(("account", 200, account));
    for (what, status, page) in pages {
        assert_eq!(page.status, status, "{what}: {}", page.text_of_body());
        assert_page_headers(what, &page, "'self'", "same-origin");
    }
}

/// A form that leads back to an app goes there and nowhere else, whatever scheme the app has.
#[tokio::test]
async fn rfc9700_section_4_16_the_policy_of_a_form_admits_the_way_back_to_its_client() {
    let server = TestServer::start().await;
    for (id, uri, form_action) in [
        ("web", "https://app.example/cb", "'self' https:"),
        ("loopback", "http://127.0.0.1/cb", "'self' https: http:"),
        ("app", "com.example.app:/cb", "'self' https: com.example.app:"),
    ] {
        let app = server.public(id).redirect_uris(&[uri]).register().await;
        let mut browser = server.user_agent();
        let login = browser.authorize(&app.authorization()).await;
        assert_page_headers(id, &login, form_action, "unsafe-none");
        let resume = browser.log_in(&login).await;
        assert_page_headers(id, &browser.follow(&resume).await, form_action, "unsafe-none");
    }
}

/// What pages load comes from us, may be kept, and runs nothing.
#[tokio::test]
async fn rfc9700_section_4_2_4_what_a_page_loads_is_ours() {
    for (issuer, base) in [("https://id.example", ""), ("https://id.example/t1", "/t1")] {
        let server = TestServer::start_with(Setup { issuer, ..Setup::default() }).await;
        let page = server.user_agent().account().await.assert_login_page().text_of_body();
        let mut loaded: Vec<_> = page.split(" src=\"").skip(1).collect();
        loaded.extend(page.split("<link ").skip(1).map(|link| link.split("href=\"").nth(1).unwrap()));
        assert!(loaded.len() >= 2, "{page}");
        for loaded in loaded {
            let path = loaded.split('"').next().unwrap();
            assert!(path.starts_with(&format!("{base}/assets/")), "{path}");
            let asset = server.get(path).content_types(&[]).send().await.assert_ok();
            assert_eq!(asset.header("x-content-type-options"), Some("nosniff"));
            assert_eq!(asset.header("cache-control"), Some("public, max-age=31536000, immutable"));
            assert!(asset.header("content-security-policy").unwrap().contains("default-src 'none'"), "{path}");
            assert!(
                ["text/css; charset=utf-8", "image/svg+xml", "image/png"]
                    .contains(&asset.header("content-type").unwrap())
            );
        }
        for unknown in ["/assets/x", "/assets/..%2Fregrant.toml", "/assets/"] {
            assert_eq!(server.get(&format!("{base}{unknown}")).send().await.status, 404, "{unknown}");
        }
    }
}

/// On https the browser itself keeps other hosts from planting cookies; on http, which is for loopback, it cannot.
#[tokio::test]
async fn rfc6265bis_section_4_1_3_cookies_are_for_this_host_and_no_script() {
    for (issuer, prefix, secure) in [
        ("https://id.example", "__Host-", "; Secure"),
        ("https://id.example/t1", "__Host-", "; Secure"),
        ("http://127.0.0.1:8080", "", ""),
    ] {
        let server = TestServer::start_with(Setup { issuer, ..Setup::default() }).await;
        let mut browser = server.user_agent();
        let login = browser.account().await;
        let logged_in = browser.log_in(&login).await;
        let account = browser.account().await;
        let out = browser.submit(account.required_form("/account/log-out")).await;
        let mut given = BTreeMap::new();
        for answer in [&login, &logged_in, &out] {
            for cookie in answer.headers.get_all("set-cookie") {
                let cookie = cookie.to_str().unwrap();
                let (name, rest) = cookie.split_once('=').unwrap();
                let (value, attributes) = rest.split_once("; ").unwrap();
                assert!(value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{cookie}");
                given.insert((name.to_owned(), value.is_empty()), attributes.to_owned());
            }
        }
        let expected = |name: &str, is_taken: bool, seconds: u32| {
            let attributes = format!("Path=/; HttpOnly; SameSite=Lax{secure}; Max-Age={seconds}");
            ((format!("{prefix}regrant-{name}"), is_taken), attributes)
        };
        let expected = BTreeMap::from([
            expected("browser", false, 400 * 24 * 3600),
            expected("known", false, 400 * 24 * 3600),
            expected("session", false, 7 * 24 * 3600),
            expected("session", true, 0),
        ]);
        assert_eq!(given, expected, "{issuer}");
        assert!(
            account.headers.get_all("set-cookie").iter().next().is_none(),
            "a page that changes nothing sets nothing"
        );
    }
}

/// A session that somebody else began, or ended, is worth nothing.
#[tokio::test]
async fn a_login_takes_over_no_cookie_that_was_there_before() {
    let server = TestServer::start().await;
    let app = client(&server).await;
    let silent = app.authorization().with("scope", "openid").with("prompt", "none");
    let mut attacker = server.user_agent();
    attacker.approve(&app.authorization().with("scope", "openid")).await.code();
    // The victim's browser has the attacker's cookies, and logs in as somebody else.
    server.register_user("victim").await;
    let mut victim = attacker.copy();
    let login = victim.authorize(&silent.clone().with("prompt", "login")).await.assert_login_page();
    let before = victim.cookie("regrant-session").unwrap().to_owned();
    let resume = victim.log_in_as(&login, "victim", PASSWORD).await;
    assert_ne!(victim.cookie("regrant-session"), Some(&*before));
    victim.follow(&resume).await.assert_consent_page();
    attacker.authorize(&silent).await.assert_redirect_error("login_required");

    // Who enters the password again gets a new secret; a copy of the cookie from before is dead.
    let mut thief = victim.copy();
    let login = victim.authorize(&silent.clone().with("prompt", "login")).await;
    victim.log_in_as(&login, "victim", PASSWORD).await.redirect();
    thief.authorize(&silent).await.assert_redirect_error("login_required");
    victim.authorize(&silent).await.assert_redirect_error("consent_required");
}

/// C-123, C-158: 303 after every form, and no password goes on.
#[tokio::test]
async fn rfc9700_section_4_12_after_a_form_the_browser_goes_on_by_get() {
    let server = TestServer::start().await;
    let app = client(&server).await;
    let mut browser = server.user_agent();
    let login = browser.account().await;
    let mut answers = vec![browser.log_in(&login).await];
    let consent = browser.reach_consent(&app.authorization().with("scope", "openid")).await;
    answers.push(browser.allow(&consent).await);
    app.redeem(&answers[1].redirect().code()).with("redirect_uri", CALLBACK).send().await.assert_ok();
    let account = browser.account().await;
    answers.push(browser.submit(account.required_form("/account/end")).await);
    answers.push(browser.submit(account.required_form("/account/end-all")).await);
    let stay = browser.open("/logout").await.required_form("/logout").press("decision", "stay");
    answers.push(browser.submit(stay).await);
    for answer in answers {
        assert_eq!((answer.status.as_u16(), answer.body.len()), (303, 0));
        let location = answer.header("location").unwrap();
        assert!(!location.contains(PASSWORD) && !location.contains(USERNAME), "{location}");
    }
}

/// C-197, C-066: the whole way twice on equal servers, once with a foreign `Host`. Every answer is the same, byte for
/// byte.
#[tokio::test]
async fn rfc9110_section_7_2_the_host_header_changes_nothing() {
    let (plain, spoofed) = (walk("id.example").await, walk("evil.example:99").await);
    assert_eq!(plain.len(), spoofed.len());
    for (plain, spoofed) in plain.iter().zip(&spoofed) {
        assert_eq!(plain.text_of_body(), spoofed.text_of_body());
        assert_eq!((plain.status, &plain.headers), (spoofed.status, &spoofed.headers));
        assert!(!format!("{:?}{}", spoofed.headers, spoofed.text_of_body()).contains("evil"));
    }
}

/// From the first page to the last, with this `Host`.
async fn walk(host: &str) -> Vec<Answer> {
    let server = TestServer::start().await;
    let app = client(&server).await;
    let mut cookies: BTreeMap<String, String> = BTreeMap::new();
    let mut answers: Vec<Answer> = Vec::new();
    let mut send = async |path: String, form: Option<Form>| {
        let request = match &form {
            Some(form) => {
                form.fields.iter().fold(server.post(&form.action), |request, (name, value)| request.with(name, value))
            }
            None => server.get(&path).content_types(&[]),
        };
        let cookie = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        let request = request.header("host", host).header("x-forwarded-host", host).header("cookie", &cookie);
        let answer = request.header("sec-fetch-site", "same-origin").send().await;
        for set in answer.headers.get_all("set-cookie") {
            let (name, rest) = set.to_str().expect("cookies are ASCII").split_once('=').expect("a cookie has a value");
            cookies.insert(name.to_owned(), rest.split(';').next().expect("a value ends").to_owned());
        }
        answers.push(answer.clone());
        answer
    };
    let request = app.authorization().with("scope", "openid");
    let login = send(format!("/authorize?{}", request.query()), None).await;
    let login = login.required_form("/login").fill("username", USERNAME).fill("password", PASSWORD);
    let resume = send(String::new(), Some(login)).await;
    let consent = send(resume.header("location").expect("it leads on").to_owned(), None).await;
    let allow = consent.consent_form().press("decision", "allow");
    send(String::new(), Some(allow)).await.redirect().code();
    let account = send("/account".to_owned(), None).await;
    send("/logout".to_owned(), None).await;
    send("/authorize?client_id=nope".to_owned(), None).await;
    send("/logout?post_logout_redirect_uri=https://x.example".to_owned(), None).await;
    send("/.well-known/openid-configuration".to_owned(), None).await;
    send(String::new(), Some(account.required_form("/account/log-out"))).await;
    answers
}
