use std::collections::BTreeMap;

use regrant_http::dialect::DialectPathError;
use regrant_http::{Dialect, Dialects};

use crate::FORM;
use crate::server::Server;

#[tokio::test]
async fn a_path_can_have_a_dialect_of_its_own() {
    let at =
        [("/oauth2/token", "wso2"), ("/old/revoke", "dotauth"), ("/token/revoke", "dotauth"), ("/account", "wso2")];
    let at: BTreeMap<_, _> =
        at.into_iter().map(|(path, name)| (path.to_owned(), Dialect::named(name).unwrap())).collect();
    let server = Server::start_speaking(Dialects { default: Dialect::bshaffer(), at }).await;
    for (path, expected) in [
        ("/token", "The grant type was not specified in the request"),
        ("/api/oauth2/token", "The grant type was not specified in the request"),
        ("/oauth2/token", "Missing grant_type parameter value"),
        ("/old/revoke", "The parameter grant_type is missing"),
        ("/token/revoke", "The parameter token is missing"),
        ("/revoke", "Missing token parameter to revoke"),
    ] {
        let answer = server.send("POST", path, &[FORM], "").await;
        assert!(answer.body.contains(expected), "{path}: {}", answer.body);
    }
    assert_eq!(server.send("GET", "/account", &[], "").await.status, 200, "the page stays where it is");
}

#[test]
fn a_dialect_is_spoken_only_where_nothing_else_is() {
    let dialects = Dialects { default: Dialect::wso2(), at: BTreeMap::new() };
    for (path, expected) in [
        ("/oauth2/token", Ok(())),
        ("/v1/token.php", Ok(())),
        ("token", Err(DialectPathError::NoPath)),
        ("/", Err(DialectPathError::NoPath)),
        ("/{path}", Err(DialectPathError::NoPath)),
        ("/token?x", Err(DialectPathError::NoPath)),
        ("/account/end", Err(DialectPathError::Taken)),
        ("/authorize", Err(DialectPathError::Taken)),
        ("/oauth2/userinfo", Err(DialectPathError::Taken)),
        ("/.well-known/x", Err(DialectPathError::Taken)),
    ] {
        assert_eq!(dialects.check_path(path), expected, "{path}");
    }
}

#[tokio::test]
async fn the_other_endpoints_are_where_the_system_has_them() {
    for (name, paths) in [
        ("bshaffer", &["/authorize.php"][..]),
        (
            "wso2",
            &[
                "/oauth2/authorize",
                "/oauth2/jwks",
                "/oauth2/userinfo",
                "/oauth2/token/.well-known/openid-configuration",
            ],
        ),
        ("dotauth", &["/authorization", "/userinfo", "/jwks", "/.well-known/openid-configuration"]),
        ("jiko", &["/api/oauth2/authorize", "/api/v1/user", "/.well-known/jwks.json"]),
    ] {
        let dialects = Dialects { default: Dialect::named(name).unwrap(), at: BTreeMap::new() };
        let server = Server::start_speaking(dialects).await;
        for path in paths {
            let answer = server.send("GET", path, &[], "").await;
            assert!(matches!(answer.status.as_u16(), 200 | 400 | 401), "{name} {path}: {}", answer.status);
        }
    }
}
