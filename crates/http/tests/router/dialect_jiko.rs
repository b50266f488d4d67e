use regrant_http::Dialect;

use crate::FORM;
use crate::dialect::{Case, SHOP, check, log_in, speaking, without_tokens};
use crate::flow::code_of_app;
use crate::server::VERIFIER;

const NO_CLIENT: &str = "401 content-type=application/json cache-control=no-store pragma=no-cache \
    www-authenticate=Basic realm=\"regrant\", charset=\"UTF-8\" {\"error\":\"invalid_client\",\"error_description\":\
    \"no client credentials: send them in the Authorization header (Basic), or client_id in the body\"}";

const UNKNOWN: &str = "400 content-type=application/json cache-control=no-store pragma=no-cache \
    {\"error\":\"invalid_grant\",\"error_description\":\"the refresh token is not valid for this client\"}";

#[tokio::test]
async fn a_refresh_that_names_no_client_is_served_for_a_public_client_alone() {
    let server = speaking(Dialect::jiko()).await;
    let code = code_of_app(&server).await;
    let body = format!("grant_type=authorization_code&client_id=app&code={code}&code_verifier={VERIFIER}");
    let answer = server.send("POST", "/api/oauth2/token", &[FORM], &body).await;
    let (said, first) = without_tokens(&answer);
    let head = "200 content-type=application/json cache-control=no-store pragma=no-cache {\"access_token\":\"<…>\",\
        \"refresh_token\":\"<…>\",\"expires_in\":3600";
    assert_eq!(said, format!("{head},\"id_token\":\"<…>\"}}"));

    let refresh = |token: &str| format!("grant_type=refresh_token&refresh_token={token}");
    let answer = server.send("POST", "/api/oauth2/token", &[FORM], &refresh(&first)).await;
    let (said, second) = without_tokens(&answer);
    assert_eq!(said, format!("{head}}}"));
    assert_ne!(first, second);

    let (_, confidential) = log_in(&server, SHOP, "").await;
    check(
        &server,
        &[
            // A client that has lost its secret for once keeps its token.
            Case::form(&refresh(&confidential), NO_CLIENT),
            Case::form(&refresh("x"), UNKNOWN),
            Case::form("grant_type=password&username=a&password=b", NO_CLIENT),
            Case::form(
                "grant_type=refresh_token&client_id=shop&refresh_token=x",
                "401 content-type=application/json cache-control=no-store pragma=no-cache \
                 www-authenticate=Basic realm=\"regrant\", charset=\"UTF-8\" {\"error\":\"invalid_client\",\"error_description\":\
                 \"client authentication failed: unknown client, wrong secret, or a method that is not registered for it\"}",
            ),
        ],
    )
    .await;
}
