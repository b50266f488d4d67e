use regrant_http::Dialect;

use crate::FORM;
use crate::dialect::{OTHER, RAW_BASIC, SHOP, heard, log_in, speaking};
use crate::flow::code_of_app;
use crate::server::{ORIGIN, Server, VERIFIER};

const JSON: (&str, &str) = ("content-type", "application/json");
const MULTIPART: (&str, &str) = ("content-type", "multipart/form-data; boundary=b");

async fn said(server: &Server, path: &str, header: (&str, &str), body: &str) -> String {
    heard(&server.send("POST", path, &[header], body).await)
}

#[tokio::test]
async fn of_two_options_the_last_counts_and_no_other_spelling_is_an_endpoint() {
    let server = speaking(Dialect::redcore()).await;
    let told = "The grant type was not specified in the request";
    for (path, status, is_token_endpoint) in [
        ("/index.php?option=authorize&api=oauth2&option=token", 400, true),
        ("/index.php?%6Fption=token&%61pi=oauth2", 400, true),
        ("/index.php?option=token&api=oauth2&option=authorize", 405, false),
        ("/index.php?option=token&api=oauth2&api=hal", 404, false),
        ("/index.php?option[]=token&api=oauth2", 404, false),
        ("/index.php?option=token%00&api=oauth2", 404, false),
        ("/index.php?option=com_com_token&api=oauth2", 404, false),
        ("/index.php/?option=token&api=oauth2", 404, false),
        ("/INDEX.PHP?option=token&api=oauth2", 404, false),
        ("/index%2Ephp?option=token&api=oauth2", 404, false),
        ("//index.php?option=token&api=oauth2", 404, false),
        ("/Token", 404, false),
        ("/token/", 404, false),
    ] {
        let answer = server.send("POST", path, &[FORM], "").await;
        assert_eq!(answer.status, status, "{path}: {}", heard(&answer));
        assert_eq!(answer.body.contains(told), is_token_endpoint, "{path}: {}", heard(&answer));
    }
    let long = format!("/index.php?option=token&api=oauth2&x={}", "x".repeat(9000));
    assert_eq!(server.send("POST", &long, &[FORM], "").await.status, 404);
    // What the page is asked for in its body is not what it is.
    let answer = server.send("POST", "/index.php", &[FORM], "option=token&api=oauth2").await;
    assert_eq!(answer.status, 404);
}

#[tokio::test]
async fn a_tenant_has_one_spelling() {
    let mut dialect = Dialect::wso2();
    dialect.set("tenant", "carbon.super").unwrap();
    let server = speaking(dialect).await;
    for (path, status) in [
        ("/t/carbon.super/oauth2/token", 400),
        ("/t/carbon.super%2Foauth2%2Ftoken", 404),
        ("/t/carbon.super%2Foauth2/token", 404),
        ("/t/carbon%2Esuper/oauth2/token", 404),
        ("/t/CARBON.SUPER/oauth2/token", 404),
        ("/t/other/oauth2/token", 404),
        ("/t/other/../carbon.super/oauth2/token", 404),
        ("/t//oauth2/token", 404),
    ] {
        let answer = server.send("POST", path, &[FORM], "").await;
        assert_eq!(answer.status, status, "{path}: {}", heard(&answer));
    }
}

#[tokio::test]
async fn a_method_is_what_the_request_line_says() {
    for name in Dialect::NAMES {
        let server = speaking(Dialect::named(name).unwrap()).await;
        let path = "/token?_method=POST";
        let body = format!("grant_type=password&username=alice&password=wonderland&scope=read&{SHOP}");
        for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "post"] {
            let headers = [FORM, ("x-http-method-override", "POST"), ("x-method-override", "POST")];
            let answer = server.send(method, path, &headers, &body).await;
            assert_eq!(answer.status, 405, "{name} {method}: {}", heard(&answer));
        }
    }
}

#[tokio::test]
async fn a_json_body_is_read_in_one_way_or_not_at_all() {
    let server = speaking(Dialect::bshaffer()).await;
    let (_, token) = log_in(&server, SHOP, "&scope=read").await;
    let client = "\"client_id\":\"shop\",\"client_secret\":\"a+b c:d-0123456789abcdef\"";
    let no_grant_type = "The grant type was not specified in the request";
    let deep = format!("{{\"grant_type\":{}{}}}", "[".repeat(7000), "]".repeat(7000));
    for (body, told) in [
        ("{\"grant_type\":null}".to_owned(), no_grant_type),
        ("{\"grant_type\":false}".to_owned(), no_grant_type),
        ("{\"grant_type\":0}".to_owned(), no_grant_type),
        ("{\"grant_type\":{}}".to_owned(), "Grant type \\\"Array\\\" not supported"),
        ("{\"grant_type\":12}".to_owned(), "Grant type \\\"12\\\" not supported"),
        ("[{\"grant_type\":\"x\"}]".to_owned(), no_grant_type),
        (deep, no_grant_type),
        (
            "{\"grant_type\":\"refresh_token\",\"client_id\":[\"shop\"],\"client_secret\":{}}".to_owned(),
            "Client credentials were not found in the headers or body",
        ),
        (
            "{\"grant_type\":\"refresh_token\",\"client_id\":\"shop\",\"client_secret\":\"x\",\"client_secret\":[1]}"
                .to_owned(),
            "This client is invalid or must authenticate using a client secret",
        ),
        (
            format!("{{\"grant_type\":\"refresh_token\",{client},\"refresh_token\":[\"{token}\"]}}"),
            "Invalid refresh token",
        ),
        (
            format!("{{\"grant_type\":\"refresh_token\",{client},\"refresh_token[]\":\"{token}\"}}"),
            "Invalid refresh token",
        ),
        (
            format!("{{\"grant_type\":\"password\",{client},\"username\":[\"alice\"],\"password\":\"wonderland\"}}"),
            "Missing parameters",
        ),
        (format!("{{\"grant_type\":\"refresh_token\",{client},\"refresh_token\":\"{token}\"}}"), "\"scope\":\"read\""),
    ] {
        let said = said(&server, "/token", JSON, &body).await;
        assert!(said.contains(told), "{:.200}: {said}", body);
    }
    let many = format!("{{{}\"b\":1}}", "\"a\":1,".repeat(64));
    assert!(said(&server, "/token", JSON, &many).await.starts_with("400 "));
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(16 * 1024));
    assert!(said(&server, "/token", JSON, &large).await.starts_with("413 "));

    // Where a parameter may come once only, that holds of a member too.
    let server = speaking(Dialect::wso2()).await;
    let twice = said(&server, "/token", JSON, "{\"grant_type\":\"x\",\"grant_type\":\"refresh_token\"}").await;
    assert!(twice.contains("Invalid request with repeated parameters."), "{twice}");
}

/// Apache's `UrlEncodedFormEntity` names ISO-8859-1 unless it is told otherwise, and none of the five systems looks at it.
#[tokio::test]
async fn a_form_may_name_another_charset_in_a_stand_in_and_is_utf8_all_the_same() {
    const LATIN: (&str, &str) = ("content-type", "application/x-www-form-urlencoded; charset=ISO-8859-1");
    for (name, path) in [
        ("bshaffer", "/token"),
        ("redcore", "/index.php?option=token&api=oauth2"),
        ("wso2", "/oauth2/token"),
        ("dotauth", "/token"),
        ("jiko", "/api/oauth2/token"),
    ] {
        let server = speaking(Dialect::named(name).unwrap()).await;
        let plain = said(&server, path, FORM, "grant_type=x").await;
        assert_eq!(said(&server, path, LATIN, "grant_type=x").await, plain, "{name}");
        assert!(said(&server, path, LATIN, "grant_type=%E9").await.starts_with("400 "), "{name}");
    }
    let server = speaking(Dialect::standard()).await;
    assert!(said(&server, "/oauth2/token", LATIN, "grant_type=x").await.starts_with("415 "));
}

#[tokio::test]
async fn a_multipart_body_is_bounded_as_a_form_is() {
    let server = speaking(Dialect::bshaffer()).await;
    let field =
        |name: &str, value: &str| format!("--b\r\nContent-Disposition: form-data; name={name}\r\n\r\n{value}\r\n");
    let whole = |parts: String| format!("{parts}--b--\r\n");
    for (body, expected) in [
        (
            whole(field("grant_type", "x")),
            "400 content-type=application/json cache-control=no-store {\"error\":\"unsupported",
        ),
        (whole(field("a", "1").repeat(65)), "400 "),
        (whole("--b\r\n\r\n".repeat(1800)), "400 "),
        (whole(field("a", &"x".repeat(16 * 1024))), "413 "),
        (whole(field("a", &"x".repeat(9 * 1024))), "400 "),
    ] {
        let said = said(&server, "/token", MULTIPART, &body).await;
        assert!(said.starts_with(expected), "{:.100}: {said}", body);
    }
}

#[tokio::test]
async fn scripts_of_registered_origins_alone_read_the_token_endpoint_wherever_it_is() {
    for (name, readable, others) in [
        ("bshaffer", &["/token.php", "/revoke.php"][..], &["/authorize.php", "/introspect"][..]),
        (
            "redcore",
            &["/index.php?option=token&api=oauth2", "/administrator/index.php?option=com_token&api=oauth2"],
            &[
                "/index.php?option=authorize&api=oauth2",
                "/index.php?option=token&api=oauth2&option=authorize",
                "/index.php",
            ],
        ),
        ("wso2", &["/oauth2/token", "/oauth2/revoke"], &["/oauth2/authorize", "/oauth2/introspect"]),
        ("dotauth", &["/token", "/token/revoke"], &["/authorization", "/introspect"]),
        ("jiko", &["/api/oauth2/token"], &["/api/oauth2/authorize"]),
    ] {
        let server = speaking(Dialect::named(name).unwrap()).await;
        let from = |origin| [FORM, ("origin", origin), ("access-control-request-method", "POST")];
        for (paths, origin, allowed) in [
            (readable, ORIGIN, Some(ORIGIN)),
            (readable, "https://evil.example", None),
            (readable, "null", None),
            (others, ORIGIN, None),
        ] {
            for path in paths {
                for method in ["OPTIONS", "POST"] {
                    let answer = server.send(method, path, &from(origin), "").await;
                    let found = answer.header("access-control-allow-origin");
                    assert_eq!(found, allowed, "{name} {method} {path} from {origin}");
                    assert_eq!(answer.header("access-control-allow-credentials"), None, "{name} {method} {path}");
                }
            }
        }
    }
}

#[tokio::test]
async fn rfc7009_section_2_1_and_rfc7662_section_2_1_no_dialect_tells_or_ends_a_token_for_who_does_not_authenticate() {
    for name in Dialect::NAMES {
        let server = speaking(Dialect::named(name).unwrap()).await;
        let (_, token) = log_in(&server, SHOP, "&scope=read").await;
        let about = format!("token={token}");
        for path in ["/revoke", "/introspect", "/token/revoke", "/oauth2/introspect", "/revoke.php"] {
            for client in ["", "&client_id=shop", "&client_id=shop&client_secret=x", "&client_id=nobody"] {
                let answer = server.send("POST", path, &[FORM], &format!("{about}{client}")).await;
                assert!(
                    matches!(answer.status.as_u16(), 400 | 401 | 404),
                    "{name} {path} {client}: {}",
                    heard(&answer)
                );
            }
        }
        // A public client names itself alone, and asks for itself alone.
        let answer = server.send("POST", "/introspect", &[FORM], &format!("{about}&client_id=app")).await;
        assert!(matches!(answer.status.as_u16(), 400 | 401), "{name}: {}", heard(&answer));
        for client in ["&client_id=app", &format!("&{OTHER}")] {
            server.send("POST", "/revoke", &[FORM], &format!("{about}{client}")).await;
        }
        let body = format!("grant_type=refresh_token&refresh_token={token}&{SHOP}");
        let answer = server.send("POST", "/token", &[FORM], &body).await;
        assert_eq!(answer.status, 200, "{name}: the token is as good as before: {}", answer.body);
    }
}

#[tokio::test]
async fn no_dialect_tells_a_stranger_which_users_there_are_and_which_strings_are_tokens() {
    for name in Dialect::NAMES {
        let server = speaking(Dialect::named(name).unwrap()).await;
        let log_in_as = |user: &str| format!("grant_type=password&username={user}&password=x&scope=read&{SHOP}");
        let known = said(&server, "/token", FORM, &log_in_as("alice")).await.replace("alice", "…");
        let unknown = said(&server, "/token", FORM, &log_in_as("nobody")).await.replace("nobody", "…");
        assert_eq!(known, unknown, "{name}");

        let (_, token) = log_in(&server, SHOP, "&scope=read").await;
        let refresh = |token: &str, client: &str| format!("grant_type=refresh_token&refresh_token={token}{client}");
        for client in ["", "&client_id=nobody&client_secret=x", "&client_id=shop", "&client_id=shop&client_secret=x"] {
            let known = said(&server, "/token", FORM, &refresh(&token, client)).await;
            // Whoever has the token of a client with a secret may learn that it needs one: the client may have lost it for once.
            if client.is_empty() && matches!(name, "dotauth" | "jiko") {
                assert!(known.contains("invalid_client"), "{name}: {known}");
                continue;
            }
            assert_eq!(known, said(&server, "/token", FORM, &refresh("x", client)).await, "{name} {client}");
            assert!(known.starts_with("40"), "{name} {client}: {known}");
        }
        // The library tells another client that a token is not its own. Whoever has 256 random bits knows that they are a token.
        if !matches!(name, "bshaffer" | "redcore") {
            let other = format!("&{OTHER}");
            let known = said(&server, "/token", FORM, &refresh(&token, &other)).await;
            assert_eq!(known, said(&server, "/token", FORM, &refresh("x", &other)).await, "{name}");
        }
    }
}

#[tokio::test]
async fn a_client_that_is_not_named_is_served_only_where_public_clients_are() {
    let mut dialect = Dialect::jiko();
    let server = speaking(dialect.clone()).await;
    dialect.set("public_clients", "false").unwrap();
    let closed = speaking(dialect).await;
    for (server, status) in [(server, 200), (closed, 401)] {
        let code = code_of_app(&server).await;
        let body = format!("grant_type=authorization_code&client_id=app&code={code}&code_verifier={VERIFIER}");
        let given = server.send("POST", "/token", &[FORM], &body).await;
        assert_eq!(given.status, status, "{}", given.body);
        let given: serde_json::Value = serde_json::from_str(&given.body).unwrap();
        let token = given["refresh_token"].as_str().unwrap_or("x");
        let body = format!("grant_type=refresh_token&refresh_token={token}");
        let answer = server.send("POST", "/token", &[FORM], &body).await;
        assert_eq!(answer.status, status, "{}", answer.body);
    }
}

#[tokio::test]
async fn an_array_of_php_is_no_credential() {
    let server = speaking(Dialect::bshaffer()).await;
    let (_, token) = log_in(&server, SHOP, "&scope=read").await;
    let refresh = format!("grant_type=refresh_token&refresh_token={token}");
    for (body, told) in [
        (format!("{refresh}&client_id[]=shop&client_secret=x"), "Client credentials were not found"),
        (format!("{refresh}&{SHOP}&client_secret[]=x"), "must authenticate using a client secret"),
        (format!("{refresh}&client_id=shop&client_secret[a][b]=x"), "must authenticate using a client secret"),
        (format!("{refresh}&{SHOP}&refresh_token[]=x"), "Invalid refresh token"),
        (format!("{refresh}&{SHOP}&grant_type[]=x"), "Grant type \\\"Array\\\" not supported"),
    ] {
        let said = said(&server, "/token", FORM, &body).await;
        assert!(said.contains(told), "{body}: {said}");
    }
    let answer = server.send("POST", "/token", &[FORM, RAW_BASIC], &refresh).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}
