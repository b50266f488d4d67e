use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};
use regrant_http::{Dialect, Dialects};

use crate::FORM;
use crate::server::{Answer, Headers, Server};

/// What proves that a form comes from `shop`.
pub(crate) const SHOP: &str = "client_id=shop&client_secret=a%2Bb+c%3Ad-0123456789abcdef";
/// What proves that a form comes from `other`.
pub(crate) const OTHER: &str = "client_id=other&client_secret=a%2Bb+c%3Ad-0123456789abcdef";
/// `shop:a+b c:d-0123456789abcdef`, which is not form-urlencoded.
pub(crate) const RAW_BASIC: (&str, &str) = ("authorization", "Basic c2hvcDphK2IgYzpkLTAxMjM0NTY3ODlhYmNkZWY=");

/// A request, and all that is said to it: status, the headers that a dialect decides, and the body.
pub(crate) struct Case<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) headers: Headers<'a>,
    pub(crate) body: &'a str,
    pub(crate) said: &'a str,
}

impl<'a> Case<'a> {
    /// A form posted to `/token`.
    pub(crate) fn form(body: &'a str, said: &'a str) -> Self {
        Self { method: "POST", path: "/token", headers: &[FORM], body, said }
    }
}

/// A server that speaks `dialect` everywhere.
pub(crate) async fn speaking(dialect: Dialect) -> Server {
    Server::start_speaking(Dialects { default: dialect, ..Dialects::default() }).await
}

/// Sends every case, and compares what is said byte for byte.
pub(crate) async fn check(server: &Server, cases: &[Case<'_>]) {
    for Case { method, path, headers, body, said } in cases {
        let answer = server.send(method, path, headers, body).await;
        assert_eq!(heard(&answer), *said, "{method} {path} {headers:?} {body:?}");
    }
}

/// Status, the headers that a dialect decides, and the body.
pub(crate) fn heard(answer: &Answer) -> String {
    let mut heard = answer.status.as_u16().to_string();
    for name in [CONTENT_TYPE, CACHE_CONTROL, PRAGMA, WWW_AUTHENTICATE, ALLOW, RETRY_AFTER] {
        if let Some(value) = answer.header(name.as_str()) {
            heard.push_str(&format!(" {name}={value}"));
        }
    }
    format!("{heard} {}", answer.body)
}

/// What a user's password gives, with the tokens in it as `<…>`; and the refresh token.
pub(crate) async fn log_in(server: &Server, client: &str, scope: &str) -> (String, String) {
    let body = format!("grant_type=password&username=alice&password=wonderland&{client}{scope}");
    without_tokens(&server.send("POST", "/token", &[FORM], &body).await)
}

/// What a refresh gives, with the tokens in it as `<…>`.
pub(crate) async fn refresh(server: &Server, refresh_token: &str, rest: &str) -> String {
    let body = format!("grant_type=refresh_token&refresh_token={refresh_token}&{rest}");
    without_tokens(&server.send("POST", "/token", &[FORM], &body).await).0
}

/// An answer with the tokens in it as `<…>`, and its refresh token.
pub(crate) fn without_tokens(answer: &Answer) -> (String, String) {
    let refresh_token = member(&answer.body, "refresh_token");
    let mut heard = heard(answer);
    for name in ["access_token", "refresh_token", "id_token"] {
        let token = member(&answer.body, name);
        if !token.is_empty() {
            heard = heard.replace(&token, "<…>");
        }
    }
    (heard, refresh_token)
}

fn member(json: &str, name: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    value[name].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn our_own_dialect_follows_the_rfcs() {
    let server = speaking(Dialect::standard()).await;
    let (said, refresh_token) = log_in(&server, SHOP, "&scope=openid+read").await;
    let head = "200 content-type=application/json cache-control=no-store pragma=no-cache {\"access_token\":\"<…>\",\
        \"token_type\":\"Bearer\",\"expires_in\":3600,\"scope\":\"openid read\",\"refresh_token\":\"<…>\",\
        \"refresh_token_expires_in\":3600";
    assert_eq!(said, format!("{head}}}"));
    assert_eq!(refresh(&server, &refresh_token, SHOP).await, format!("{head},\"id_token\":\"<…>\"}}"));
    const HEAD: &str = "content-type=application/json cache-control=no-store pragma=no-cache";
    let method = |method| Case { method, path: "/token", headers: &[], body: "", said: "" };
    let post_only = format!(
        "405 {HEAD} allow=POST {{\"error\":\"invalid_request\",\"error_description\":\"this endpoint takes POST only\"}}"
    );
    check(&server, &["GET", "PUT", "OPTIONS"].map(|name| Case { said: &post_only, ..method(name) })).await;
    let no_client = format!(
        "401 {HEAD} www-authenticate=Basic realm=\"regrant\", charset=\"UTF-8\" {{\"error\":\"invalid_client\",\
         \"error_description\":\"no client credentials: send them in the Authorization header (Basic), or client_id in the body\"}}"
    );
    let missing = format!(
        "400 {HEAD} {{\"error\":\"invalid_request\",\"error_description\":\"parameter grant_type is missing\"}}"
    );
    let repeated = format!(
        "400 {HEAD} {{\"error\":\"invalid_request\",\"error_description\":\"parameter a is given more than once\"}}"
    );
    let json = format!(
        "415 {HEAD} {{\"error\":\"invalid_request\",\
         \"error_description\":\"the body must be application/x-www-form-urlencoded, in UTF-8\"}}"
    );
    let revoke = format!("token={refresh_token}&{SHOP}");
    check(
        &server,
        &[
            Case::form("grant_type=x", &no_client),
            Case::form(SHOP, &missing),
            Case::form("a=1&a=2", &repeated),
            Case {
                method: "POST",
                headers: &[("content-type", "application/json")],
                body: "{}",
                said: &json,
                ..method("")
            },
            Case { path: "/revoke", ..Case::form(&revoke, "200 cache-control=no-store ") },
        ],
    )
    .await;
}
