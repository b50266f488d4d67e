use regrant_http::Dialect;

use crate::FORM;
use crate::dialect::{Case, OTHER, RAW_BASIC, SHOP, check, log_in, speaking, without_tokens};

/// What every error has.
macro_rules! bad {
    ($body:literal) => {
        concat!("400 content-type=application/json cache-control=no-store ", $body)
    };
}

const INVALID: &str = bad!(r#"{"error":"invalid_grant","error_description":"Invalid refresh token"}"#);
const NO_GRANT_TYPE: &str =
    bad!(r#"{"error":"invalid_request","error_description":"The grant type was not specified in the request"}"#);
const NO_REFRESH_TOKEN: &str =
    bad!(r#"{"error":"invalid_request","error_description":"Missing parameter: \"refresh_token\" is required"}"#);
const WRONG_SECRET: &str =
    bad!(r#"{"error":"invalid_client","error_description":"The client credentials are invalid"}"#);
const NO_SECRET: &str = bad!(
    r#"{"error":"invalid_client","error_description":"This client is invalid or must authenticate using a client secret"}"#
);

const SECRET_REQUIRED: &str =
    bad!(r#"{"error":"invalid_client","error_description":"client credentials are required"}"#);
const SCOPE_OF_REQUEST: &str =
    bad!(r#"{"error":"invalid_scope","error_description":"The scope requested is invalid for this request"}"#);
const SCOPE_OF_CLIENT: &str =
    bad!(r#"{"error":"invalid_scope","error_description":"The scope requested is invalid for this client"}"#);
const UNKNOWN_SCOPE: &str =
    bad!(r#"{"error":"invalid_scope","error_description":"An unsupported scope was requested"}"#);

#[tokio::test]
async fn a_success_has_the_members_of_the_library() {
    let server = speaking(Dialect::bshaffer()).await;
    for (client, scope, expected) in
        [(SHOP, "", "\"scope\":null"), (SHOP, "&scope=write+read", "\"scope\":\"write read\"")]
    {
        let (said, refresh_token) = log_in(&server, client, scope).await;
        let expected = format!(
            "200 content-type=application/json cache-control=no-store pragma=no-cache \
             {{\"access_token\":\"<…>\",\"expires_in\":3600,\"token_type\":\"Bearer\",{expected},\"refresh_token\":\"<…>\"}}"
        );
        assert_eq!(said, expected);
        let body = format!("grant_type=refresh_token&refresh_token={refresh_token}");
        let answer = server.send("POST", "/token.php", &[FORM, RAW_BASIC], &body).await;
        assert_eq!(without_tokens(&answer).0, expected, "Basic is taken raw");
    }
}

#[tokio::test]
async fn every_fault_is_told_in_the_words_and_the_order_of_the_library() {
    let server = speaking(Dialect::bshaffer()).await;
    let (_, token) = log_in(&server, SHOP, "&scope=read").await;
    let with = |client: &str| format!("grant_type=refresh_token&refresh_token={token}&{client}");
    let (_, unscoped) = log_in(&server, SHOP, "").await;
    let without_scope = |asked: &str| format!("grant_type=refresh_token&refresh_token={unscoped}&{SHOP}&scope={asked}");
    let idle = "client_id=idle&client_secret=a%2Bb+c%3Ad-0123456789abcdef";
    let refresh = |rest: &str| format!("grant_type=refresh_token&{SHOP}{rest}");
    check(
        &server,
        &[
            Case::form("", NO_GRANT_TYPE),
            Case::form("grant_type=0", NO_GRANT_TYPE),
            Case::form(
                "grant_type=a/b%C3%A9",
                bad!(r#"{"error":"unsupported_grant_type","error_description":"Grant type \"a\/b\u00e9\" not supported"}"#),
            ),
            Case::form(
                "grant_type=refresh_token",
                bad!(
                    r#"{"error":"invalid_client","error_description":"Client credentials were not found in the headers or body"}"#
                ),
            ),
            Case::form("grant_type=refresh_token&client_id=shop&client_secret=x", WRONG_SECRET),
            Case::form("grant_type=refresh_token&client_id=nobody&client_secret=x", WRONG_SECRET),
            Case::form("grant_type=refresh_token&client_id=shop", NO_SECRET),
            Case::form("grant_type=refresh_token&client_id=nobody&client_secret=", NO_SECRET),
            Case::form(&refresh(""), NO_REFRESH_TOKEN),
            Case::form(&refresh("&refresh_token="), NO_REFRESH_TOKEN),
            Case::form(&refresh("&refresh_token=0"), NO_REFRESH_TOKEN),
            Case::form(&refresh("&refresh_token[]=x"), INVALID),
            Case::form(&refresh("&refresh_token=x"), INVALID),
            Case::form(
                &with(OTHER),
                bad!(
                    r#"{"error":"invalid_grant","error_description":"refresh_token doesn't exist or is invalid for the client"}"#
                ),
            ),
            // The token is told before the grant type.
            Case::form(&format!("grant_type=refresh_token&refresh_token=x&{idle}"), INVALID),
            Case::form(
                &format!("grant_type=password&username=a&password=b&{idle}"),
                bad!(
                    r#"{"error":"unauthorized_client","error_description":"The grant type is unauthorized for this client_id"}"#
                ),
            ),
            Case::form(
                &with(&format!("{SHOP}&scope=read+write")),
                SCOPE_OF_REQUEST,
            ),
            // Whoever brings no secret is told so, whether there is such a client or not.
            Case::form("grant_type=client_credentials&client_id=app", SECRET_REQUIRED),
            Case::form("grant_type=client_credentials&client_id=idle", SECRET_REQUIRED),
            Case::form("grant_type=client_credentials&client_id=nobody", SECRET_REQUIRED),
            Case::form(&format!("grant_type=client_credentials&scope=x&{idle}"), UNKNOWN_SCOPE),
            Case::form(&without_scope("foo"), SCOPE_OF_CLIENT),
            // The client may have it, and the grant does not: the original gives it, by which a refresh widens what a user allowed.
            Case::form(&without_scope("read"), SCOPE_OF_REQUEST),
            Case::form(
                &format!("grant_type=password&username=alice&{SHOP}"),
                bad!(
                    r#"{"error":"invalid_request","error_description":"Missing parameters: \"username\" and \"password\" required"}"#
                ),
            ),
            Case::form(
                &format!("grant_type=password&username=alice&password=x&{SHOP}"),
                r#"401 content-type=application/json cache-control=no-store {"error":"invalid_grant","error_description":"Invalid username and password combination"}"#,
            ),
            // Of a repeated parameter the last counts, and a malformed header is none.
            Case { headers: &[FORM, ("authorization", "Basic x")], ..Case::form(&refresh("&refresh_token=y&refresh_token=x"), INVALID) },
        ],
    )
    .await;
    // No failure has consumed it.
    let answer = server.send("POST", "/token", &[FORM], &with(SHOP)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn bodies_and_methods_are_those_of_php() {
    let server = speaking(Dialect::bshaffer()).await;
    let (_, token) = log_in(&server, SHOP, "&scope=read+write").await;
    let multipart = "--b\r\nContent-Disposition: form-data; name=\"grant_type\"\r\n\r\nx\r\n--b--\r\n";
    let unknown = bad!(r#"{"error":"unsupported_grant_type","error_description":"Grant type \"x\" not supported"}"#);
    let not_post = |allow| {
        format!(
            "405 content-type=application/json cache-control=no-store allow={allow} {{\"error\":\"invalid_request\",\
             \"error_description\":\"The request method must be POST when requesting an access token\",\
             \"error_uri\":\"http:\\/\\/tools.ietf.org\\/html\\/rfc6749#section-3.2\"}}"
        )
    };
    let not_post = not_post("POST, OPTIONS");
    let post = |kind, body, said| Case { headers: kind, ..Case::form(body, said) };
    let method = |method, said| Case { method, headers: &[], ..Case::form("", said) };
    check(
        &server,
        &[
            post(&[("content-type", "application/json")], "{\"grant_type\":\"x\"}", unknown),
            post(&[("content-type", "application/json")], "{", NO_GRANT_TYPE),
            post(&[("content-type", "multipart/form-data; boundary=b")], multipart, unknown),
            post(&[("content-type", "text/plain")], "grant_type=x", NO_GRANT_TYPE),
            post(&[], "grant_type=x", NO_GRANT_TYPE),
            method("GET", &not_post),
            method("PUT", &not_post),
            method("OPTIONS", "200 allow=POST, OPTIONS "),
        ],
    )
    .await;
    let body = format!("grant_type=refresh_token&refresh_token={token}&{SHOP}");
    let answer = server.send("POST", "/token?scope=read&client_id=x&grant_type=y", &[FORM], &body).await;
    assert!(answer.body.contains("\"scope\":\"read\""), "scope may stand in the query: {}", answer.body);
}

#[tokio::test]
async fn a_revocation_is_answered_in_the_words_of_the_library_once_the_client_has_authenticated() {
    let server = speaking(Dialect::bshaffer()).await;
    let (_, token) = log_in(&server, SHOP, "").await;
    let hinted = format!("token={token}&token_type_hint=x");
    let revoke = |body, said| Case { path: "/revoke", ..Case::form(body, said) };
    let refresh = format!("grant_type=refresh_token&refresh_token={token}&{SHOP}");
    check(
        &server,
        &[
            revoke(
                &hinted,
                bad!(
                    r#"{"error":"invalid_request","error_description":"Token type hint must be either 'access_token' or 'refresh_token'"}"#
                ),
            ),
            revoke("", bad!(r#"{"error":"invalid_request","error_description":"Missing token parameter to revoke"}"#)),
            revoke(
                &format!("token={token}"),
                bad!(
                    r#"{"error":"invalid_client","error_description":"Client credentials were not found in the headers or body"}"#
                ),
            ),
            revoke(&format!("token={token}&{SHOP}"), "200 content-type=application/json {\"revoked\":true}"),
            revoke(&format!("token=x&{SHOP}"), "200 content-type=application/json {\"revoked\":true}"),
            Case::form(&refresh, INVALID),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_choice_of_the_operator_changes_what_is_said() {
    let mut dialect = Dialect::bshaffer();
    for (key, value) in [
        ("credentials_in_body", "false"),
        ("public_clients", "false"),
        ("token_type", "bearer"),
        ("expires_in", "string"),
        ("scope", "absent"),
    ] {
        dialect.set(key, value).unwrap();
    }
    let server = speaking(dialect).await;
    check(
        &server,
        &[
            Case::form(
                &format!("grant_type=refresh_token&{SHOP}"),
                bad!(
                    r#"{"error":"invalid_client","error_description":"Client credentials were not found in the headers"}"#
                ),
            ),
            Case {
                headers: &[FORM, ("authorization", "Basic YXBwOg==")],
                ..Case::form(
                    "grant_type=refresh_token",
                    bad!(r#"{"error":"invalid_client","error_description":"client credentials are required"}"#),
                )
            },
        ],
    )
    .await;
    let body = "grant_type=password&username=alice&password=wonderland&scope=read";
    let answer = server.send("POST", "/token", &[FORM, RAW_BASIC], body).await;
    assert!(
        answer.body.contains("\",\"expires_in\":\"3600\",\"token_type\":\"bearer\",\"refresh_token\":\""),
        "{}",
        answer.body
    );
}
