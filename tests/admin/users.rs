use regrant_tests::{PASSWORD, TestServer, USERNAME};
use serde_json::{Value, json};

use crate::office::Office;

#[tokio::test]
async fn a_user_is_registered_found_changed_and_removed() {
    let server = TestServer::start().await;
    let office = Office::of(&server);
    let profile = json!({ "name": "Alice L.", "email": "alice@example.com" });
    let new = json!({ "username": "alice", "password": "wonderland", "profile": profile });
    let user = office.post("/users", new.clone()).await.assert(201);
    let subject = user["subject"].as_str().unwrap().to_owned();
    assert_eq!((&user["username"], &user["status"]), (&json!("alice"), &json!("active")));
    assert_eq!(user["profile"], json!({ "name": "Alice L.", "email": "alice@example.com", "email_verified": false }));
    assert_eq!(office.get(&format!("/users/{subject}")).await.assert(200), user);
    assert_eq!(office.get("/users?username=alice").await.assert(200), json!({ "items": [user], "next": null }));
    assert_eq!(office.get("/users?username=bob").await.assert(200), json!({ "items": [], "next": null }));
    office.post("/users", new).await.assert_refused(409, "taken", None);

    let patch = json!({ "profile": { "email_verified": true, "name": null } });
    let changed = office.patch(&format!("/users/{subject}"), patch).await.assert(200);
    assert_eq!(changed["profile"], json!({ "email": "alice@example.com", "email_verified": true }));

    office.delete(&format!("/users/{subject}")).await.assert(204);
    office.get(&format!("/users/{subject}")).await.assert_refused(404, "not_found", None);
    for act in ["lock", "disable", "enable", "end-grants"] {
        let told = office.act(&format!("/users/{subject}/{act}")).await.assert_refused(404, "not_found", None);
        assert!(told.contains(&subject), "{told}");
    }
    let password = json!({ "password": "wonderland" });
    office.post(&format!("/users/{subject}/password"), password).await.assert_refused(404, "not_found", None);
    office.patch(&format!("/users/{subject}"), json!({})).await.assert_refused(404, "not_found", None);
}

#[tokio::test]
async fn a_user_that_breaks_a_rule_is_refused_with_the_field_and_without_the_password() {
    let server = TestServer::start().await;
    let office = Office::of(&server);
    let long = "hush".repeat(300);
    for (new, status, error, field) in [
        (json!({ "username": "a\u{0}", "password": "hush-hush" }), 422, "rule", Some("username")),
        (json!({ "username": "", "password": "hush-hush" }), 422, "rule", Some("username")),
        (json!({ "username": "alice", "password": "hush" }), 422, "rule", Some("password")),
        (json!({ "username": "alice", "password": "Password2024!" }), 422, "rule", Some("password")),
        (json!({ "username": "alice", "password": "alice1865" }), 422, "rule", Some("password")),
        (json!({ "username": "alice", "password": long }), 422, "rule", None),
        (json!({ "username": "alice" }), 400, "malformed", None),
        (json!({ "username": "alice", "password": ["hush-hush"] }), 400, "malformed", Some("password")),
        (json!({ "username": "alice", "password": "hush-hush", "admin": true }), 400, "malformed", Some("admin")),
        (
            json!({ "username": "alice", "password": "hush-hush", "profile": { "phone": "1" } }),
            400,
            "malformed",
            Some("profile.phone"),
        ),
        (
            json!({ "username": "alice", "password": "hush-hush", "profile": { "name": 1 } }),
            400,
            "malformed",
            Some("profile.name"),
        ),
    ] {
        let told = office.post("/users", new.clone()).await.assert_refused(status, error, field);
        assert!(!told.contains("hush"), "{new}: {told}");
    }
    assert_eq!(office.get("/users?username=alice").await.assert(200)["items"], json!([]));
}

#[tokio::test]
async fn what_is_done_to_a_user_holds_for_the_next_refresh() {
    let server = TestServer::start().await;
    let office = Office::of(&server);
    let app = server.public("TestApp").register().await;
    let mut token = app.log_in().await.refresh_token();
    let user = format!("/users/{}", server.subject);
    for (act, status, refreshes) in [
        ("lock", "locked", false),
        ("enable", "active", true),
        ("disable", "disabled", false),
        ("enable", "active", true),
    ] {
        assert_eq!(office.act(&format!("{user}/{act}")).await.assert(200)["status"], status);
        let answer = app.refresh(&token).send().await;
        assert_eq!(answer.status == 200, refreshes, "{act}");
        if refreshes {
            token = answer.refresh_token();
        }
    }
    let ended = office.act(&format!("{user}/end-grants")).await.assert(200);
    assert_eq!(ended, json!({ "by": "cutoff", "count": null }));
    app.refresh(&token).send().await.assert_error(400, "invalid_grant");
}

#[tokio::test]
async fn a_new_password_is_the_only_one_and_ends_grants_where_that_is_wanted() {
    for ends in [false, true] {
        let server = TestServer::start().await;
        let office = Office::of(&server);
        let app = server.public("TestApp").openid().redirect_uris(&["https://app.example/cb"]).register().await;
        let mut browser = server.user_agent();
        let page = browser.reach_consent(&app.authorization()).await.assert_consent_page();
        let code = browser.allow(&page).await.redirect().code();
        let token = app.redeem(&code).send().await.refresh_token();

        let new = json!({ "password": "looking-glass", "end_grants": ends });
        let reply = office.post(&format!("/users/{}/password", server.subject), new).await;
        assert_eq!(reply.assert(204), Value::Null);
        assert_eq!(app.refresh(&token).send().await.status == 400, ends);
        let silent = browser.authorize(&app.authorization().with("prompt", "none")).await.redirect();
        assert_eq!(silent.get("error") == Some("login_required"), ends, "the login session");
        for (password, is_right) in [(PASSWORD, false), ("looking-glass", true)] {
            let log_in = app.token("password").with("username", USERNAME).with("password", password);
            assert_eq!(log_in.send().await.status == 200, is_right, "{password}");
        }
    }
}

#[tokio::test]
async fn users_are_listed_to_the_end_whatever_comes_and_goes() {
    let server = TestServer::start().await;
    let office = Office::of(&server);
    for number in 0..5 {
        server.register_user(&format!("user {number}")).await;
    }
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = office.get(&format!("/users?limit=2{after}")).await.assert(200);
        seen.extend(page["items"].as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={}", next.replace(' ', "+"));
        if seen.len() == 2 {
            office.delete(&format!("/users/{}", server.subject)).await.assert(204);
            server.register_user("aaa").await;
            server.register_user("zzz").await;
        }
    }
    assert_eq!(seen, [USERNAME, "user 0", "user 1", "user 2", "user 3", "user 4", "zzz"]);
}
