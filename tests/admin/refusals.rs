use regrant_tests::{Fault, TestServer};
use serde_json::json;

use crate::office::Office;

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn what_cannot_be_read_is_refused_before_anything_is_done() {
    let server = TestServer::start().await;
    let office = Office::of(&server);
    let (large, user) =
        (format!("{{\"username\":\"{}\"}}", "x".repeat(64 * 1024)), r#"{"username":"a","password":"hush-hush"}"#);
    for (headers, body, status, error) in [
        (&[JSON][..], "", 400, "malformed"),
        (&[JSON], "{", 400, "malformed"),
        (&[JSON], "[]", 400, "malformed"),
        (&[JSON], "null", 400, "malformed"),
        (&[JSON], "{} {}", 400, "malformed"),
        (&[JSON], &large, 413, "too_large"),
        (&[], user, 415, "media_type"),
        (&[("content-type", "text/plain")], user, 415, "media_type"),
        (&[("content-type", "application/x-www-form-urlencoded")], user, 415, "media_type"),
        (&[("content-type", "application/json; charset=latin1")], user, 415, "media_type"),
        (&[JSON, JSON], user, 415, "media_type"),
        (&[JSON, ("origin", "https://evil.example")], user, 403, "forbidden"),
        (&[JSON, ("origin", "null")], user, 403, "forbidden"),
        (&[JSON, ("sec-fetch-site", "cross-site")], user, 403, "forbidden"),
        (&[JSON, ("sec-fetch-site", "same-origin")], user, 403, "forbidden"),
    ] {
        let reply = office.send("POST", "/users", headers, body).await;
        assert_eq!((reply.status, reply.json["error"].as_str()), (status, Some(error)), "{headers:?} {}", reply.json);
    }
    let page = office.get("/users").await.assert(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 1, "nobody was registered");
    office.send("POST", "/users", &[("content-type", "Application/JSON; charset=\"UTF-8\"")], user).await.assert(201);
}

#[tokio::test]
async fn a_path_a_method_or_a_query_that_there_is_not_is_told() {
    let server = TestServer::start().await;
    let office = Office::of(&server);
    for path in ["", "/nothing", "/clients/a/nothing", "/clients/%ff", "/users/%00", "/grants/é"] {
        let reply = office.get(&path.replace('é', "%C3%A9")).await;
        assert_eq!((reply.status, reply.json["error"].as_str()), (404, Some("not_found")), "{path}");
    }
    for (method, path, allow) in [
        ("PUT", "/clients", "GET,HEAD,POST"),
        ("POST", "/clients/a", "GET,HEAD,PATCH,DELETE"),
        ("GET", "/clients/a/disable", "POST"),
        ("OPTIONS", "/users", "GET,HEAD,POST"),
        ("TRACE", "/keys", "GET,HEAD"),
    ] {
        let reply = office.send(method, path, &[], "").await;
        assert_eq!(reply.headers["allow"], allow, "{method} {path}");
        reply.assert_refused(405, "method_not_allowed", None);
    }
    for (query, status) in [
        ("/clients?limit=0", 400),
        ("/clients?limit=501", 400),
        ("/clients?limit=", 400),
        ("/clients?limit=1&limit=2", 400),
        ("/clients?offset=1", 400),
        ("/clients?after=", 422),
        ("/users?after=%00", 422),
        ("/users?username=", 422),
        ("/grants?after=x", 422),
        ("/grants?revoked=maybe", 400),
        ("/grants?user=", 422),
    ] {
        assert_eq!(office.get(query).await.status, status, "{query}");
    }
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_told_and_when_to_come_again() {
    let server = TestServer::start().await;
    let office = Office::of(&server);
    for path in ["/clients", "/users", "/grants", "/keys", "/status"] {
        server.store.fail(Fault::Down);
        let reply = office.get(path).await;
        assert_eq!(reply.headers["retry-after"], "1", "{path}");
        reply.assert_refused(503, "unavailable", None);
        server.store.fail(None);
    }
    server.store.fail(Fault::Down);
    office.post("/clients", json!({ "id": "app", "public": true, "grant_types": [] })).await.assert_refused(
        503,
        "unavailable",
        None,
    );
}
