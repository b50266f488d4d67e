//! OpenID Connect RP-Initiated Logout: a client asks to log its user out, and gets the browser back.

use regrant_protocol::RedirectUri;
use regrant_store::{ClientChange, OutlivesSession};
use regrant_tests::{Answer, Form, Setup, TestClient, TestServer, UserAgent};

const CALLBACK: &str = "https://app.example/cb";
const GOODBYE: &str = "https://app.example/goodbye?k=v";

async fn client<'a>(server: &'a TestServer, id: &str, post_logout: &[&str]) -> TestClient<'a> {
    let uris: Vec<_> = post_logout.iter().map(|uri| RedirectUri::parse(uri).expect("a test names addresses")).collect();
    let builder = server.confidential(id).openid().redirect_uris(&[CALLBACK]);
    builder.set(|settings| settings.post_logout_redirect_uris = uris).register().await
}

/// The ID token of who is logged in with a browser, or of the user of every server.
async fn id_token(app: &TestClient<'_>, browser: &mut UserAgent<'_>) -> String {
    let code = browser.obtain_code(&app.authorization().with("scope", "openid")).await;
    let answer = app.redeem(&code).with("redirect_uri", CALLBACK).send().await.assert_ok();
    answer.member("id_token").expect("an ID token is given").to_owned()
}

fn query(parameters: &[(&str, &str)]) -> String {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pairs: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    pairs.join("&")
}

async fn log_out(browser: &mut UserAgent<'_>, parameters: &[(&str, &str)]) -> Answer {
    browser.open(&format!("/logout?{}", query(parameters))).await
}

async fn is_logged_in(app: &TestClient<'_>, browser: &mut UserAgent<'_>) -> bool {
    let silent = app.authorization().with("scope", "openid").with("prompt", "none");
    match browser.authorize(&silent).await.redirect().get("error") {
        None | Some("consent_required") => true,
        Some(error) => error != "login_required",
    }
}

#[tokio::test]
async fn rp_initiated_logout_section_2_who_brings_the_users_id_token_is_not_asked() {
    let server = TestServer::start().await;
    let app = client(&server, "TestClient", &[GOODBYE]).await;
    let mut browser = server.user_agent();
    let hint = id_token(&app, &mut browser).await;
    // An ID token past its end still says who it was.
    server.clock.advance_seconds(7200);
    for state in ["xyz", "", "a b&c=d#e", "é🦀", "<script>x"] {
        browser.approve(&app.authorization().with("scope", "openid")).await;
        let parameters = [("id_token_hint", &*hint), ("post_logout_redirect_uri", GOODBYE), ("state", state)];
        let answer = log_out(&mut browser, &parameters).await;
        let redirect = answer.redirect();
        assert_eq!((redirect.address.as_str(), redirect.get("k")), ("https://app.example/goodbye", Some("v")));
        assert_eq!(redirect.get("state"), Some(state).filter(|state| !state.is_empty()));
        assert_eq!(redirect.parameters.len(), if state.is_empty() { 1 } else { 2 }, "nothing else is told");
        assert!(browser.cookie("regrant-session").is_none() && !is_logged_in(&app, &mut browser).await);
    }
    // And where nobody is logged in, there is nothing to ask.
    let parameters = [("id_token_hint", &*hint), ("post_logout_redirect_uri", GOODBYE)];
    log_out(&mut browser, &parameters).await.redirect();
    let page = log_out(&mut browser, &[("id_token_hint", &hint)]).await.assert_page(200);
    assert!(page.forms().is_empty(), "{}", page.text_of_body());
}

/// §2: without the ID token anybody could have written the link.
#[tokio::test]
async fn rp_initiated_logout_section_2_without_a_hint_the_user_is_asked() {
    let server = TestServer::start().await;
    let app = client(&server, "TestClient", &[GOODBYE]).await;
    let mut browser = server.user_agent();
    id_token(&app, &mut browser).await;
    for parameters in [
        &[][..],
        &[("client_id", "TestClient"), ("post_logout_redirect_uri", GOODBYE), ("state", "xyz")],
        &[("id_token_hint", "x"), ("client_id", "TestClient")],
        &[("logout_hint", "bshaffer"), ("ui_locales", "fr"), ("unknown", "x")],
    ] {
        let page = log_out(&mut browser, parameters).await.assert_page(200);
        assert!(is_logged_in(&app, &mut browser).await, "{parameters:?}");
        let stay = browser.submit(page.required_form("/logout").press("decision", "stay")).await;
        assert_eq!(stay.redirect().address, "/account");
        assert!(is_logged_in(&app, &mut browser).await, "{parameters:?}");
        let out = browser.submit(page.required_form("/logout").press("decision", "log-out")).await;
        assert!(!is_logged_in(&app, &mut browser).await, "{parameters:?}");
        match parameters.iter().any(|(name, _)| *name == "post_logout_redirect_uri") {
            true => assert_eq!(out.header("location"), Some("https://app.example/goodbye?k=v&state=xyz")),
            false => drop(out.assert_page(200)),
        }
        browser.approve(&app.authorization().with("scope", "openid")).await;
    }
}

/// §2, §3: whose ID token it is decides whether there is a question, and for whom it is, whose addresses count.
#[tokio::test]
async fn rp_initiated_logout_section_2_a_hint_of_somebody_else_is_no_consent() {
    let server = TestServer::start().await;
    let elsewhere = TestServer::start_with(Setup { seed: 2, ..Setup::default() }).await;
    let app = client(&server, "TestClient", &[GOODBYE]).await;
    let same = client(&elsewhere, "TestClient", &[GOODBYE]).await;
    server.register_user("other").await;
    let mut theirs = server.user_agent();
    let login = theirs.authorize(&app.authorization().with("scope", "openid")).await;
    let resume = theirs.log_in_as(&login, "other", "brent123").await;
    let consent = theirs.follow(&resume).await;
    theirs.allow(&consent).await;
    let of_another_user = id_token(&app, &mut theirs).await;
    let of_another_server = id_token(&same, &mut elsewhere.user_agent()).await;

    let mut browser = server.user_agent();
    let own = id_token(&app, &mut browser).await;
    let (signed, _) = own.rsplit_once('.').unwrap();
    let unsigned = format!("{signed}.");
    let code = browser.obtain_code(&app.authorization().with("scope", "openid")).await;
    let access = app.redeem(&code).with("redirect_uri", CALLBACK).send().await.access_token();
    for hint in [&of_another_user, &of_another_server, &unsigned, &access] {
        let page =
            log_out(&mut browser, &[("id_token_hint", hint), ("client_id", "TestClient")]).await.assert_page(200);
        page.required_form("/logout");
        assert!(is_logged_in(&app, &mut browser).await);
    }
    // Nothing says whose address it would be.
    for hint in [&of_another_server, &unsigned, &access] {
        let parameters = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", GOODBYE)];
        log_out(&mut browser, &parameters).await.assert_page(400);
        let told_a_stranger = log_out(&mut server.user_agent(), &parameters).await.assert_page(400).text_of_body();
        assert!(!told_a_stranger.contains("You are still logged in"), "{told_a_stranger}");
    }
    assert!(is_logged_in(&app, &mut browser).await && is_logged_in(&app, &mut theirs).await);
}

/// §3: byte for byte. Nobody is sent anywhere else, and nobody is logged out for having tried.
#[tokio::test]
async fn rp_initiated_logout_section_3_nobody_is_sent_to_an_address_that_is_not_registered() {
    let server = TestServer::start().await;
    let app = client(&server, "TestClient", &[GOODBYE]).await;
    let other = client(&server, "Other", &["https://other.example/bye"]).await;
    let mut browser = server.user_agent();
    let hint = id_token(&app, &mut browser).await;
    for uri in [
        "https://app.example/goodbye",
        "https://app.example/goodbye?k=v&x=y",
        "https://app.example/goodbye?k=v#",
        "https://app.example/goodbye?k=V",
        "https://APP.example/goodbye?k=v",
        "https://app.example:443/goodbye?k=v",
        "https://app.example@evil.example/goodbye?k=v",
        "https://app.example.evil.example/goodbye?k=v",
        "https://app.example/x/../goodbye?k=v",
        "https://evil.example/?https://app.example/goodbye?k=v",
        "http://app.example/goodbye?k=v",
        "//app.example/goodbye?k=v",
        "/goodbye?k=v",
        "javascript:alert(1)",
        " https://app.example/goodbye?k=v",
        "https://app.example/goodbye?k=v\r\nSet-Cookie: a=b",
        // Registered for codes, and for another client.
        CALLBACK,
        "https://other.example/bye",
    ] {
        for parameters in [
            &[("id_token_hint", &*hint), ("post_logout_redirect_uri", uri)][..],
            &[("client_id", "TestClient"), ("post_logout_redirect_uri", uri), ("state", "x")],
            &[("post_logout_redirect_uri", uri)],
        ] {
            log_out(&mut browser, parameters).await.assert_page(400);
        }
    }
    for parameters in [
        &[("post_logout_redirect_uri", GOODBYE)][..],
        &[("client_id", "nope"), ("post_logout_redirect_uri", GOODBYE)],
        &[("client_id", "Other"), ("post_logout_redirect_uri", GOODBYE)],
        &[("client_id", "Other"), ("id_token_hint", &hint)],
        &[("client_id", "Other"), ("id_token_hint", &hint), ("post_logout_redirect_uri", "https://other.example/bye")],
        &[("client_id", "TestClient"), ("client_id", "TestClient")],
        &[("client_id", "TestClient"), ("state", &"s".repeat(2049))],
    ] {
        log_out(&mut browser, parameters).await.assert_page(400);
    }
    app.change(ClientChange::Enabled(false)).await;
    log_out(&mut browser, &[("id_token_hint", &hint), ("post_logout_redirect_uri", GOODBYE)]).await.assert_page(400);
    assert!(is_logged_in(&other, &mut browser).await);
}

/// The exception of RFC 8252 §7.3, for apps that do not know their port beforehand, and no other.
#[tokio::test]
async fn rp_initiated_logout_section_3_a_loopback_address_has_any_port() {
    let server = TestServer::start().await;
    let app = client(&server, "TestClient", &["http://127.0.0.1/out", "com.example.app:/out"]).await;
    let mut browser = server.user_agent();
    let hint = id_token(&app, &mut browser).await;
    for (uri, is_accepted) in [
        ("http://127.0.0.1/out", true),
        ("http://127.0.0.1:49152/out", true),
        ("com.example.app:/out", true),
        ("http://127.0.0.1:49152/out2", false),
        ("http://localhost:49152/out", false),
        ("com.example.app:/out2", false),
    ] {
        let answer = log_out(&mut browser, &[("id_token_hint", &*hint), ("post_logout_redirect_uri", uri)]).await;
        match is_accepted {
            true => assert_eq!(answer.redirect().address, uri),
            false => drop(answer.assert_page(400)),
        }
    }
}

/// §2: GET and POST. A form of the client's own site brings no cookies along, until it has become a link.
#[tokio::test]
async fn rp_initiated_logout_section_2_a_client_may_ask_by_post() {
    let server = TestServer::start().await;
    let app = client(&server, "TestClient", &[GOODBYE]).await;
    let mut browser = server.user_agent();
    let hint = id_token(&app, &mut browser).await;
    let form = Form { action: "/logout".to_owned(), method: "post".to_owned(), ..Form::default() };
    let asking = form.clone().fill("client_id", "TestClient").fill("post_logout_redirect_uri", GOODBYE);
    let hinting = asking.clone().fill("id_token_hint", &hint);

    browser.submit(asking.clone()).await.assert_page(200).required_form("/logout");
    let link = browser.submit_from_elsewhere(asking).await;
    browser.follow(&link).await.assert_page(200).required_form("/logout");
    assert!(is_logged_in(&app, &mut browser).await, "no other site logs anybody out");

    let link = browser.submit_from_elsewhere(hinting).await;
    assert!(is_logged_in(&app, &mut browser).await);
    assert_eq!(browser.follow(&link).await.header("location"), Some(GOODBYE));
    assert!(!is_logged_in(&app, &mut browser).await);
}

/// The page that asks belongs to one login session, and waits for ten minutes.
#[tokio::test]
async fn rp_initiated_logout_section_2_the_confirmation_is_that_of_the_same_session() {
    let server = TestServer::start().await;
    let app = client(&server, "TestClient", &[GOODBYE]).await;
    let (mut victim, mut attacker) = (server.user_agent(), server.user_agent());
    id_token(&app, &mut victim).await;
    id_token(&app, &mut attacker).await;
    let own = victim.open("/logout").await.required_form("/logout").press("decision", "log-out");
    let foreign = attacker.open("/logout").await.required_form("/logout").press("decision", "log-out");
    let account = victim.account().await.required_form("/account/log-out").field("form").unwrap().to_owned();

    victim.submit(foreign).await.assert_page(403);
    victim.submit(own.clone().fill("form", "AAAA")).await.assert_page(403);
    victim.submit(own.clone().fill("form", &account)).await.assert_page(403);
    let link = victim.submit_from_elsewhere(own.clone().fill("form", "AAAA")).await;
    victim.follow(&link).await.assert_page(403);
    server.clock.advance_seconds(10 * 60);
    let asked_again = victim.submit(own).await.assert_page(403);
    assert!(is_logged_in(&app, &mut victim).await);
    victim.submit(asked_again.required_form("/logout").press("decision", "log-out")).await.assert_page(200);
    assert!(!is_logged_in(&app, &mut victim).await && is_logged_in(&app, &mut attacker).await);
}

/// C-120: what ends with a log-out, and what does not.
#[tokio::test]
async fn rp_initiated_logout_section_2_it_ends_the_session_of_this_browser_and_what_hangs_on_it() {
    let server = TestServer::start().await;
    let app = client(&server, "TestClient", &[GOODBYE]).await;
    let bound = client(&server, "Bound", &[]).await;
    bound.change_settings(|settings| settings.outlives_session = OutlivesSession::WithOfflineAccess).await;
    let (mut here, mut there) = (server.user_agent(), server.user_agent());
    let hint = id_token(&app, &mut here).await;
    let tokens = async |client: &TestClient<'_>, browser: &mut UserAgent<'_>| {
        let code = browser.obtain_code(&client.authorization().with("scope", "openid")).await;
        client.redeem(&code).with("redirect_uri", CALLBACK).send().await.assert_ok()
    };
    let outliving = tokens(&app, &mut here).await;
    let bound_here = tokens(&bound, &mut here).await;
    let bound_there = tokens(&bound, &mut there).await;
    let copy = here.copy();

    log_out(&mut here, &[("id_token_hint", &hint)]).await.assert_page(200);
    let mut thief = copy;
    assert!(!is_logged_in(&app, &mut thief).await, "the cookie is worth nothing any more");
    assert!(is_logged_in(&app, &mut there).await);
    bound.refresh(&bound_here.refresh_token()).send().await.assert_error(400, "invalid_grant");
    assert!(!server.is_good(&bound_here.access_token()).await);
    app.refresh(&outliving.refresh_token()).send().await.assert_ok();
    bound.refresh(&bound_there.refresh_token()).send().await.assert_ok();
}
