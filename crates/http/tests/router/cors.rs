use axum::http::StatusCode;

use crate::FORM;
use crate::server::{ORIGIN, Server};

#[tokio::test]
async fn scripts_of_registered_origins_read_the_answers_for_clients() {
    let server = Server::start().await;
    let readable = [
        ("POST", "/token"),
        ("POST", "/revoke"),
        ("GET", "/userinfo"),
        ("POST", "/userinfo"),
        ("GET", "/jwks"),
        ("GET", "/.well-known/openid-configuration"),
    ];
    for (method, path) in readable {
        let preflight = [("origin", ORIGIN), ("access-control-request-method", method)];
        let answer = server.send("OPTIONS", path, &preflight, "").await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN), "{path}");
        assert_eq!(answer.header("access-control-allow-methods"), Some("GET, POST"), "{path}");
        assert_eq!(answer.header("access-control-allow-headers"), Some("Authorization, Content-Type"), "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), None, "{path}");

        for (origin, allowed) in [(ORIGIN, Some(ORIGIN)), ("https://evil.example", None), ("null", None)] {
            let answer = server.send(method, path, &[FORM, ("origin", origin)], "").await;
            assert_eq!(answer.header("access-control-allow-origin"), allowed, "{path} from {origin}");
            assert_eq!(answer.header("vary"), Some("Origin"), "{path} from {origin}");
            let exposed = allowed.map(|_| "Retry-After, WWW-Authenticate");
            assert_eq!(answer.header("access-control-expose-headers"), exposed, "{path} from {origin}");
        }
        let foreign = [("origin", "https://evil.example"), ("access-control-request-method", method)];
        let answer = server.send("OPTIONS", path, &foreign, "").await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
    let answer = server.send("GET", "/jwks", &[], "").await;
    assert_eq!(answer.header("vary"), Some("Origin"), "also where no origin is named");
}

#[tokio::test]
async fn rfc9700_section_2_6_no_script_reads_what_is_for_people_or_servers() {
    let server = Server::start().await;
    for path in ["/authorize", "/login", "/consent", "/account", "/account/end", "/logout", "/introspect"] {
        let from_origin = [("origin", ORIGIN), ("access-control-request-method", "POST")];
        let preflight = server.send("OPTIONS", path, &from_origin, "").await;
        assert_eq!(preflight.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        for answer in [preflight, server.send("GET", path, &from_origin, "").await] {
            let is_cors = |name: &str| name.starts_with("access-control-");
            assert!(!answer.headers.keys().any(|name| is_cors(name.as_str())), "{path}: {:?}", answer.headers);
        }
    }
}
