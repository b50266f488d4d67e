use axum::http::StatusCode;

use crate::FORM;
use crate::server::{Headers, Server};

/// Method, path, headers, body; the status and the error code of the challenge.
type Case<'a> = (&'a str, &'a str, Headers<'a>, &'a str, u16, Option<&'a str>);

#[tokio::test]
async fn rfc6750_section_3_a_token_comes_one_way_and_never_in_the_query() {
    let server = Server::start().await;
    let bearer = ("authorization", "Bearer abc");
    let cases: [Case<'_>; 9] = [
        ("GET", "/userinfo", &[], "", 401, None),
        ("POST", "/userinfo", &[], "", 401, None),
        ("GET", "/userinfo?access_token=abc", &[], "", 401, None),
        ("GET", "/userinfo", &[("authorization", "Basic YTpi")], "", 401, None),
        ("GET", "/userinfo", &[bearer], "", 401, Some("invalid_token")),
        ("POST", "/userinfo", &[bearer], "", 401, Some("invalid_token")),
        ("POST", "/userinfo", &[FORM], "access_token=abc", 401, Some("invalid_token")),
        ("POST", "/userinfo", &[FORM, bearer], "access_token=abc", 400, Some("invalid_request")),
        ("GET", "/userinfo", &[("authorization", "Bearer a b")], "", 400, Some("invalid_request")),
    ];
    for (method, path, headers, body, status, error) in cases {
        let answer = server.send(method, path, headers, body).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path} {headers:?}: {}", answer.body);
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Bearer realm=\"regrant\""), "{challenge}");
        assert_eq!(challenge.contains("error="), error.is_some(), "{method} {path} {headers:?}: {challenge}");
        assert!(error.is_none_or(|error| challenge.contains(&format!("error=\"{error}\""))), "{challenge}");
    }
    let twice = server.send("GET", "/userinfo", &[bearer, bearer], "").await;
    assert_eq!(twice.status, StatusCode::BAD_REQUEST);
}
