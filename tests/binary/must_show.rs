//! The sequences by which the server shows what it is for, with the program.

use regrant_tests::unverified_claims;

use crate::curl::{log_in, post, refresh, run};
use crate::program::{Program, fresh_data};

#[test]
fn a_lost_answer_is_repeated_and_a_long_superseded_token_ends_the_grant() {
    let (_parent, data) = fresh_data();
    let program = Program::start(&data, &[]);
    let url = &program.url;
    let first = log_in(url).refresh_token();
    let rotated = refresh(url, &first);
    let second = rotated.refresh_token();
    let retried = refresh(url, &first);
    assert_eq!(retried.refresh_token(), second);
    let jti = |token: &str| unverified_claims(token)["jti"].clone();
    assert_eq!(jti(&retried.member("access_token")), jti(&rotated.member("access_token")));

    let newest = refresh(url, &second);
    let third = newest.refresh_token();
    refresh(url, &first).assert_invalid_grant();
    refresh(url, &third).assert_invalid_grant();
    let introspected = post(url, "introspect", &format!("token={}", newest.member("access_token")));
    assert_eq!(introspected.json.to_string(), r#"{"active":false}"#);
}

#[test]
fn with_retry_window_0_the_second_use_ends_the_grant() {
    let (_parent, data) = fresh_data();
    let program = Program::start(&data, &["--retry-window", "0"]);
    let url = &program.url;
    let first = log_in(url).refresh_token();
    let second = refresh(url, &first).refresh_token();
    refresh(url, &first).assert_invalid_grant();
    refresh(url, &second).assert_invalid_grant();
}

#[test]
fn the_demo_api_opens_for_a_good_access_token_only() {
    let (_parent, data) = fresh_data();
    let program = Program::start(&data, &["--access-lifetime", "7"]);
    let url = &program.url;
    let login = log_in(url);
    assert_eq!(login.json["expires_in"], 7);
    let token = login.member("access_token");
    let call = |token: &str| run(&format!("curl {url}/demo/hello -H 'Authorization: Bearer {token}'"));
    assert_eq!(call(&token).member("hello"), "bshaffer");
    assert_eq!(call("x").status, 401);
    assert_eq!(post(url, "revoke", &format!("token={token}")).status, 200);
    assert_eq!(call(&token).status, 401);
}
