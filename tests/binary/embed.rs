//! The example program that contains the server: started as a process of its own, and driven as its users would.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use ureq::http::StatusCode;

use crate::browser::{Browser, Page, parameter};
use crate::program::{FREE_PORT, Program, fresh_data, neighbour};
use regrant_tests::{CHALLENGE, VERIFIER, unverified_claims};

const CALLBACK: &str = "http://127.0.0.1:9999/callback";

impl Browser {
    /// An authorization request of `app`; `rest` is what it has beside what every request has.
    fn authorize(&mut self, rest: &str) -> Page {
        let request = "/authorize?response_type=code&client_id=app&code_challenge_method=S256&scope=openid";
        self.open(&format!("{request}&redirect_uri={CALLBACK}&code_challenge={CHALLENGE}{rest}"))
    }

    /// Asks the token endpoint for tokens of `app`.
    fn tokens(&mut self, fields: &[(&str, &str)]) -> Value {
        let page = self.submit("/token", &[&[("client_id", "app")], fields].concat());
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        serde_json::from_str(&page.body).expect("it is JSON")
    }

    fn metrics(&mut self) -> String {
        self.open("/metrics").body
    }
}

fn start(data: &Path) -> Program {
    Program::run(Command::new(neighbour("embed")).arg(FREE_PORT).arg(data))
}

fn text(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap_or_else(|| panic!("no {name} in {answer}")).to_owned()
}

#[test]
fn the_embedded_server_logs_in_the_users_of_its_program() {
    let (_parent, data) = fresh_data();
    let program = start(&data);
    let mut browser = Browser::new(&program.url);

    let to_login = browser.authorize("&state=s").redirect().to_owned();
    assert!(to_login.starts_with("/login?request="), "{to_login}");
    assert_eq!(parameter(&to_login, "client"), "app");
    let login = browser.open(&to_login);
    let hostile = browser.open("/login?request=%22%3E%3Cscript%3E");
    assert!(!hostile.body.contains("\"><script>"), "{}", hostile.body);
    let again =
        browser.submit("/login", &[("request", login.request()), ("username", "ada"), ("password", "nanosecond")]);
    assert_eq!((again.status, again.request()), (StatusCode::OK, login.request()), "the password is another's");

    // The request belongs to the browser that asked: a lured one is asked for itself.
    let mut lured = Browser::new(&program.url);
    let entered = [("request", again.request()), ("username", "ada"), ("password", "analytical")];
    let sent_back = lured.submit("/login", &entered).redirect().to_owned();
    assert_eq!(parameter(&sent_back, "problem"), "no_cookie");
    let sent_back = lured.submit("/login", &entered).redirect().to_owned();
    assert_eq!(parameter(&sent_back, "problem"), "outdated");
    assert!(!lured.cookies.keys().any(|name| name.contains("session")), "{:?}", lured.cookies);

    let to_consent = browser.submit("/login", &entered).redirect().to_owned();
    let consent = browser.open(&to_consent);
    let allow = [("request", consent.request()), ("decision", "allow"), ("allow_0", "openid")];
    let back = browser.submit("/consent", &allow).redirect().to_owned();
    assert!(back.starts_with(CALLBACK) && parameter(&back, "state") == "s", "{back}");

    let code = [("code", parameter(&back, "code")), ("code_verifier", VERIFIER), ("redirect_uri", CALLBACK)];
    let first = browser.tokens(&[&[("grant_type", "authorization_code")], &code[..]].concat());
    let claims = unverified_claims(&text(&first, "access_token"));
    assert_eq!((&claims["sub"], &claims["role"]), (&"ada".into(), &"admin".into()), "{claims}");
    let id_token = text(&first, "id_token");
    let claims = unverified_claims(&id_token);
    assert_eq!((&claims["sub"], &claims["amr"], &claims["role"]), (&"ada".into(), &Value::Null, &Value::Null));

    let refresh_token = text(&first, "refresh_token");
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", &*refresh_token)];
    let second = browser.tokens(&refresh);
    let claims = unverified_claims(&text(&second, "access_token"));
    assert_eq!(claims["role"], "admin", "{claims}");
    let retried = browser.tokens(&refresh);
    assert_eq!(retried["refresh_token"], second["refresh_token"]);
    assert_eq!(unverified_claims(&text(&retried, "access_token")), claims);
    assert_eq!(browser.metrics(), "refreshes{verdict=\"retried\"} 1\nrefreshes{verdict=\"rotated\"} 1\n");

    // Who is logged in is not asked again, unless the client wants it so.
    let of_nobody = browser.authorize("&prompt=none").redirect().to_owned();
    assert_eq!(parameter(&of_nobody, "error"), "consent_required", "logged in, and any app may listen at this address");
    let anew = browser.authorize("&prompt=login").redirect().to_owned();
    parameter(&anew, "authenticated_after").parse::<i64>().expect("it is a time");
    assert_eq!(parameter(&anew, "login_hint"), "ada");
    let account = browser.open("/account");
    assert!(account.body.contains("ada") && !account.body.contains("type=\"password\""), "{}", account.body);

    let log_out = format!("/logout?id_token_hint={id_token}&post_logout_redirect_uri={CALLBACK}");
    assert_eq!(browser.open(&log_out).redirect(), CALLBACK);
    assert!(browser.authorize("&prompt=none").redirect().contains("error=login_required"));
    assert!(browser.open("/account").redirect().starts_with("/login?request="));
}

#[test]
fn the_embedded_server_keeps_what_it_has_issued_over_a_restart() {
    let (_parent, data) = fresh_data();
    let program = start(&data);
    let in_use = Program::spawn(Command::new(neighbour("embed")).arg(FREE_PORT).arg(&data)).wait();
    assert!(!in_use.status.success() && in_use.stderr.contains("is in use"), "{}", in_use.stderr);
    let key_file = fs::read(data.join("master.key")).expect("the data directory has a key file");
    drop(program);
    let program = start(&data);
    assert_eq!(fs::read(data.join("master.key")).expect("it stays"), key_file);
    assert!(Browser::new(&program.url).authorize("").redirect().starts_with("/login?"));
}

#[test]
fn the_example_is_short_and_the_guide_shows_what_it_does() {
    let example = include_str!("../../examples/embed.rs");
    let sources = [example, include_str!("../../examples/custom_store/suite.rs")].concat();
    assert!(example.lines().count() <= 80, "{} lines", example.lines().count());
    let blocks = include_str!("../../docs/guides/embed.md").split("```rust\n").skip(1);
    let shown: Vec<_> = blocks.map(|block| block.split("```").next().expect("a block ends")).collect();
    assert!(shown.len() > 5, "{shown:?}");
    for block in shown {
        assert!(sources.contains(block), "{block}");
    }
}
