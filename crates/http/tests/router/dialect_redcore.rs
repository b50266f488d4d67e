use regrant_http::Dialect;

use crate::FORM;
use crate::dialect::{Case, SHOP, check, heard, speaking, without_tokens};

#[tokio::test]
async fn the_query_says_what_index_php_is() {
    let mut dialect = Dialect::redcore();
    dialect.set("time_zone", "Europe/Copenhagen").unwrap();
    let server = speaking(dialect).await;
    let body = format!("grant_type=password&username=alice&password=wonderland&{SHOP}");
    for path in [
        "/index.php?option=token&api=oauth2",
        "/index.php?api=oauth2&option=com_token",
        "/administrator/index.php?option=token&api=oauth2",
        "/token",
    ] {
        let answer = server.send("POST", path, &[FORM], &body).await;
        assert_eq!(
            without_tokens(&answer).0,
            "200 content-type=application/json cache-control=no-store pragma=no-cache {\"access_token\":\"<…>\",\
             \"expires_in\":3600,\"token_type\":\"Bearer\",\"scope\":null,\"refresh_token\":\"<…>\",\
             \"expireTimeFormatted\":\"2027-01-15 10:00:00\",\"created\":\"2027-01-15 09:00:00\"}",
            "{path}"
        );
    }
    let not_post = "405 content-type=application/json cache-control=no-store allow=POST {\"error\":\"invalid_request\",\
        \"error_description\":\"The request method must be POST when requesting an access token\",\
        \"error_uri\":\"http:\\/\\/tools.ietf.org\\/html\\/rfc6749#section-3.2\"}";
    let at = |method, said| Case { method, path: "/index.php?option=token&api=oauth2", ..Case::form("", said) };
    check(&server, &[at("GET", not_post), at("OPTIONS", not_post)]).await;
    for (path, expected) in [
        ("/index.php?option=authorize&api=oauth2&response_type=code&client_id=nobody", "nobody"),
        ("/index.php?option=content", "no such endpoint"),
        ("/index.php", "no such endpoint"),
    ] {
        let answer = server.send("GET", path, &[], "").await;
        assert!(answer.body.contains(expected), "{path}: {}", heard(&answer));
    }
}

#[tokio::test]
async fn the_resource_says_whose_access_token_it_is() {
    let server = speaking(Dialect::redcore()).await;
    let body = format!("grant_type=password&username=alice&password=wonderland&{SHOP}");
    let given = server.send("POST", "/token", &[FORM], &body).await.body;
    let token = given.split('"').nth(3).unwrap();
    for (authorization, expected) in [
        (None, "401 content-type=application/json www-authenticate=Bearer realm=\"Service\" []"),
        (
            Some("Bearer x".to_owned()),
            "401 content-type=application/json cache-control=no-store www-authenticate=Bearer realm=\"Service\", \
             error=\"invalid_token\", error_description=\"The access token provided is invalid\" \
             {\"error\":\"invalid_token\",\"error_description\":\"The access token provided is invalid\"}",
        ),
        (
            Some(format!("bearer {token}")),
            "200 content-type=application/json; charset=UTF-8 {\"success\":true,\"user_id\":\"",
        ),
    ] {
        let headers: Vec<_> = authorization.iter().map(|value| ("authorization", value.as_str())).collect();
        let answer = server.send("GET", "/index.php?option=resource&api=oauth2", &headers, "").await;
        let said = heard(&answer);
        assert!(said.starts_with(expected), "{said}");
        assert!(
            said.ends_with("]")
                || said.ends_with("invalid\"}")
                || said.ends_with("\"message\":\"You have successfully accessed this API!\"}"),
            "{said}"
        );
    }
}
