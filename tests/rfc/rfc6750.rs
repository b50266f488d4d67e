//! RFC 6750: how an access token is presented, at the endpoint of ours that takes one.

use regrant_tests::{Answer, Request, TestServer};

const CALLBACK: &str = "https://app.example/cb";

/// A server with a user's access token.
async fn server_and_token(scope: &str) -> (TestServer, String) {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").openid().redirect_uris(&[CALLBACK]).register().await;
    let code = server.user_agent().obtain_code(&app.authorization().with("scope", scope)).await;
    let token = app.redeem(&code).with("redirect_uri", CALLBACK).send().await.access_token();
    drop(app);
    (server, token)
}

fn challenge(answer: &Answer) -> &str {
    let mut all = answer.headers.get_all("www-authenticate").iter();
    let challenge = all.next().expect("a challenge").to_str().expect("a challenge is ASCII");
    assert_eq!(all.next(), None, "one challenge");
    assert!(challenge.starts_with("Bearer realm=\"regrant\""), "{challenge}");
    challenge
}

/// Nothing was sent that could be wrong: a challenge, and no word about an error.
#[track_caller]
fn assert_asked(answer: Answer) {
    assert_eq!((answer.status.as_u16(), challenge(&answer)), (401, "Bearer realm=\"regrant\""));
    assert!(answer.body.is_empty(), "{}", answer.text_of_body());
}

/// C-035.
#[tokio::test]
async fn rfc6750_section_2_a_token_is_sent_in_one_way() {
    let (server, token) = server_and_token("openid").await;
    let bearer = format!("Bearer {token}");
    let post = || server.post("/userinfo");
    for request in [
        post().with("access_token", &token).header("authorization", &bearer),
        post().with("access_token", "other").header("authorization", &bearer),
        post().with("access_token", &token).header("authorization", "Basic YTpi"),
        post().with("access_token", &token).with("access_token", &token),
        post().header("authorization", &bearer).header("authorization", &bearer),
        server.get("/userinfo").header("authorization", &bearer).header("authorization", "Bearer other"),
    ] {
        request.send().await.assert_error(400, "invalid_request");
    }
    post().with("access_token", "").header("authorization", &bearer).send().await.assert_ok();
}

/// §2.1: the scheme in any case, one space or several, and the characters of the grammar.
#[tokio::test]
async fn rfc6750_section_2_1_the_header_is_the_scheme_and_a_token() {
    let (server, token) = server_and_token("openid").await;
    let ask = |value: &str| server.get("/userinfo").header("authorization", value);
    for scheme in ["Bearer", "bearer", "BEARER"] {
        ask(&format!("{scheme} {token}")).send().await.assert_ok();
    }
    for malformed in ["Bearer", "Bearer ", "Bearer a b", "Bearer \"a\"", "Bearer a,b", "Bearer é"] {
        let refused = ask(malformed).send().await.assert_error(400, "invalid_request");
        assert!(challenge(&refused).contains("error=\"invalid_request\""), "{malformed}");
    }
}

/// §2.2: the body of a POST, and only of a form.
#[tokio::test]
async fn rfc6750_section_2_2_a_body_is_a_form_or_is_not_read() {
    let (server, token) = server_and_token("openid").await;
    let form = |request: Request| request.with("access_token", &token);
    form(server.post("/userinfo")).send().await.assert_ok();
    assert_asked(form(server.get("/userinfo")).send().await);
    assert_asked(form(server.post("/userinfo").content_types(&[])).send().await);
    for kind in ["application/json", "text/plain", "multipart/form-data; boundary=x"] {
        form(server.post("/userinfo").content_types(&[kind])).send().await.assert_error(415, "invalid_request");
    }
}

/// C-036.
#[tokio::test]
async fn rfc6750_section_2_3_a_token_in_the_query_is_not_read() {
    let (server, token) = server_and_token("openid").await;
    let path = format!("/userinfo?access_token={token}");
    assert_asked(server.get(&path).send().await);
    assert_asked(server.post(&path).send().await);
    let bearer = format!("Bearer {token}");
    server.get("/userinfo?access_token=other").header("authorization", &bearer).send().await.assert_ok();
}

/// C-037.
#[tokio::test]
async fn rfc6750_section_3_1_who_sends_no_token_is_told_no_error() {
    let server = TestServer::start().await;
    assert_asked(server.get("/userinfo").content_types(&[]).send().await);
    assert_asked(server.post("/userinfo").send().await);
    for other in ["Basic YTpi", "Digest x", "DPoP x", "Bearerx y", "Token x"] {
        assert_asked(server.get("/userinfo").header("authorization", other).send().await);
    }
}

/// C-037.
#[tokio::test]
async fn rfc6750_section_3_1_a_token_that_does_not_do_is_told_why() {
    let (server, token) = server_and_token("read").await;
    let ask = |token: &str| server.get("/userinfo").header("authorization", &format!("Bearer {token}"));
    let invalid = ask("x").send().await.assert_error(401, "invalid_token");
    assert!(challenge(&invalid).contains(", error=\"invalid_token\", error_description=\""), "{}", challenge(&invalid));
    assert!(!challenge(&invalid).contains("scope="), "{}", challenge(&invalid));
    let insufficient = ask(&token).send().await.assert_error(403, "insufficient_scope");
    assert!(challenge(&insufficient).contains(", error=\"insufficient_scope\", error_description=\""));
    assert!(challenge(&insufficient).ends_with(", scope=\"openid\""), "{}", challenge(&insufficient));
    for answer in [&invalid, &insufficient] {
        let description = format!("error_description=\"{}\"", answer.member("error_description").unwrap());
        assert!(challenge(answer).contains(&description), "the challenge and the body say the same");
        assert!(!answer.text_of_body().contains(&token));
    }
}

/// C-038.
#[tokio::test]
async fn rfc6750_section_5_3_what_is_told_about_a_user_is_not_kept_in_a_cache() {
    let (server, token) = server_and_token("openid profile email").await;
    let bearer = format!("Bearer {token}");
    for method in ["GET", "POST", "HEAD"] {
        let answer = server.request(method, "/userinfo").header("authorization", &bearer).send().await;
        assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, Some("no-store")), "{method}");
    }
}
