use regrant_http::Dialect;

use crate::FORM;
use crate::dialect::{Case, OTHER, RAW_BASIC, SHOP, check, log_in, speaking, without_tokens};

macro_rules! bad {
    ($body:literal) => {
        concat!("400 content-type=application/json ", $body)
    };
}

macro_rules! unauthorized {
    ($body:literal) => {
        concat!("401 content-type=application/json www-authenticate=Basic realm=id.example ", $body)
    };
}

const NO_ROW: &str = bad!(r#"{"error_description":"Persisted access token data not found","error":"invalid_grant"}"#);
const WRONG_SECRET: &str =
    unauthorized!(r#"{"error_description":"Client credentials are invalid.","error":"invalid_client"}"#);
const NO_REFRESH_TOKEN: &str =
    bad!(r#"{"error_description":"Missing parameters: refresh_token","error":"invalid_request"}"#);

#[tokio::test]
async fn a_success_is_in_the_order_of_a_hash_map() {
    let mut dialect = Dialect::wso2();
    dialect.set("tenant", "carbon.super").unwrap();
    let server = speaking(dialect).await;
    let expected = |id_token| {
        format!(
            "200 content-type=application/json cache-control=no-store pragma=no-cache {{\"access_token\":\"<…>\",\
             \"refresh_token\":\"<…>\",\"scope\":\"openid read\",{id_token}\"token_type\":\"Bearer\",\"expires_in\":3600}}"
        )
    };
    let (said, refresh_token) = log_in(&server, SHOP, "&scope=openid+read").await;
    assert_eq!(said, expected(""));
    let body = format!("grant_type=refresh_token&refresh_token={refresh_token}&scope=openid+read");
    let answer = server.send("POST", "/t/carbon.super/oauth2/token", &[FORM, RAW_BASIC], &body).await;
    assert_eq!(without_tokens(&answer).0, expected("\"id_token\":\"<…>\","));
    let (said, _) = log_in(&server, SHOP, "").await;
    assert!(!said.contains("scope"), "what is absent is left out: {said}");
}

#[tokio::test]
async fn every_fault_is_told_in_the_words_and_the_order_of_the_server() {
    let server = speaking(Dialect::wso2()).await;
    let (_, token) = log_in(&server, SHOP, "&scope=read").await;
    let with = |client: &str| format!("grant_type=refresh_token&refresh_token={token}&{client}");
    let idle = "client_id=idle&client_secret=a%2Bb+c%3Ad-0123456789abcdef";
    let at = |path, body, said| Case { path, ..Case::form(body, said) };
    check(
        &server,
        &[
            Case::form("", bad!(r#"{"error_description":"Missing grant_type parameter value","error":"invalid_request"}"#)),
            Case::form(
                "grant_type=x",
                bad!(r#"{"error_description":"Unsupported grant_type value","error":"invalid_request"}"#),
            ),
            // Told before the client is looked at.
            Case::form("grant_type=refresh_token&client_id=shop&client_secret=x", NO_REFRESH_TOKEN),
            Case::form("grant_type=refresh_token&refresh_token=x&client_id=shop&client_secret=x", WRONG_SECRET),
            Case::form(
                "grant_type=refresh_token&refresh_token=x",
                unauthorized!(r#"{"error_description":"Client ID not found in the request.","error":"invalid_client"}"#),
            ),
            Case::form(
                "grant_type=refresh_token&refresh_token=x&client_id=shop",
                unauthorized!(
                    r#"{"error_description":"Unsupported Client Authentication Method!","error":"invalid_client"}"#
                ),
            ),
            Case {
                headers: &[FORM, RAW_BASIC],
                ..Case::form(
                    &with(SHOP),
                    bad!(
                        r#"{"error_description":"The client MUST NOT use more than one authentication method in each","error":"invalid_request"}"#
                    ),
                )
            },
            Case::form(&format!("grant_type=refresh_token&refresh_token=x&{SHOP}"), NO_ROW),
            Case::form(&with(OTHER), NO_ROW),
            Case::form(
                &with(&format!("{SHOP}&scope=write")),
                bad!(r#"{"error_description":"Invalid Scope!","error":"invalid_scope"}"#),
            ),
            Case::form(
                &with(idle),
                bad!(
                    r#"{"error_description":"The authenticated client is not authorized to use this authorization grant type","error":"unauthorized_client"}"#
                ),
            ),
            Case::form(
                &format!("grant_type=password&username=alice&password=x&{SHOP}"),
                bad!(r#"{"error_description":"Authentication failed for alice","error":"invalid_grant"}"#),
            ),
            Case::form(
                "grant_type=x&grant_type=y",
                bad!(r#"{"error_description":"Invalid request with repeated parameters.","error":"invalid_request"}"#),
            ),
            at(
                "/oauth2/token?client_secret=x",
                &with(SHOP),
                bad!(r#"{"error_description":"Invalid request with sensitive data in the URL.","error":"invalid_request"}"#),
            ),
            Case { method: "GET", headers: &[], ..at("/oauth2/token", "", "405 allow=POST ") },
            at("/oauth2/revoke", SHOP, bad!(r#"{"error_description":"Invalid revocation request","error":"invalid_request"}"#)),
            at(
                "/oauth2/revoke",
                &format!("token=x&{SHOP}"),
                "200 content-type=application/json cache-control=no-store pragma=no-cache ",
            ),
            at("/oauth2/introspect", SHOP, bad!(r#"{"error": "Invalid input"}"#)),
            at(
                "/oauth2/introspect",
                &format!("token=x&{SHOP}"),
                "200 content-type=application/json cache-control=no-store pragma=no-cache {\"active\":false}",
            ),
        ],
    )
    .await;
    let json = format!("{{\"grant_type\":\"refresh_token\",\"refresh_token\":\"{token}\"}}");
    let headers = [("content-type", "application/json"), RAW_BASIC];
    let answer = server.send("POST", "/oauth2/token", &headers, &json).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}
