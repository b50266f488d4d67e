use regrant_tests::{TestClient, TestServer};
use serde_json::{Value, json};

use crate::office::Office;

/// Two apps with a grant each: the later one ten seconds after.
async fn two(server: &TestServer) -> [(TestClient<'_>, String); 2] {
    let (one, other) = (server.public("one").register().await, server.public("other").register().await);
    let of_one = one.log_in().await.refresh_token();
    server.clock.advance_seconds(10);
    let of_other = other.log_in().await.refresh_token();
    [(one, of_one), (other, of_other)]
}

async fn live([(one, of_one), (other, of_other)]: &[(TestClient<'_>, String); 2]) -> [bool; 2] {
    [one.refresh(of_one).send().await.status == 200, other.refresh(of_other).send().await.status == 200]
}

#[tokio::test]
async fn a_grant_is_shown_and_ended() {
    let server = TestServer::start().await;
    let office = Office::of(&server);
    let grants = two(&server).await;
    let id = server.grant(&grants[0].1).await.id;
    let shown = office.get(&format!("/grants/{id}")).await.assert(200);
    for (field, value) in [
        ("id", json!(id.to_string())),
        ("user", json!(server.subject.as_str())),
        ("client", json!("one")),
        ("scope", json!("read write")),
        ("resources", json!([])),
        ("state", json!("active")),
        ("created_at", json!("2027-01-15T08:00:00Z")),
        ("expires_at", json!("2027-01-29T08:00:00Z")),
        ("revoked_at", Value::Null),
        ("ends_with_session", json!(false)),
    ] {
        assert_eq!(shown[field], value, "{field}");
    }
    for _ in ["once", "again"] {
        let ended = office.act(&format!("/grants/{id}/end")).await.assert(200);
        assert_eq!((&ended["state"], &ended["revoked_at"]), (&json!("revoked"), &json!("2027-01-15T08:00:10Z")));
    }
    assert_eq!(live(&grants).await, [false, true]);
    for path in ["/grants/AAAAAAAAAAAAAAAAAAAAAA", "/grants/nonsense"] {
        office.get(path).await.assert_refused(404, "not_found", None);
        office.act(&format!("{path}/end")).await.assert_refused(404, "not_found", None);
    }
}

#[tokio::test]
async fn grants_end_by_user_client_and_time_with_the_next_refresh() {
    for (asked, by, count, lives) in [
        (json!({ "user": "SUBJECT" }), "cutoff", None, [false, false]),
        (json!({ "client": "one" }), "cutoff", None, [false, true]),
        (json!({ "user": "SUBJECT", "client": "other" }), "one_by_one", Some(1), [true, false]),
        (json!({ "made_before": "2027-01-15T08:00:10Z" }), "one_by_one", Some(1), [false, true]),
        (json!({ "made_before": "2027-01-15T09:00:11+01:00" }), "one_by_one", Some(2), [false, false]),
        (json!({ "made_before": "2099-01-01T00:00:00Z" }), "one_by_one", Some(2), [false, false]),
        (json!({ "client": "other", "made_before": "2027-01-15T08:00:10Z" }), "one_by_one", Some(0), [true, true]),
    ] {
        let server = TestServer::start().await;
        let (office, grants) = (Office::of(&server), two(&server).await);
        let asked: Value = asked.to_string().replace("SUBJECT", server.subject.as_str()).parse().unwrap();
        let ended = office.post("/grants/end", asked.clone()).await.assert(200);
        assert_eq!(ended, json!({ "by": by, "count": count }), "{asked}");
        assert_eq!(live(&grants).await, lives, "{asked}");
    }
}

#[tokio::test]
async fn what_ended_by_a_cutoff_is_listed_with_the_revoked_only() {
    for end in ["/users/SUBJECT/end-grants", "/clients/one/end-grants"] {
        let server = TestServer::start().await;
        let (office, [(_, of_one), _]) = (Office::of(&server), two(&server).await);
        let id = server.grant(&of_one).await.id.to_string();
        let is_listed = async |query: &str| {
            let page = office.get(&format!("/grants?client=one{query}")).await.assert(200);
            page["items"].as_array().unwrap().iter().any(|grant| grant["id"] == *id)
        };
        assert!(is_listed("").await);
        office.act(&end.replace("SUBJECT", server.subject.as_str())).await.assert(200);
        assert_eq!((is_listed("").await, is_listed("&revoked=true").await), (false, true), "{end}");
    }
}

#[tokio::test]
async fn what_died_with_its_master_key_is_not_shown_as_active() {
    let server = TestServer::start().await;
    let (office, grants) = (Office::of(&server), two(&server).await);
    let id = server.grant(&grants[0].1).await.id;
    office.post("/keys/rotate", json!({ "key": "master", "emergency": true })).await.assert(200);
    let listed = office.get("/grants").await.assert(200);
    let states: Vec<_> = listed["items"].as_array().unwrap().iter().map(|grant| &grant["state"]).collect();
    assert_eq!(states, ["dead_epoch", "dead_epoch"]);
    assert_eq!(office.get(&format!("/grants/{id}")).await.assert(200)["state"], "dead_epoch");
    assert_eq!(live(&grants).await, [false, false]);
    grants[0].0.log_in().await;
    assert_eq!(office.get("/grants?client=one").await.assert(200)["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn grants_of_nobody_do_not_end() {
    let server = TestServer::start().await;
    let (office, grants) = (Office::of(&server), two(&server).await);
    for (asked, status, error, field) in [
        (json!({}), 422, "rule", None),
        (json!({ "user": "nobody" }), 404, "not_found", None),
        (json!({ "client": "nobody" }), 404, "not_found", None),
        (json!({ "client": "" }), 422, "rule", Some("client")),
        (json!({ "made_before": "yesterday" }), 400, "malformed", Some("made_before")),
        (json!({ "username": "alice" }), 400, "malformed", Some("username")),
    ] {
        office.post("/grants/end", asked).await.assert_refused(status, error, field);
    }
    assert_eq!(live(&grants).await, [true, true]);
}

#[tokio::test]
async fn grants_are_listed_to_the_end_whatever_comes_and_goes() {
    let server = TestServer::start().await;
    let office = Office::of(&server);
    let app = server.public("app").register().await;
    let mut ids = Vec::new();
    for _ in 0..7 {
        let token = app.log_in().await.refresh_token();
        ids.push(server.grant(&token).await.id.to_string());
    }
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = office.get(&format!("/grants?client=app&limit=3{after}")).await.assert(200);
        seen.extend(page["items"].as_array().unwrap().iter().map(|grant| grant["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
        if let [first] = &seen[..1] {
            office.act(&format!("/grants/{first}/end")).await.assert(200);
        }
    }
    let mut sorted = seen.clone();
    sorted.sort();
    ids.sort();
    assert_eq!(sorted, ids, "each once");

    for (query, count) in [
        ("", 6),
        ("?revoked=true", 7),
        (&*format!("?user={}", server.subject), 6),
        (&format!("?user={}&revoked=true&client=app", server.subject), 7),
        ("?user=nobody", 0),
        ("?client=nobody", 0),
    ] {
        let page = office.get(&format!("/grants{query}")).await.assert(200);
        assert_eq!(page["items"].as_array().unwrap().len(), count, "{query}");
    }
}
