use regrant_tests::TestServer;
use serde_json::{Value, json};

use crate::office::Office;

fn signing<'v>(keys: &'v Value, algorithm: &str) -> Vec<&'v str> {
    let keys = keys["signing"].as_array().into_iter().flatten().filter(|key| key["algorithm"] == algorithm);
    keys.map(|key| key["state"].as_str().unwrap_or_default()).collect()
}

#[tokio::test]
async fn a_signing_key_gets_a_successor_and_is_withdrawn_once_that_signs() {
    let server = TestServer::start().await;
    let office = Office::of(&server);
    assert_eq!(signing(&office.get("/keys").await.assert(200), "ES256"), ["signing"]);
    let made = office.post("/keys/rotate", json!({ "key": "es256" })).await.assert(200);
    assert_eq!(made["signs_from"], "2027-01-15T09:00:00Z");
    let keys = office.get("/keys").await.assert(200);
    assert_eq!(signing(&keys, "ES256"), ["signing", "waiting"]);
    assert_eq!(signing(&keys, "EdDSA"), ["signing"]);
    let es256 = keys["signing"].as_array().into_iter().flatten().find(|key| key["algorithm"] == "ES256").unwrap();
    let withdraw = format!("/keys/{}/withdraw", es256["key_id"].as_str().unwrap());
    office.act(&withdraw).await.assert_refused(422, "rule", None);
    server.clock.advance_seconds(3600);
    office.act(&withdraw).await.assert(204);
    assert_eq!(signing(&office.get("/keys").await.assert(200), "ES256"), ["withdrawn", "signing"]);
    office.act("/keys/nobody/withdraw").await.assert_refused(404, "not_found", None);
}

#[tokio::test]
async fn an_emergency_ends_what_the_stolen_keys_made() {
    let server = TestServer::start().await;
    let office = Office::of(&server);
    let app = server.public("app").register().await;
    let token = app.log_in().await.refresh_token();
    let made = office.post("/keys/rotate", json!({ "key": "master" })).await.assert(200);
    assert_eq!(made, json!({ "made": ["2"], "signs_from": null }));
    let token = app.refresh(&token).send().await.refresh_token();

    office.post("/keys/rotate", json!({ "key": "master", "emergency": true })).await.assert(200);
    app.refresh(&token).send().await.assert_error(400, "invalid_grant");
    let keys = office.get("/keys").await.assert(200);
    assert_eq!(keys["master"], json!([{ "kid": 3, "state": "newest" }]));
    assert_eq!(signing(&keys, "EdDSA"), ["withdrawn", "signing"]);
}

#[tokio::test]
async fn only_a_key_that_there_is_rotates() {
    let server = TestServer::start().await;
    let office = Office::of(&server);
    for (asked, field) in [
        (json!({ "key": "hs256" }), Some("key")),
        (json!({}), None),
        (json!({ "key": "es256", "emergency": "yes" }), Some("emergency")),
    ] {
        office.post("/keys/rotate", asked).await.assert_refused(400, "malformed", field);
    }
}
