//! OpenID Connect Core §3.1.2.4 and §11: what the user agrees to, and how long it holds.

use regrant_store::{GrantFilter, OutlivesSession, Store};
use regrant_tests::{TestClient, TestServer};

const CALLBACK: &str = "https://app.example/cb";

async fn openid_client<'a>(server: &'a TestServer) -> TestClient<'a> {
    server.confidential("TestClient").openid().redirect_uris(&[CALLBACK]).register().await
}

/// C-165.
#[tokio::test]
async fn openid_core_section_3_1_2_4_nothing_is_released_before_the_user_agreed() {
    let server = TestServer::start().await;
    let app = openid_client(&server).await;
    let mut browser = server.user_agent();
    let request = app.authorization().with("scope", "openid profile email");
    let steps = server.store.steps();
    let page = browser.reach_consent(&request).await.assert_consent_page();
    let form = page.consent_form();
    let boxes: Vec<_> = form.boxes.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(boxes, ["profile", "email"], "openid says who agrees, and cannot be left out");
    browser.deny(&page).await.assert_redirect_error("access_denied");
    assert_eq!(server.store.steps(), steps + 1, "a no asks whether there was a yes before");
    let every = GrantFilter { with_revoked: true, ..GrantFilter::default() };
    assert_eq!(
        server.store.grants(&every, None, 1).await.unwrap().items,
        [],
        "there is no grant before there is consent"
    );
    browser.authorize(&request).await.assert_consent_page();

    let code = browser.submit(form.untick("email").press("decision", "allow")).await.redirect().code();
    let answer = app.redeem(&code).with("redirect_uri", CALLBACK).send().await.assert_scope("openid profile");
    assert!(answer.member("id_token").is_some());
    // What was left out is asked again; what was allowed is not.
    browser.authorize(&request.clone().with("scope", "openid profile")).await.redirect().code();
    browser.authorize(&request).await.assert_consent_page();
}

/// C-166: without consent for it `offline_access` is no reason to refuse the rest, and is not granted.
#[tokio::test]
async fn openid_core_section_11_offline_access_is_never_granted_without_consent() {
    let server = TestServer::start().await;
    let app = openid_client(&server).await;
    app.change_settings(|settings| settings.outlives_session = OutlivesSession::WithOfflineAccess).await;
    let mut browser = server.user_agent();
    let offline = app.authorization().with("scope", "openid offline_access");
    let silent = offline.clone().with("prompt", "none");
    let redeem = async |code: &str| app.redeem(code).with("redirect_uri", CALLBACK).send().await;

    let page = browser.reach_consent(&offline).await.assert_consent_page();
    let form = page.consent_form();
    assert!(form.boxes.iter().any(|(_, name)| name == "offline_access"), "{form:?}");
    browser.authorize(&silent).await.assert_redirect_error("consent_required");
    let code = browser.submit(form.untick("offline_access").press("decision", "allow")).await.redirect().code();
    redeem(&code).await.assert_scope("openid");

    let code = browser.authorize(&silent).await.redirect().code();
    redeem(&code).await.assert_scope("openid");
    let alone = browser.authorize(&silent.clone().with("scope", "offline_access")).await;
    alone.assert_redirect_error("consent_required");
    let consent = browser.authorize(&offline).await.assert_consent_page();
    let code = browser.allow(&consent).await.redirect().code();
    redeem(&code).await.assert_scope("openid offline_access");
    let code = browser.authorize(&silent).await.redirect().code();
    redeem(&code).await.assert_scope("openid offline_access");
}

/// C-166, C-120: what it decides, where the client's settings say so, is whether a grant outlives the login session.
#[tokio::test]
async fn openid_core_section_11_a_grant_without_offline_access_ends_with_the_login_session() {
    let server = TestServer::start().await;
    let app = openid_client(&server).await;
    for (outlives, scope, survives) in [
        (OutlivesSession::WithOfflineAccess, "openid", false),
        (OutlivesSession::WithOfflineAccess, "openid offline_access", true),
        (OutlivesSession::Always, "openid", true),
    ] {
        app.change_settings(|settings| settings.outlives_session = outlives).await;
        let mut browser = server.user_agent();
        let code = browser.obtain_code(&app.authorization().with("scope", scope)).await;
        let tokens = app.redeem(&code).with("redirect_uri", CALLBACK).send().await.assert_ok();
        let refreshed = app.refresh(&tokens.refresh_token()).send().await.assert_ok();
        let account = browser.account().await;
        browser.submit(account.required_form("/account/log-out")).await.assert_page(200);
        let after = app.refresh(&refreshed.refresh_token()).send().await;
        if survives {
            after.assert_ok();
        } else {
            after.assert_error(400, "invalid_grant");
        }
        assert_eq!(server.is_good(&refreshed.access_token()).await, survives, "{outlives:?} with {scope}");
    }
}
