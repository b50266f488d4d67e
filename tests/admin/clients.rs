use regrant_protocol::GrantType;
use regrant_tests::TestServer;
use serde_json::{Value, json};

use crate::office::Office;

#[tokio::test]
async fn a_client_is_registered_shown_changed_and_removed() {
    let server = TestServer::start().await;
    let office = Office::of(&server);
    let new = json!({ "id": "photos", "scope": "read write", "redirect_uris": ["https://photos.example/cb"] });
    let registered = office.post("/clients", new.clone()).await.assert(201);
    let client = &registered["client"];
    assert!(registered["secret"].as_str().is_some_and(|secret| secret.len() > 40), "{registered}");
    for (field, value) in [
        ("id", json!("photos")),
        ("public", json!(false)),
        ("enabled", json!(true)),
        ("name", Value::Null),
        ("auth_methods", json!(["client_secret_basic", "client_secret_post"])),
        ("grant_types", json!(["authorization_code", "refresh_token"])),
        ("scope", json!("read write")),
        ("default_scope", Value::Null),
        ("require_pkce", json!(true)),
        ("rotation", json!("rotate")),
        ("retry_window", Value::Null),
        ("access_lifetime", json!(3600)),
        ("access_token_format", json!("jwt_es256")),
    ] {
        assert_eq!(client[field], value, "{field}");
    }
    assert_eq!(office.get("/clients/photos").await.assert(200), *client);
    office.post("/clients", new).await.assert_refused(409, "taken", None);

    let changed = office.patch("/clients/photos", json!({ "name": "Photos", "access_lifetime": 60 })).await.assert(200);
    assert_eq!((&changed["name"], &changed["access_lifetime"]), (&json!("Photos"), &json!(60)));
    assert_eq!(changed["scope"], "read write", "what is not given stays");
    let reset = office.patch("/clients/photos", json!({ "name": null, "access_lifetime": null })).await.assert(200);
    assert_eq!(reset, *client, "null is the default");

    assert_eq!(office.delete("/clients/photos").await.assert(200), json!({}));
    for path in ["/clients/photos", "/clients/photos/end-grants", "/clients/photos/rotate-secret"] {
        let reply = if path == "/clients/photos" { office.get(path).await } else { office.act(path).await };
        let told = reply.assert_refused(404, "not_found", None);
        assert!(told.contains("photos"), "{told}");
    }
    office.delete("/clients/photos").await.assert_refused(404, "not_found", None);
    let again = json!({ "id": "photos", "public": true, "grant_types": [] });
    office.post("/clients", again).await.assert_refused(409, "taken", None);
}

#[tokio::test]
async fn what_a_configuration_brings_back_is_told() {
    let server = TestServer::start().await;
    let office = Office::of(&server);
    for (id, place) in [("configured", Some("regrant.toml:12")), ("photos", None)] {
        let new = json!({ "id": id, "grant_types": ["client_credentials"] });
        office.post("/clients", new).await.assert(201);
        let path = format!("/clients/{id}");
        for (answer, told) in [
            (office.patch(&path, json!({ "name": "New" })).await.assert(200), "change it there as well"),
            (office.act(&format!("{path}/rotate-secret")).await.assert(200), "brings back what stands there"),
            (office.delete(&path).await.assert(200), "take it out there as well"),
        ] {
            let warning = answer["warning"].as_str();
            assert_eq!(warning.is_some(), place.is_some(), "{answer}");
            let is_told = |place| warning.is_some_and(|warning| warning.contains(place) && warning.contains(told));
            assert!(place.is_none_or(is_told), "{answer}");
        }
    }
}

#[tokio::test]
async fn a_field_that_is_given_twice_is_refused() {
    let server = TestServer::start().await;
    server.public("app").register().await;
    let office = Office::of(&server);
    let twice = r#"{"name":"App","name":"Other"}"#;
    let json = [("content-type", "application/json")];
    let told = office.send("PATCH", "/clients/app", &json, twice).await.assert_refused(400, "malformed", None);
    assert!(told.contains("duplicate field `name`"), "{told}");
}

#[tokio::test]
async fn the_default_scope_follows_the_scope_until_it_is_another() {
    let server = TestServer::start().await;
    let office = Office::of(&server);
    let new = json!({ "id": "job", "grant_types": ["client_credentials"], "scope": "read" });
    office.post("/clients", new).await.assert(201);
    for (patch, default_scope) in [
        (json!({ "scope": "read write" }), Value::Null),
        (json!({ "default_scope": "read" }), json!("read")),
        (json!({ "scope": "read write admin" }), json!("read")),
        (json!({ "default_scope": null }), Value::Null),
    ] {
        let client = office.patch("/clients/job", patch.clone()).await.assert(200);
        assert_eq!(client["default_scope"], default_scope, "{patch}");
    }
}

#[tokio::test]
async fn changes_of_two_operators_at_once_are_both_made() {
    let server = TestServer::start().await;
    let office = Office::of(&server);
    server.public("app").register().await;
    for number in 1..=10 {
        let (name, lifetime) = (json!({ "name": number.to_string() }), json!({ "access_lifetime": number }));
        let replies = tokio::join!(office.patch("/clients/app", name), office.patch("/clients/app", lifetime));
        assert_eq!((replies.0.status, replies.1.status), (200, 200));
        let client = office.get("/clients/app").await.assert(200);
        assert_eq!((&client["name"], &client["access_lifetime"]), (&json!(number.to_string()), &json!(number)));
    }
}

#[tokio::test]
async fn a_client_that_breaks_a_rule_is_refused_with_the_field() {
    let server = TestServer::start().await;
    let office = Office::of(&server);
    let job = json!({ "id": "job", "grant_types": ["client_credentials"], "scope": "read" });
    office.post("/clients", job.clone()).await.assert(201);
    for (field, value, status, error) in [
        ("redirect_uris", json!(["https://photos.example/#x"]), 422, "rule"),
        ("post_logout_redirect_uris", json!(["photos"]), 422, "rule"),
        ("allowed_origins", json!(["https://photos.example/path"]), 422, "rule"),
        ("scope", json!("a\"b"), 422, "rule"),
        ("default_scope", json!("more"), 422, "rule"),
        ("resources", json!(["not a url"]), 422, "rule"),
        ("audience", json!([""]), 422, "rule"),
        ("name", json!("two\nlines"), 422, "rule"),
        ("tos_uri", json!("javascript:alert(1)"), 422, "rule"),
        ("auth_methods", json!(["none"]), 422, "rule"),
        ("code_retry", json!(11), 422, "rule"),
        ("retry_window", json!(86_401), 422, "rule"),
        ("access_lifetime", json!(-1), 400, "malformed"),
        ("access_lifetime", json!("1h"), 400, "malformed"),
        ("rotation", json!("spin"), 400, "malformed"),
        ("require_pkce", json!("yes"), 400, "malformed"),
        ("redirect_uri", json!("https://photos.example/"), 400, "malformed"),
    ] {
        let mut new = job.clone();
        (new["id"], new[field]) = (json!("another"), value.clone());
        office.post("/clients", new).await.assert_refused(status, error, Some(field));
        let patch = json!({ field: value });
        office.patch("/clients/job", patch).await.assert_refused(status, error, Some(field));
    }
    for (new, status, error, field) in [
        (json!({ "id": "é" }), 422, "rule", Some("id")),
        (json!({ "id": "" }), 422, "rule", Some("id")),
        (json!({ "public": true }), 400, "malformed", None),
        (json!({ "id": "app", "public": true, "secret": "hush-hush" }), 422, "rule", Some("secret")),
        (json!({ "id": "app", "public": true, "rotation": "fork", "grant_types": [] }), 422, "rule", Some("rotation")),
        (
            json!({ "id": "app", "public": true, "require_pkce": false, "grant_types": [] }),
            422,
            "rule",
            Some("require_pkce"),
        ),
        (json!({ "id": "app" }), 422, "rule", Some("redirect_uris")),
        (json!({ "id": "app", "secret": "" , "grant_types": [] }), 422, "rule", None),
        (json!({ "id": "app", "secret": 12_345_678 }), 400, "malformed", Some("secret")),
    ] {
        let told = office.post("/clients", new.clone()).await.assert_refused(status, error, field);
        assert!(!told.contains("hush-hush") && !told.contains("12345678"), "{told}");
    }
    for patch in [json!({ "id": "other" }), json!({ "public": true }), json!({ "secret": "hush-hush" })] {
        let field = patch.as_object().unwrap().keys().next().unwrap().clone();
        let told = office.patch("/clients/job", patch).await.assert_refused(400, "malformed", Some(&field));
        assert!(!told.contains("hush-hush"), "{told}");
    }
    assert!(office.get("/clients/app").await.status == 404 && office.get("/clients/another").await.status == 404);
}

#[tokio::test]
async fn a_new_secret_takes_the_place_of_the_old_one() {
    let server = TestServer::start().await;
    let office = Office::of(&server);
    let new = json!({ "id": "job", "grant_types": ["client_credentials"] });
    let first = office.post("/clients", new).await.assert(201)["secret"].as_str().unwrap().to_owned();
    let is_accepted = async |secret: &str| {
        let answer = server.post("/token").basic("job", secret).with("grant_type", "client_credentials").send().await;
        answer.status == 200
    };
    assert!(is_accepted(&first).await);
    let second = office.act("/clients/job/rotate-secret").await.assert(200)["secret"].as_str().unwrap().to_owned();
    assert_eq!((is_accepted(&first).await, is_accepted(&second).await), (false, true));

    let chosen = json!({ "secret": "looking-glass" });
    let told = office.post("/clients/job/rotate-secret", chosen).await.assert(200);
    assert_eq!(told, json!({ "secret": null }), "what somebody chose is not repeated");
    assert_eq!((is_accepted(&second).await, is_accepted("looking-glass").await), (false, true));

    let public = json!({ "id": "app", "public": true, "grant_types": [] });
    assert_eq!(office.post("/clients", public).await.assert(201)["secret"], Value::Null);
    office.act("/clients/app/rotate-secret").await.assert_refused(422, "rule", Some("secret"));
}

#[tokio::test]
async fn what_is_done_to_a_client_holds_for_its_next_refresh() {
    let server = TestServer::start().await;
    let office = Office::of(&server);
    let app = server.public("TestApp").register().await;
    let mut token = app.log_in().await.refresh_token();
    for (act, is_enabled) in [("disable", false), ("enable", true)] {
        let client = office.act(&format!("/clients/TestApp/{act}")).await.assert(200);
        assert_eq!(client["enabled"], is_enabled);
        let answer = app.refresh(&token).send().await;
        assert_eq!(answer.status == 200, is_enabled, "{act}");
        if is_enabled {
            token = answer.refresh_token();
        }
    }
    let without = json!({ "grant_types": ["password"] });
    office.patch("/clients/TestApp", without).await.assert(200);
    app.refresh(&token).send().await.assert_error(400, "unauthorized_client");
    let types = [GrantType::Password, GrantType::RefreshToken].map(GrantType::as_str);
    office.patch("/clients/TestApp", json!({ "grant_types": types })).await.assert(200);

    let ended = office.act("/clients/TestApp/end-grants").await.assert(200);
    assert_eq!(ended, json!({ "by": "cutoff", "count": null }));
    app.refresh(&token).send().await.assert_error(400, "invalid_grant");
    app.log_in().await;
}

#[tokio::test]
async fn clients_are_listed_to_the_end_whatever_comes_and_goes() {
    let server = TestServer::start().await;
    let office = Office::of(&server);
    for number in 0..7 {
        server.public(&format!("app {number}")).register().await;
    }
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = office.get(&format!("/clients?limit=2{after}")).await.assert(200);
        seen.extend(page["items"].as_array().unwrap().iter().map(|client| client["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={}", next.replace(' ', "+"));
        if seen.len() == 2 {
            // The one that the next page begins after, one that was seen, and one that comes before them all.
            for gone in ["app%201", "app%200"] {
                office.delete(&format!("/clients/{gone}")).await.assert(200);
            }
            server.public("aaa").register().await;
            server.public("app 9").register().await;
        }
    }
    let expected = ["app 0", "app 1", "app 2", "app 3", "app 4", "app 5", "app 6", "app 9"];
    assert_eq!(seen, expected);
}
