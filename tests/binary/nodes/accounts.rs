use regrant_databases::Postgres;
use regrant_tests::{CHALLENGE, VERIFIER, unverified_claims};
use ureq::http::StatusCode;

use super::cluster::{CALLBACK, Cluster, post, refresh};
use crate::browser::{Browser, parameter};

#[test]
fn pages_codes_and_logins_of_one_node_are_good_at_the_others() {
    let database = Postgres::shared().database();
    let cluster = Cluster::on(&database);
    let [one, two, three] = cluster.start_three();
    let request = format!(
        "/authorize?response_type=code&client_id=app&code_challenge_method=S256&code_challenge={CHALLENGE}&scope=openid+read\
         &redirect_uri={CALLBACK}&state=s&nonce=n-0S6_WzA2Mj"
    );

    // The login page is of one node, the login is made at the second, and the third asks for consent.
    let mut browser = Browser::new(&one.url);
    let login = browser.open(&request);
    two.url.clone_into(&mut browser.url);
    let entered = [("request", login.request()), ("username", "alice"), ("password", "wonderland")];
    let to_consent = browser.submit("/login", &entered).redirect().to_owned();
    three.url.clone_into(&mut browser.url);
    let consent = browser.open(&to_consent);
    one.url.clone_into(&mut browser.url);
    let allow = [("request", consent.request()), ("decision", "allow"), ("allow_0", "openid"), ("allow_1", "read")];
    let back = browser.submit("/consent", &allow).redirect().to_owned();
    assert!(back.starts_with(CALLBACK), "{back}");

    let code = parameter(&back, "code");
    let redeem = format!("grant_type=authorization_code&code={code}&code_verifier={VERIFIER}&redirect_uri={CALLBACK}");
    let tokens = post(&two, "token", &redeem);
    assert_eq!(unverified_claims(&tokens.member("id_token"))["nonce"], "n-0S6_WzA2Mj");
    let token = refresh(&three, &tokens.refresh_token()).refresh_token();

    // Who is logged in is so everywhere, and is not asked again for what was agreed to.
    for node in [&one, &two, &three] {
        node.url.clone_into(&mut browser.url);
        assert!(browser.open("/account").body.contains("alice"), "{}", node.url);
        let back = browser.open(&format!("{request}&prompt=none")).redirect().to_owned();
        assert!(back.contains("code=rgc_"), "{back}");
    }
    // The code was redeemed before: that ends the grant, whichever node hears of it.
    post(&three, "token", &redeem).assert_invalid_grant();
    refresh(&one, &token).assert_invalid_grant();

    let log_out = format!("/logout?id_token_hint={}", tokens.member("id_token"));
    let logged_out = browser.open(&log_out);
    assert!(logged_out.status != StatusCode::BAD_REQUEST, "{}", logged_out.body);
    for node in [&one, &two] {
        node.url.clone_into(&mut browser.url);
        let back = browser.open(&format!("{request}&prompt=none")).redirect().to_owned();
        assert!(back.contains("error=login_required"), "{back}");
    }
}
