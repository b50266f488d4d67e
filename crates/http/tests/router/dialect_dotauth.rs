use regrant_http::Dialect;

use crate::FORM;
use crate::dialect::{Case, OTHER, SHOP, check, log_in, refresh, speaking};

macro_rules! bad {
    ($body:literal) => {
        concat!("400 content-type=application/json cache-control=no-store,no-cache pragma=no-cache ", $body)
    };
}

const NO_TOKEN: &str =
    bad!(r#"{"error":"invalid_grant","status":400,"detail":"The refresh token can be used only by the same issuer"}"#);
const NO_CLIENT: &str = bad!(r#"{"error":"invalid_client","status":400,"detail":"The client doesn't exist"}"#);

#[tokio::test]
async fn a_success_leaves_out_what_is_absent() {
    let server = speaking(Dialect::dotauth()).await;
    let head =
        "200 content-type=application/json cache-control=no-store,no-cache pragma=no-cache {\"access_token\":\"<…>\",";
    let rest = "\"token_type\":\"Bearer\",\"expires_in\":3600,\"refresh_token\":\"<…>\",\"scope\":\"openid read\"}";
    let (said, refresh_token) = log_in(&server, SHOP, "&scope=openid+read").await;
    assert_eq!(said, format!("{head}{rest}"));
    // At a refresh, scope is passed over.
    let said = refresh(&server, &refresh_token, &format!("{SHOP}&scope=write")).await;
    assert_eq!(said, format!("{head}\"id_token\":\"<…>\",{rest}"));
}

#[tokio::test]
async fn every_fault_is_told_in_the_words_and_the_order_of_the_server() {
    let server = speaking(Dialect::dotauth()).await;
    let (_, token) = log_in(&server, SHOP, "&scope=read").await;
    let with = |client: &str| format!("grant_type=refresh_token&refresh_token={token}&{client}");
    let revoke = |body, said| Case { path: "/token/revoke", ..Case::form(body, said) };
    check(
        &server,
        &[
            Case::form("", bad!(r#"{"error":"invalid_request","status":400,"detail":"The parameter grant_type is missing"}"#)),
            Case::form(
                "grant_type=refresh_token",
                bad!(r#"{"error":"invalid_request","status":400,"detail":"The parameter refresh_token is missing"}"#),
            ),
            Case::form("grant_type=refresh_token&refresh_token=x&client_id=nobody&client_secret=x", NO_CLIENT),
            Case::form(
                "grant_type=refresh_token&refresh_token=x&client_id=shop&client_secret=x",
                bad!(
                    r#"{"error":"invalid_client","status":400,"detail":"The client cannot be authenticated with secret basic"}"#
                ),
            ),
            Case::form(
                "grant_type=client_credentials&scope=a&client_id=idle&client_secret=x",
                bad!(
                    r#"{"error":"invalid_client","status":400,"detail":"The client cannot be authenticated with secret post"}"#
                ),
            ),
            Case::form(
                &with("client_id=idle&client_secret=a%2Bb+c%3Ad-0123456789abcdef"),
                bad!(
                    r#"{"error":"invalid_grant","status":400,"detail":"The client idle doesn't support the grant type refresh_token"}"#
                ),
            ),
            Case::form(&format!("grant_type=refresh_token&refresh_token=x&{SHOP}"), NO_TOKEN),
            Case::form(&with(OTHER), NO_TOKEN),
            Case::form(
                &format!("grant_type=password&username=alice&password=wonderland&{SHOP}"),
                bad!(r#"{"error":"invalid_request","status":400,"detail":"The parameter scope is missing"}"#),
            ),
            Case::form(
                &format!("grant_type=password&username=alice&password=x&scope=read&{SHOP}"),
                bad!(
                    r#"{"error":"invalid_credentials","status":400,"detail":"resource owner credentials are not valid"}"#
                ),
            ),
            Case::form(
                &format!("grant_type=password&username=alice&password=wonderland&scope=root&{SHOP}"),
                bad!(r#"{"error":"invalid_scope","status":400,"detail":"The scopes root are not allowed or invalid"}"#),
            ),
            // The original fails with 500 here.
            Case::form(
                "grant_type=x",
                bad!(
                    r#"{"error":"unsupported_grant_type","status":400,"detail":"grant_type 'x' is not supported here"}"#
                ),
            ),
            Case { method: "GET", headers: &[], ..Case::form("", "405 allow=POST ") },
            revoke("", bad!(r#"{"error":"invalid_request","status":400,"detail":"The parameter token is missing"}"#)),
            revoke(&format!("token=x&{SHOP}"), "200 cache-control=no-store "),
        ],
    )
    .await;
    // A token that a stranger presented is as good as before.
    let answer = server.send("POST", "/token", &[FORM], &with(SHOP)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}
