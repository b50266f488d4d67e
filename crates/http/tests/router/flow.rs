use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use form_urlencoded::{byte_serialize, parse};
use serde_json::Value;

use crate::FORM;
use crate::server::{Answer, Headers, ORIGIN, REQUEST, Server, VERIFIER};

/// A browser: it keeps cookies, and sends forms from the pages that it was shown.
struct Visitor<'a> {
    server: &'a Server,
    cookies: BTreeMap<String, String>,
}

impl<'a> Visitor<'a> {
    fn new(server: &'a Server) -> Self {
        Self { server, cookies: BTreeMap::new() }
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, "").await
    }

    /// Sends the hidden fields of `page`, and `rest`.
    async fn post(&mut self, path: &str, page: &str, rest: &str) -> Answer {
        let form = ["request", "form"].iter().find_map(|name| Some(format!("{name}={}&{rest}", hidden(page, name)?)));
        self.send("POST", path, &form.expect("every form has a seal")).await
    }

    async fn send(&mut self, method: &str, path: &str, form: &str) -> Answer {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let headers = [FORM, ("cookie", &cookies.join("; ")), ("origin", "https://id.example")];
        let answer = self.server.send(method, path, &headers, form).await;
        for set in answer.headers.get_all(SET_COOKIE) {
            let pair = set.to_str().expect("a cookie is ASCII").split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a cookie has a value");
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// Logs alice in for [`REQUEST`] with `rest`, as far as the consent page.
    async fn reach_consent(&mut self, rest: &str) -> Answer {
        let login = self.get(&format!("/authorize?{REQUEST}&{rest}")).await;
        let resumed = self.post("/login", &login.body, "username=alice&password=wonderland&action=login").await;
        assert_eq!(resumed.status, StatusCode::SEE_OTHER, "{}", resumed.body);
        self.get(below(&resumed)).await
    }
}

/// The value of a hidden field.
fn hidden<'p>(page: &'p str, name: &str) -> Option<&'p str> {
    page.split_once(&format!("name=\"{name}\" value=\""))?.1.split('"').next()
}

/// Where a redirect leads, below the issuer.
fn below(answer: &Answer) -> &str {
    answer.header("location").and_then(|location| location.strip_prefix("/t1")).expect("a redirect to ourselves")
}

/// What the client is told at its redirect URI.
fn told(answer: &Answer, name: &str) -> Option<String> {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let query = answer.header("location")?.strip_prefix("https://app.example/cb?")?;
    parse(query.as_bytes()).find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
}

const ALLOW: &str = "decision=allow&allow_0=openid&allow_1=profile&allow_2=read";

/// A code of `app`, which alice gave it; [`VERIFIER`] redeems it.
pub(crate) async fn code_of_app(server: &Server) -> String {
    let mut visitor = Visitor::new(server);
    let consent = visitor.reach_consent("scope=openid+profile+read").await;
    told(&visitor.post("/consent", &consent.body, ALLOW).await, "code").expect("she said yes")
}

#[tokio::test]
async fn a_person_logs_in_and_consents_and_the_client_learns_who_it_is() {
    let server = Server::start().await;
    let mut visitor = Visitor::new(&server);
    let consent = visitor.reach_consent("scope=openid+profile+read").await;
    let policy = consent.header("content-security-policy").unwrap();
    assert!(policy.contains("form-action 'self' https:"), "{policy}");
    let answer = visitor.post("/consent", &consent.body, ALLOW).await;
    assert_eq!(told(&answer, "state").as_deref(), Some("é b"));
    assert_eq!(told(&answer, "iss").as_deref(), Some("https://id.example/t1"));
    let code = told(&answer, "code").unwrap();

    let form = format!("grant_type=authorization_code&client_id=app&code={code}&code_verifier={VERIFIER}");
    let tokens = server.send("POST", "/token", &[FORM, ("origin", ORIGIN)], &form).await;
    assert_eq!((tokens.status, tokens.header("access-control-allow-origin")), (StatusCode::OK, Some(ORIGIN)));
    let tokens: Value = serde_json::from_str(&tokens.body).unwrap();
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let known = server.send("GET", "/userinfo", &[("authorization", &bearer)], "").await;
    let known: Value = serde_json::from_str(&known.body).unwrap();
    assert_eq!((&known["name"], known["sub"].is_string()), (&Value::from("Alice"), true));

    let account = visitor.get("/account").await.body;
    assert!(account.contains("alice") && account.contains("name=\"grant\""), "{account}");
    let ended = visitor.post("/account/end-all", &account, "").await;
    let (path, _) = below(&ended).split_once("?notice=").expect("the page says what was done");
    assert_eq!((ended.status, path), (StatusCode::SEE_OTHER, "/account"));
    let ended = server.send("GET", "/userinfo", &[("authorization", &bearer)], "").await;
    assert_eq!(ended.status, StatusCode::UNAUTHORIZED);

    let hint: String = byte_serialize(tokens["id_token"].as_str().unwrap().as_bytes()).collect();
    let log_out = format!("/logout?id_token_hint={hint}&post_logout_redirect_uri=https://app.example/cb&state=s");
    let out = visitor.get(&log_out).await;
    assert_eq!(out.header("location"), Some("https://app.example/cb?state=s"));
    let asked = visitor.get(&format!("/authorize?{REQUEST}")).await;
    assert!(asked.body.contains("name=\"password\""), "nobody is logged in any more");
}

#[tokio::test]
async fn rfc6750_section_3_1_a_token_with_too_little_scope_is_told_which_would_do() {
    let server = Server::start().await;
    let mut visitor = Visitor::new(&server);
    let consent = visitor.reach_consent("scope=read").await;
    let answer = visitor.post("/consent", &consent.body, "decision=allow&allow_0=read").await;
    let code = told(&answer, "code").unwrap();
    let form = format!("grant_type=authorization_code&client_id=app&code={code}&code_verifier={VERIFIER}");
    let tokens: Value = serde_json::from_str(&server.send("POST", "/token", &[FORM], &form).await.body).unwrap();
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let refused = server.send("GET", "/userinfo", &[("authorization", &bearer)], "").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let challenge = refused.header("www-authenticate").unwrap();
    assert!(
        challenge.contains("error=\"insufficient_scope\"") && challenge.ends_with("scope=\"openid\""),
        "{challenge}"
    );
}

#[tokio::test]
async fn rfc6749_section_3_1_a_repeated_parameter_is_told_to_the_client_unless_it_says_which() {
    let server = Server::start().await;
    let mut visitor = Visitor::new(&server);
    for name in ["state", "scope", "response_type", "code_challenge"] {
        let told_of = visitor.get(&format!("/authorize?{REQUEST}&scope=read&{name}=x&{name}=y")).await;
        assert_eq!(told(&told_of, "error").as_deref(), Some("invalid_request"), "{name}");
    }
    for name in ["client_id", "redirect_uri"] {
        let shown = visitor.get(&format!("/authorize?{REQUEST}&{name}=https://app.example/cb&{name}=app")).await;
        assert_eq!((shown.status, shown.header("location")), (StatusCode::BAD_REQUEST, None), "{name}");
    }
}

#[tokio::test]
async fn oauth_form_post_response_mode_posts_the_answer_by_a_page() {
    let server = Server::start().await;
    let mut visitor = Visitor::new(&server);
    let consent = visitor.reach_consent("response_mode=form_post").await;
    let answer = visitor.post("/consent", &consent.body, ALLOW).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body.contains("action=\"https://app.example/cb\""), "{}", answer.body);
    assert!(hidden(&answer.body, "code").is_some_and(|code| code.starts_with("rgc_")), "{}", answer.body);
    assert!(answer.header("content-security-policy").unwrap().contains("script-src 'sha256-"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn rfc6749_section_10_12_a_consent_that_another_site_or_browser_sends_gives_no_code() {
    let server = Server::start().await;
    let mut visitor = Visitor::new(&server);
    let consent = visitor.reach_consent("").await;
    let form = format!("request={}&{ALLOW}", hidden(&consent.body, "request").unwrap());

    let cookies = visitor.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
    let elsewhere: [Headers<'_>; 5] = [
        &[FORM, ("cookie", &cookies), ("sec-fetch-site", "cross-site")],
        &[FORM, ("cookie", &cookies), ("sec-fetch-site", "same-site")],
        &[FORM, ("cookie", &cookies), ("origin", "https://evil.example")],
        &[FORM, ("cookie", &cookies), ("origin", "null")],
        &[FORM, ("sec-fetch-site", "cross-site")],
    ];
    for headers in elsewhere {
        let refused = server.send("POST", "/consent", headers, &form).await;
        assert_eq!((refused.status, refused.header("location")), (StatusCode::FORBIDDEN, None), "{headers:?}");
    }
    let mut other = Visitor::new(&server);
    let shown = other.send("POST", "/consent", &form).await;
    assert!(shown.header("location").is_none_or(|location| !location.contains("code=")), "{:?}", shown.headers);
    assert!(told(&visitor.send("POST", "/consent", &form).await, "code").is_some());
}

#[tokio::test]
async fn too_many_wrong_passwords_are_told_with_the_time_to_wait() {
    let server = Server::start().await;
    let mut visitor = Visitor::new(&server);
    let mut page = visitor.get("/account").await;
    for _ in 0..100 {
        page = visitor.post("/login", &page.body, "username=alice&password=wrong&action=login").await;
        if page.status == StatusCode::TOO_MANY_REQUESTS {
            break;
        }
        assert_eq!(page.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(page.header("retry-after").is_some_and(|seconds| seconds.parse::<u32>().is_ok()));
    assert!(page.body.contains("name=\"password\""), "the page can be sent again");
}
