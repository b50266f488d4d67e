//! A program with a login page of its own.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use regrant_engine::{AuthorizationServer, KnownUser};
use regrant_http::{LoginPage, Site, SiteOptions, Visitor};
use regrant_protocol::Params;

use crate::server::{Answer, REQUEST, Server};

/// The login page lets in whoever says that they are somebody.
fn program(server: &Arc<AuthorizationServer>) -> Router {
    let login_page = LoginPage::at("/t1/sign-in").expect("it is a path");
    let site = Site::new(Arc::clone(server), SiteOptions { login_page: Some(login_page), ..SiteOptions::default() });
    let sign_in = Router::new().route("/t1/sign-in", post(sign_in)).with_state(site.clone());
    sign_in.merge(site.router())
}

async fn sign_in(State(site): State<Site>, visitor: Visitor, form: String) -> Response {
    let form = Params::parse(form.as_bytes()).expect("a test sends a form");
    let request = form.get("request").expect("a test passes the request on");
    match form.get("name") {
        Some(name) => {
            let user = KnownUser::new(name, name).expect("it is a name");
            site.log_in_as(&visitor, request, user).await
        }
        None => site.cancel_log_in(&visitor, request).await,
    }
}

/// The login page that an authorization request leads to: its path, the request that it carries, and the browser's cookie.
async fn reach_login(server: &Server) -> (String, String, String) {
    let answer = server.send("GET", &format!("/authorize?{REQUEST}"), &[], "").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    for (name, value) in [("referrer-policy", "no-referrer"), ("cache-control", "no-store")] {
        assert_eq!(answer.header(name), Some(value));
    }
    let location = answer.header("location").expect("a redirect has a Location").to_owned();
    let request = location.split("request=").nth(1).expect("it is passed on").split('&').next().unwrap_or_default();
    (location.clone(), request.to_owned(), cookie(&answer, "regrant-browser"))
}

/// The cookie of this name as the browser sends it back.
fn cookie(answer: &Answer, name: &str) -> String {
    let mut cookies = answer.headers.get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok());
    let cookie = cookies.rfind(|cookie| cookie.contains(name)).unwrap_or_else(|| panic!("no {name}"));
    assert!(cookie.contains("HttpOnly") && cookie.contains("Secure"), "{cookie}");
    cookie.split(';').next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn the_browser_is_sent_to_the_page_of_the_program_and_goes_on_as_who_it_says() {
    let server = Server::start_with(program).await;
    let (location, request, browser) = reach_login(&server).await;
    assert!(location.starts_with("/t1/sign-in?request=") && location.ends_with("&client=app"), "{location}");

    let body = format!("request={request}&name=ada");
    let answer = server.send("POST", "/sign-in", &[("cookie", &browser)], &body).await;
    let location = answer.header("location").expect("a redirect has a Location");
    assert!(answer.status == StatusCode::SEE_OTHER && location.starts_with("/t1/consent?request="), "{location}");
    let cookies = format!("{browser}; {}", cookie(&answer, "regrant-session"));
    let consent = location.strip_prefix("/t1").expect("it is below the issuer");
    let page = server.send("GET", consent, &[("cookie", &cookies)], "").await;
    assert!(page.status == StatusCode::OK && page.body.contains("ada"), "{}", page.body);

    let again = server.send("POST", "/sign-in", &[], &body).await;
    let location = again.header("location").expect("a redirect has a Location");
    assert!(location.ends_with("&login_hint=ada&problem=no_cookie"), "{location}");
    assert!(!again.headers.get_all("set-cookie").iter().any(|cookie| format!("{cookie:?}").contains("session")));
}

#[tokio::test]
async fn who_would_rather_not_log_in_is_sent_back_to_the_client() {
    let server = Server::start_with(program).await;
    let (_, request, browser) = reach_login(&server).await;
    let answer = server.send("POST", "/sign-in", &[("cookie", &browser)], &format!("request={request}")).await;
    let location = answer.header("location").expect("a redirect has a Location");
    assert!(location.starts_with("https://app.example/cb?") && location.contains("error=access_denied"), "{location}");
}

#[tokio::test]
async fn no_password_of_ours_logs_anybody_in_there() {
    let server = Server::start_with(program).await;
    let (_, request, browser) = reach_login(&server).await;
    let body = format!("request={request}&username=alice&password=wonderland");
    let form = ("content-type", "application/x-www-form-urlencoded");
    let answer = server.send("POST", "/login", &[("cookie", &browser), form], &body).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let account = server.send("GET", "/account", &[], "").await;
    assert!(account.header("location").is_some_and(|to| to.starts_with("/t1/sign-in?")), "{}", account.body);
}
