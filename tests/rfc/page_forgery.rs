//! C-031: what the pages and forms of other sites can do with a browser that is logged in here: nothing.

use regrant_tests::{Form, PASSWORD, TestClient, TestServer, USERNAME, UserAgent};

const CALLBACK: &str = "https://app.example/cb";

async fn client<'a>(server: &'a TestServer) -> TestClient<'a> {
    server.confidential("TestClient").openid().redirect_uris(&[CALLBACK]).register().await
}

/// A form of ours, filled so that it would do something.
struct Target {
    form: Form,
    /// What is answered when a page of another site sends it.
    elsewhere_status: u16,
}

/// The hidden field with which a form says that it is ours.
fn seal(form: &Form) -> &'static str {
    if form.field("request").is_some() { "request" } else { "form" }
}

/// C-031: each form, sent from every other place, without its seal, and with that of another session. Nothing changes.
#[tokio::test]
async fn rfc6749_section_10_12_no_form_does_anything_from_elsewhere_or_without_its_seal() {
    let server = TestServer::start().await;
    let app = client(&server).await;
    let request = app.authorization().with("scope", "openid");
    let (mut victim, mut attacker) = (server.user_agent(), server.user_agent());
    let tokens =
        app.redeem(&victim.obtain_code(&request).await).with("redirect_uri", CALLBACK).send().await.assert_ok();
    attacker.approve(&request).await.code();
    let own = targets(&mut victim, &app).await;
    let foreign = targets(&mut attacker, &app).await;
    let unchanged = async |victim: &mut UserAgent<'_>, what: &str| {
        let silent = victim.authorize(&request.clone().with("prompt", "none")).await;
        assert!(silent.redirect().get("code").is_some(), "still logged in, and nothing was forgotten: {what}");
        let account = victim.account().await;
        assert!(account.form("/account/end").is_some(), "{what}");
    };
    for (own, foreign) in own.iter().zip(&foreign) {
        let Target { form, elsewhere_status } = own;
        let action = form.action.as_str();
        for headers in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "cross-site"), ("origin", "https://id.example")],
            &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
            &[("origin", "null")],
            &[("origin", "https://evil.example")],
            &[("origin", "https://id.example"), ("origin", "https://evil.example")],
            &[("origin", "https://id.example.evil.example")],
            &[("origin", "http://id.example")],
            &[("origin", "https://id.example:8443")],
        ] {
            // The end session endpoint is for forms of clients too: there the seal alone decides.
            if action == "/logout" {
                continue;
            }
            let refused = victim.submit_with(form.clone(), headers).await;
            assert_eq!(refused.status, 403, "{action} {headers:?}");
            assert!(refused.headers.get("set-cookie").is_none() && refused.header("location").is_none(), "{action}");
        }
        assert_eq!(victim.submit_from_elsewhere(form.clone()).await.status, *elsewhere_status, "{action}");
        let name = seal(form);
        let their_seal = foreign.form.field(name).unwrap();
        for stolen in [their_seal, "", "x", "AAAA", &seal_with_another_end(form.field(name).unwrap())] {
            let refused = victim.submit(form.clone().fill(name, stolen)).await;
            // Without a form field a request for a log-out is a client's, and is asked about.
            let expected = if stolen.is_empty() && action == "/logout" { 200 } else { 403 };
            assert_eq!(refused.status, expected, "{action} with {stolen:?}: {}", refused.text_of_body());
        }
        let without =
            Form { fields: form.fields.iter().filter(|(own, _)| own != name).cloned().collect(), ..form.clone() };
        let expected = if action == "/logout" { 200 } else { 403 };
        assert_eq!(victim.submit(without).await.status, expected, "{action} without {name}");
        unchanged(&mut victim, action).await;
    }
    app.refresh(&tokens.refresh_token()).send().await.assert_ok();
    for Target { form, .. } in own.iter().take(5) {
        let status = victim.submit(form.clone()).await.status;
        assert!([200, 303].contains(&status.as_u16()), "{} does what it says when we send it: {status}", form.action);
    }
}

/// Such a form comes without cookies: nobody would be logged in, and the answer would give the browser those of somebody new.
#[tokio::test]
async fn a_form_of_another_site_that_is_too_long_for_a_link_changes_no_cookie() {
    let server = TestServer::start().await;
    let app = client(&server).await;
    let mut victim = server.user_agent();
    victim.obtain_code(&app.authorization().with("scope", "openid")).await;
    let logout = victim.open("/logout").await.required_form("/logout");
    for action in ["/logout", "/authorize"] {
        let mut fields = vec![("x".to_owned(), "A".repeat(8_100)), ("y".to_owned(), "b".repeat(200))];
        fields.extend(app.authorization().parameters().iter().cloned());
        let form = Form { action: action.to_owned(), fields, ..logout.clone() };
        let refused = victim.submit_from_elsewhere(form).await.assert_page(413);
        assert!(refused.headers.get("set-cookie").is_none(), "{action}");
    }
    victim.account().await.required_form("/account/log-out");
}

fn seal_with_another_end(seal: &str) -> String {
    let (rest, last) = seal.split_at(seal.len() - 1);
    format!("{rest}{}", if last == "A" { "Q" } else { "A" })
}

/// Each form of ours, filled so that it would do something.
async fn targets(browser: &mut UserAgent<'_>, app: &TestClient<'_>) -> Vec<Target> {
    let request = app.authorization().with("scope", "openid");
    let login = browser.authorize(&request.clone().with("prompt", "login")).await;
    let consent = browser.authorize(&request.with("prompt", "consent")).await;
    let account = browser.account().await;
    let logout = browser.open("/logout").await;
    let password = account.required_form("/account/password").fill("current_password", PASSWORD);
    let password = password.fill("new_password", "another password").fill("new_password_again", "another password");
    let login = login.required_form("/login").fill("username", USERNAME).fill("password", PASSWORD);
    let own = |form: Form| Target { form, elsewhere_status: 403 };
    vec![
        own(login.press("action", "login")),
        own(consent.consent_form().press("decision", "allow")),
        own(account.required_form("/account/end")),
        own(account.required_form("/account/end-all")),
        own(password.fill("end_everything", "on")),
        own(account.required_form("/account/log-out")),
        Target { form: logout.required_form("/logout").press("decision", "log-out"), elsewhere_status: 303 },
    ]
}
