use regrant_admin::router;
use regrant_engine::Door;
use regrant_protocol::Clock;
use regrant_store::Store;
use regrant_tests::TestServer;
use serde_json::json;

use crate::office::{Office, administration};

#[tokio::test]
async fn the_status_says_what_runs_and_with_which_keys() {
    let server = TestServer::start().await;
    let status = Office::of(&server).get("/status").await.assert(200);
    assert_eq!(status["issuer"], "https://id.example");
    assert_eq!(status["sweep"], json!({ "state": "working", "last_pass_at": null, "grants_removed": 3 }));
    assert_eq!(status["keys"], Office::of(&server).get("/keys").await.assert(200));
}

#[tokio::test]
async fn a_backup_is_written_for_who_is_on_the_machine() {
    let server = TestServer::start().await;
    for door in [Door::Socket, Door::Process] {
        let office = Office::behind(router(administration(&server), door));
        let written = office.post("/backup", json!({ "path": "/copy.db" })).await.assert(201);
        assert_eq!((&written["path"], &written["bytes"]), (&json!("/copy.db"), &json!(4096)));
        assert!(written["note"].as_str().unwrap().contains("key file"));
        office.post("/backup", json!({ "path": "/copy.txt" })).await.assert_refused(422, "rule", Some("path"));
        office.post("/backup", json!({ "path": "copy.db" })).await.assert_refused(422, "rule", Some("path"));
        office.post("/backup", json!({ "path": "/full.db" })).await.assert_refused(503, "unavailable", None);
    }
    let office = Office::behind(router(administration(&server), Door::Listener));
    office.post("/backup", json!({ "path": "/copy.db" })).await.assert_refused(403, "forbidden", None);
}

#[tokio::test]
async fn an_operator_says_that_the_clock_is_right() {
    let server = TestServer::start().await;
    assert_eq!(server.store.swept_at().await, Ok(None));
    Office::of(&server).act("/trust-clock").await.assert(204);
    assert_eq!(server.store.swept_at().await, Ok(Some(server.clock.now())));
}

#[tokio::test]
async fn a_token_is_explained_without_repeating_it() {
    let server = TestServer::start().await;
    let office = Office::of(&server);
    let app = server.public("app").register().await;
    let first = app.log_in().await.refresh_token();
    app.refresh(&first).send().await.assert_ok();
    server.clock.advance_seconds(61);
    let told = office.post("/explain", json!({ "token": first })).await.assert(200);
    for (field, value) in [
        ("verdict", json!("reuse_detected")),
        ("kind", json!("refresh_token")),
        ("client", json!("app")),
        ("user", json!(server.subject.as_str())),
        ("generation", json!(1)),
        ("current_generation", json!(2)),
    ] {
        assert_eq!(told[field], value, "{field}: {told}");
    }
    assert!(!told.to_string().contains(&first));

    let asked = json!({ "request_id": "nothing-of-ours" });
    office.post("/explain", asked).await.assert_refused(404, "not_found", None);
    for (asked, field) in [
        (json!({}), None),
        (json!({ "token": "a", "request_id": "b" }), None),
        (json!({ "token": 12_345_678 }), Some("token")),
    ] {
        let told = office.post("/explain", asked).await.assert_refused(400, "malformed", field);
        assert!(!told.contains("12345678"), "{told}");
    }
}
