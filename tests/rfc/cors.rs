//! Which scripts of other origins may read which answers (Fetch, "CORS protocol"; RFC 9700 §2.6).

use regrant_protocol::WebOrigin;
use regrant_tests::{Answer, Fault, Request, TestClient, TestServer};

const CALLBACK: &str = "https://app.example/cb";
const ORIGIN: &str = "https://app.example";

/// What a script in a browser needs.
const FOR_SCRIPTS: [(&str, &str); 8] = [
    ("POST", "/token"),
    ("POST", "/oauth2/token"),
    ("POST", "/revoke"),
    ("GET", "/userinfo"),
    ("POST", "/userinfo"),
    ("GET", "/jwks"),
    ("GET", "/.well-known/openid-configuration"),
    ("GET", "/.well-known/oauth-authorization-server"),
];

/// What is for people, for servers, or for nobody in particular.
const NOT_FOR_SCRIPTS: [(&str, &str); 13] = [
    ("GET", "/authorize"),
    ("POST", "/authorize"),
    ("POST", "/login"),
    ("GET", "/consent"),
    ("POST", "/consent"),
    ("GET", "/account"),
    ("POST", "/account/end"),
    ("POST", "/account/end-all"),
    ("POST", "/account/password"),
    ("POST", "/account/log-out"),
    ("GET", "/logout"),
    ("POST", "/introspect"),
    ("GET", "/assets/x"),
];

async fn client<'a>(server: &'a TestServer, id: &str, origins: &[&str]) -> TestClient<'a> {
    let origins: Vec<_> =
        origins.iter().map(|origin| WebOrigin::parse(origin).expect("a test names origins")).collect();
    let builder = server.public(id).openid().redirect_uris(&[CALLBACK]);
    builder.set(|settings| settings.allowed_origins = origins).register().await
}

fn preflight(server: &TestServer, path: &str, origin: &str, method: &str) -> Request {
    let request = server.request("OPTIONS", path).content_types(&[]).header("origin", origin);
    request.header("access-control-request-method", method).header("access-control-request-headers", "authorization")
}

/// The headers by which a script is let in.
fn cors_headers(answer: &Answer) -> Vec<(&str, &str)> {
    let headers =
        answer.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().expect("our headers are ASCII")));
    let mut found: Vec<_> = headers.filter(|(name, _)| name.starts_with("access-control-")).collect();
    found.sort_unstable();
    found
}

const READABLE: [(&str, &str); 2] =
    [("access-control-allow-origin", ORIGIN), ("access-control-expose-headers", "Retry-After, WWW-Authenticate")];

#[tokio::test]
async fn cors_an_answer_is_read_by_scripts_of_registered_origins_alone() {
    let server = TestServer::start().await;
    client(&server, "TestApp", &[ORIGIN]).await;
    for (method, path) in FOR_SCRIPTS {
        let readable = server.request(method, path).header("origin", ORIGIN).send().await;
        assert_eq!(cors_headers(&readable), READABLE, "{method} {path}");
        for other in [
            "https://evil.example",
            "https://app.example.evil.example",
            "https://evilapp.example",
            "https://sub.app.example",
            "https://app.example:443",
            "https://app.example:8443",
            "https://app.example/",
            "https://APP.example",
            "http://app.example",
            "app.example",
            "null",
            "*",
            "",
        ] {
            let refused = server.request(method, path).header("origin", other).send().await;
            assert_eq!(cors_headers(&refused), [], "{method} {path} from {other:?}");
        }
        let twice = server.request(method, path).header("origin", ORIGIN).header("origin", ORIGIN).send().await;
        assert_eq!(cors_headers(&twice), [], "{method} {path}");
        let plain = server.request(method, path).send().await;
        assert_eq!(cors_headers(&plain), [], "{method} {path}");
        for answer in [readable, twice, plain] {
            assert_eq!(
                answer.header("vary"),
                Some("Origin"),
                "a cache keeps the answers of origins apart: {method} {path}"
            );
        }
    }
}

/// What it is for: a client in a browser gets its tokens, its errors and its waiting time.
#[tokio::test]
async fn cors_a_client_in_a_browser_reads_its_tokens_and_its_errors() {
    let server = TestServer::start().await;
    let app = client(&server, "TestApp", &[ORIGIN]).await;
    let code = server.user_agent().obtain_code(&app.authorization().with("scope", "openid")).await;
    let from_page = |request: Request| request.header("origin", ORIGIN).header("sec-fetch-site", "cross-site");
    let tokens = from_page(app.redeem(&code).with("redirect_uri", CALLBACK)).send().await.assert_ok();
    let bearer = format!("Bearer {}", tokens.access_token());
    let userinfo = from_page(server.get("/userinfo").header("authorization", &bearer)).send().await.assert_ok();
    let again = from_page(app.redeem(&code)).send().await.assert_error(400, "invalid_grant");
    let unread = from_page(server.get("/userinfo")).send().await;
    let wrong_method = from_page(server.get("/token")).send().await.assert_error(405, "invalid_request");
    let wrong_body = from_page(app.redeem("x").content_types(&["text/plain"])).send().await;
    server.store.fail(Fault::Down);
    // The list of origins is older than it may be, and cannot be read anew.
    server.clock.advance_seconds(60);
    let down = from_page(app.refresh(&tokens.refresh_token())).may_be_unavailable().send().await.assert_unavailable();
    for answer in [tokens, userinfo, again, unread, wrong_method, wrong_body, down] {
        assert_eq!(cors_headers(&answer), READABLE, "{}", answer.text_of_body());
    }
}

#[tokio::test]
async fn cors_a_preflight_is_answered_for_registered_origins_and_asks_nothing_of_anybody() {
    let server = TestServer::start().await;
    client(&server, "TestApp", &[ORIGIN]).await;
    for (method, path) in FOR_SCRIPTS {
        let allowed = preflight(&server, path, ORIGIN, method).send().await;
        assert_eq!((allowed.status.as_u16(), allowed.body.len()), (204, 0), "{path}");
        assert_eq!(allowed.header("vary"), Some("Origin"), "{path}");
        let expected = [
            ("access-control-allow-headers", "Authorization, Content-Type"),
            ("access-control-allow-methods", "GET, POST"),
            ("access-control-allow-origin", ORIGIN),
            ("access-control-expose-headers", "Retry-After, WWW-Authenticate"),
            ("access-control-max-age", "600"),
        ];
        assert_eq!(cors_headers(&allowed), expected, "no credentials, and no * : {path}");
        let foreign = preflight(&server, path, "https://evil.example", method).send().await;
        assert_eq!((foreign.status.as_u16(), cors_headers(&foreign)), (405, vec![]), "{path}");
        // OPTIONS that is no preflight is a method like any other.
        let plain = server.request("OPTIONS", path).header("origin", ORIGIN).send().await;
        assert_eq!(plain.status, 405, "{path}");
    }
}

/// C-124.
#[tokio::test]
async fn rfc9700_section_2_6_no_script_reads_a_page_or_what_is_for_servers() {
    let server = TestServer::start().await;
    let app = client(&server, "TestApp", &[ORIGIN]).await;
    for (method, path) in NOT_FOR_SCRIPTS {
        let path = format!("{path}?{}", app.authorization().query());
        let answer = server.request(method, &path).header("origin", ORIGIN).send().await;
        assert_eq!(cors_headers(&answer), [], "{method} {path}: {}", answer.text_of_body());
        let asked = preflight(&server, &path, ORIGIN, method).send().await;
        assert_eq!((asked.status.as_u16(), cors_headers(&asked)), (405, vec![]), "{method} {path}");
    }
    let mut browser = server.user_agent();
    let consent = browser.reach_consent(&app.authorization()).await.consent_form().press("decision", "allow");
    let allowed = browser.submit_with(consent, &[("origin", "null"), ("sec-fetch-site", "same-origin")]).await;
    assert_eq!(cors_headers(&allowed), []);
}

/// A development server chooses its port; nothing else of an origin is left open.
#[tokio::test]
async fn cors_a_loopback_origin_without_a_port_stands_for_every_port() {
    let server = TestServer::start().await;
    client(&server, "TestApp", &["http://127.0.0.1", "http://localhost:8090"]).await;
    for (origin, is_allowed) in [
        ("http://127.0.0.1", true),
        ("http://127.0.0.1:5173", true),
        ("http://127.0.0.1:65535", true),
        ("http://localhost:8090", true),
        ("http://127.0.0.1:65536", false),
        ("http://127.0.0.1:", false),
        ("http://127.0.0.1:80.evil.example", false),
        ("http://127.0.0.1.evil.example", false),
        ("http://127.0.0.11", false),
        ("http://localhost", false),
        ("http://localhost:8091", false),
        ("https://127.0.0.1:5173", false),
    ] {
        let answer = server.get("/jwks").header("origin", origin).send().await;
        let expected = is_allowed.then_some(origin);
        assert_eq!(answer.header("access-control-allow-origin"), expected, "{origin}");
    }
}

/// The list is that of all clients: the endpoints do not know whose script asks before it has said so.
#[tokio::test]
async fn cors_what_an_operator_adds_or_takes_away_counts_after_a_second() {
    let server = TestServer::start().await;
    let one = client(&server, "One", &[ORIGIN]).await;
    client(&server, "Two", &["https://two.example"]).await;
    let allowed = async |origin: &str| {
        let answer = server.get("/jwks").header("origin", origin).send().await;
        answer.header("access-control-allow-origin").map(str::to_owned)
    };
    assert_eq!(allowed(ORIGIN).await.as_deref(), Some(ORIGIN));
    assert_eq!(allowed("https://two.example").await.as_deref(), Some("https://two.example"));
    one.change_settings(|settings| settings.allowed_origins = vec![WebOrigin::parse("https://new.example").unwrap()])
        .await;
    server.clock.advance_seconds(1);
    assert_eq!(allowed(ORIGIN).await, None);
    assert_eq!(allowed("https://new.example").await.as_deref(), Some("https://new.example"));
}
