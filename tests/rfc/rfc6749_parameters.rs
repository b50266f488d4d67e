//! RFC 6749 §3.2, §3.3 and Appendix B: the form of requests, above all to the token endpoint and its neighbours.

use regrant_http::TOKEN_PATHS;
use regrant_tests::TestServer;

/// C-006.
#[tokio::test]
async fn rfc6749_section_3_2_unknown_parameters_are_ignored() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let first = app.password().with("foo", "bar").send().await.assert_ok();
    app.refresh(&first.refresh_token()).with("foo", "bar").with("code", "x").send().await.assert_ok();
    app.introspect(&first.access_token()).with("foo", "bar").send().await.assert_active();
    app.revoke(&first.access_token()).with("foo", "bar").send().await.assert_ok();
}

/// C-007.
#[tokio::test]
async fn rfc6749_section_3_2_an_empty_parameter_is_absent() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let first = app.password().with("scope", "").send().await.assert_scope("read write");
    for missing in [
        app.refresh(""),
        app.token(""),
        app.token("password").with("username", "bshaffer").with("password", ""),
        app.token("password").with("username", "").with("password", "brent123"),
        app.revoke(""),
        app.introspect(""),
    ] {
        missing.send().await.assert_error(400, "invalid_request");
    }
    let empty = app.refresh(&first.refresh_token());
    let empty = empty.with("scope", "").with("retry_challenge", "").with("retry_verifier", "").with("resource", "");
    empty.send().await.assert_scope("read write");
}

/// C-008.
#[tokio::test]
async fn rfc6749_section_3_2_no_parameter_more_than_once() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let token = app.log_in().await.refresh_token();
    for name in [
        "grant_type",
        "refresh_token",
        "scope",
        "username",
        "password",
        "client_id",
        "client_secret",
        "retry_challenge",
        "retry_verifier",
        "unknown",
    ] {
        for (value, again) in [("v", "v"), ("v", "w"), ("", "v")] {
            let twice = format!("grant_type=refresh_token&refresh_token={token}&{name}={value}&{name}={again}");
            app.post("/token").form(twice).send().await.assert_error(400, "invalid_request");
        }
    }
    for twice in [app.revoke(&token), app.introspect(&token)] {
        twice.clone().with("token", &token).send().await.assert_error(400, "invalid_request");
        let hint = twice.with("token_type_hint", "a").with("token_type_hint", "b");
        hint.send().await.assert_error(400, "invalid_request");
    }
    app.refresh(&token).send().await.assert_ok();
}

/// C-009, C-055.
#[tokio::test]
async fn rfc6749_section_3_2_the_endpoints_take_post_only_and_nothing_happens_otherwise() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").register().await;
    let first = app.log_in().await;
    let token = first.refresh_token();
    let query = format!("grant_type=refresh_token&client_id=TestApp&refresh_token={token}&token={token}");
    for path in TOKEN_PATHS.into_iter().chain(["/revoke", "/introspect"]) {
        for method in ["GET", "PUT", "HEAD", "DELETE", "PATCH", "OPTIONS", "TRACE", "FOO"] {
            let request = server.request(method, &format!("{path}?{query}")).form(query.clone());
            let answer = request.send().await;
            let found = (answer.status.as_u16(), answer.header("allow"));
            assert_eq!(found, (405, Some("POST")), "{method} {path}");
        }
    }
    assert_eq!(server.grant(&token).await.version, 1);
    app.refresh(&token).send().await.assert_ok();
}

/// C-191.
#[tokio::test]
async fn rfc6749_section_3_2_the_query_is_never_merged_into_the_form() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let token = app.log_in().await.refresh_token();
    let in_query = app.post("/token?grant_type=refresh_token").with("refresh_token", &token);
    in_query.send().await.assert_error(400, "invalid_request");
    let in_query = app.post(&format!("/token?refresh_token={token}")).with("grant_type", "refresh_token");
    in_query.send().await.assert_error(400, "invalid_request");
    app.post(&format!("/revoke?token={token}")).send().await.assert_error(400, "invalid_request");
    let both = app.post("/token?grant_type=password&scope=read");
    let both = both.with("grant_type", "refresh_token").with("refresh_token", &token);
    both.send().await.assert_scope("read write");
}

/// C-016.
#[tokio::test]
async fn rfc6749_section_3_3_the_characters_of_a_scope() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").scope("read write !#[]~").register().await;
    let token = app.log_in().await.refresh_token();
    for scope in
        ["a\"b", "a\\b", "read\twrite", "read\u{a0}write", "é", "read  write", " read", "read ", "a\x7fb", "\0"]
    {
        let client_credentials = app.token("client_credentials");
        for request in [app.refresh(&token), app.password(), client_credentials] {
            request.with("scope", scope).send().await.assert_error(400, "invalid_scope");
        }
    }
    app.refresh(&token).with("scope", "!#[]~").send().await.assert_scope("!#[]~");
}

/// C-021: what an answer may contain is checked for every answer by the harness; here everything is tried that could
/// get into one.
#[tokio::test]
async fn rfc6749_section_5_2_an_error_never_echoes_what_it_may_not_contain() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    for evil in ["\"", "\\", "\r\nSet-Cookie: a=b", "é", "\u{0}", "<script>", "%", "\u{7f}", "🦀"] {
        for name in [
            "grant_type",
            "refresh_token",
            "scope",
            "username",
            "password",
            "client_id",
            "resource",
            "retry_challenge",
            "retry_verifier",
            "token",
            evil,
        ] {
            for path in ["/token", "/revoke", "/introspect"] {
                let name: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
                app.post(path).with(&name, evil).send().await;
                app.post(path).with(&name, evil).with(&name, evil).send().await;
                let valid = app.post(path).with("grant_type", "client_credentials");
                if name != "grant_type" {
                    valid.with(&name, evil).send().await;
                }
            }
        }
        let basic = server.post("/token").basic(evil, evil).with("grant_type", "client_credentials");
        basic.send().await.assert_error(401, "invalid_client");
    }
}

/// C-034.
#[tokio::test]
async fn rfc6749_appendix_b_a_form_is_utf8() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let token = app.log_in().await.refresh_token();
    for broken in ["x=%FF%FE", "%FF=x", "scope=%C3", "scope=read%ED%A0%80", "x=%zz", "x=%4", "x=%"] {
        app.refresh(&token).with_raw(broken).send().await.assert_error(400, "invalid_request");
        app.revoke(&token).with_raw(broken).send().await.assert_error(400, "invalid_request");
        app.introspect(&token).with_raw(broken).send().await.assert_error(400, "invalid_request");
    }
    let raw = [b"grant_type=client_credentials&x=".as_slice(), &[0xFF, 0xFE]].concat();
    app.post("/token").form(raw).send().await.assert_error(400, "invalid_request");
    app.refresh(&token).with_raw("x=%C3%A9").send().await.assert_ok();
}

/// C-034: what cannot be read is answered before anything of it is used.
#[tokio::test]
async fn rfc6749_appendix_b_a_query_is_utf8() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&["https://app.example/cb"]).register().await;
    for broken in ["x=%FF%FE", "%FF=x", "scope=%C3", "state=%ED%A0%80", "x=%zz", "x=%4", "x=%"] {
        let path = format!("/authorize?{}&{broken}", app.authorization().query());
        server.user_agent().open(&path).await.assert_page(400);
    }
    let path = format!("/authorize?{}&x=%C3%A9", app.authorization().query());
    server.user_agent().open(&path).await.assert_login_page();
}
