use axum::http::StatusCode;

use crate::FORM;
use crate::server::{Headers, REQUEST, Server};

#[tokio::test]
async fn every_page_forbids_caches_and_frames_and_its_address_is_told_to_no_other_site() {
    let server = Server::start().await;
    let good = format!("/authorize?{REQUEST}");
    let long = format!("/authorize?state={}", "x".repeat(8 * 1024));
    let cases: [(&str, &str, Headers<'_>, &str, u16, &str); 15] = [
        ("GET", &good, &[], "", 200, "unsafe-none"),
        ("HEAD", &good, &[], "", 200, "unsafe-none"),
        ("GET", "/account", &[], "", 200, "same-origin"),
        ("GET", "/logout", &[], "", 200, "same-origin"),
        ("GET", "/authorize", &[], "", 400, "same-origin"),
        ("GET", "/authorize?client_id=%FF%FE", &[], "", 400, "same-origin"),
        ("GET", &long, &[], "", 414, "same-origin"),
        ("PUT", "/authorize", &[], "", 405, "same-origin"),
        ("GET", "/login", &[], "", 405, "same-origin"),
        ("PUT", "/account/end-all", &[], "", 405, "same-origin"),
        ("GET", "/nowhere", &[("accept", "text/html,*/*;q=0.8")], "", 404, "same-origin"),
        ("POST", "/account", &[], "", 405, "same-origin"),
        ("POST", "/login", &[("content-type", "application/json")], "{}", 415, "same-origin"),
        ("POST", "/login", &[FORM], "username=a&username=b", 400, "same-origin"),
        ("POST", "/consent", &[FORM, ("sec-fetch-site", "cross-site")], "", 403, "same-origin"),
    ];
    for (method, path, headers, body, status, opener_policy) in cases {
        let answer = server.send(method, path, headers, body).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}: {}", answer.body);
        for (name, value) in [
            ("content-type", "text/html; charset=utf-8"),
            ("cache-control", "no-store"),
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", opener_policy),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name} of {method} {path}");
        }
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(answer.header("permissions-policy").is_some(), "{method} {path}");
        assert_eq!(answer.header("allow").is_some(), status == 405, "{method} {path}");
    }
}

#[tokio::test]
async fn an_address_at_which_there_is_nothing_says_where_to_go() {
    let server = Server::start().await;
    let page = server.send("GET", "/nowhere", &[("accept", "text/html,*/*;q=0.8")], "").await;
    assert!(page.body.contains("href=\"/t1/account\""), "{}", page.body);
    for headers in [&[][..], &[("accept", "*/*")], &[("accept", "application/json")]] {
        let told = server.send("POST", "/nowhere", headers, "").await;
        assert_eq!((told.status.as_u16(), told.header("content-type")), (404, Some("application/json")));
        assert!(told.body.contains("oauth-authorization-server"), "{}", told.body);
    }
    for form in ["/end", "/end-all", "/password", "/log-out"] {
        let answer = server.send("GET", &format!("/account{form}"), &[], "").await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, Some("/t1/account")), "{form}");
    }
}

#[tokio::test]
async fn what_a_page_loads_may_be_kept_for_ever() {
    let server = Server::start().await;
    let page = server.send("GET", "/account", &[], "").await.body;
    let style = page.split('"').find(|text| text.ends_with(".css")).unwrap();
    let answer = server.send("GET", style.strip_prefix("/t1").unwrap(), &[], "").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), Some("text/css; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(server.send("GET", "/assets/style.css", &[], "").await.status, StatusCode::NOT_FOUND);
}
