//! RFC 8414: what the server tells about itself.

use regrant_protocol::GrantType;
use regrant_tests::{Setup, TestServer, unverified_claims};
use serde_json::Value;

const PATH: &str = "/.well-known/oauth-authorization-server";

/// C-066, C-197.
#[tokio::test]
async fn rfc8414_section_2_the_issuer_is_the_same_everywhere_and_not_taken_from_the_host() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    for host in ["id.example", "evil.example", "evil.example:99"] {
        let spoofed = |request: regrant_tests::Request| {
            let request = request.header("host", host).header("x-forwarded-host", host);
            request.header("forwarded", &format!("host={host};proto=http")).header("x-forwarded-proto", "http")
        };
        let metadata = spoofed(server.get(PATH)).send().await.assert_ok();
        assert_eq!(metadata.member("issuer"), Some("https://id.example"));
        assert!(!metadata.text_of_body().contains("evil"));
        let token = spoofed(app.password()).send().await.access_token();
        assert_eq!(unverified_claims(&token)["iss"], "https://id.example");
        let told = spoofed(app.introspect(&token)).send().await.assert_active();
        assert_eq!(told.member("iss"), Some("https://id.example"));
    }
}

/// C-067.
#[tokio::test]
async fn rfc8414_section_3_1_the_path_of_the_issuer_comes_after_the_well_known_path() {
    let server = TestServer::start_with(Setup { issuer: "https://id.example/t1", ..Setup::default() }).await;
    let metadata = server.get(&format!("{PATH}/t1")).send().await.assert_ok();
    for (member, expected) in [
        ("issuer", "https://id.example/t1"),
        ("token_endpoint", "https://id.example/t1/token"),
        ("revocation_endpoint", "https://id.example/t1/revoke"),
        ("introspection_endpoint", "https://id.example/t1/introspect"),
        ("jwks_uri", "https://id.example/t1/jwks"),
    ] {
        assert_eq!(metadata.member(member), Some(expected));
    }
    let app = server.confidential("TestClient").register().await;
    let form = "grant_type=client_credentials";
    let secret = app.secret.clone().unwrap();
    server.post("/t1/token").basic("TestClient", &secret).form(form).send().await.assert_ok();
    assert_eq!(server.get("/t1/jwks").send().await.status, 200);
}

/// C-068: what is told is accepted, and what is not told is refused.
#[tokio::test]
async fn rfc8414_section_2_only_what_is_accepted_is_told() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").redirect_uris(&["https://app.example/cb"]).register().await;
    let public = server.public("TestApp").register().await;
    let metadata = server.get(PATH).send().await.assert_ok();

    let secret = app.secret.clone().unwrap();
    let in_body = server.post("/token").with("client_id", "TestClient").with("client_secret", &secret);
    let login = "grant_type=password&username=bshaffer&password=brent123";
    for (method, request) in [
        ("client_secret_basic", app.password()),
        ("client_secret_post", in_body.with_raw(login)),
        ("none", public.password()),
    ] {
        assert!(list(&metadata.json, "token_endpoint_auth_methods_supported").contains(&method));
        request.send().await.assert_ok();
    }
    assert_eq!(list(&metadata.json, "token_endpoint_auth_methods_supported").len(), 3);
    let token = app.log_in().await.access_token();
    for method in list(&metadata.json, "introspection_endpoint_auth_methods_supported") {
        let request = match method {
            "client_secret_basic" => app.introspect(&token),
            "client_secret_post" => {
                let request = server.post("/introspect").with("token", &token).with("client_id", "TestClient");
                request.with("client_secret", &secret)
            }
            other => panic!("{other} is told, and nobody checks it"),
        };
        request.send().await.assert_active();
    }

    let told = list(&metadata.json, "grant_types_supported");
    for grant_type in GrantType::ALL {
        let error = app.token(grant_type.as_str()).send().await;
        let is_supported = error.member("error") != Some("unsupported_grant_type");
        assert_eq!(told.contains(&grant_type.as_str()), is_supported, "{grant_type:?}");
    }
    assert_eq!(list(&metadata.json, "scopes_supported"), ["read", "write"]);
    assert_eq!(list(&metadata.json, "response_types_supported"), ["code"]);
    assert_eq!(list(&metadata.json, "response_modes_supported"), ["query", "form_post"]);
    for mode in ["query", "form_post"] {
        let request = app.authorization().with("response_mode", mode);
        server.user_agent().authorize(&request).await.assert_login_page();
    }
    for absent in ["registration_endpoint", "pushed_authorization_request_endpoint", "device_authorization_endpoint"] {
        assert!(metadata.json.get(absent).is_none(), "{absent} is told before there is one");
    }
}

/// C-068: what needs a browser is told while a client uses one.
#[tokio::test]
async fn rfc8414_section_2_the_authorization_endpoint_is_told_while_a_client_has_the_code_grant() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let members = ["authorization_endpoint", "response_types_supported", "code_challenge_methods_supported"];
    let told = async || {
        let metadata = server.get(PATH).send().await.assert_ok();
        members.map(|member| metadata.json.get(member).is_some())
    };
    assert_eq!(told().await, [false; 3]);
    app.change_settings(|settings| settings.grant_types.push(GrantType::AuthorizationCode)).await;
    server.clock.advance_seconds(1);
    assert_eq!(told().await, [true; 3]);
}

/// C-068: the password grant is told only while a client has it.
#[tokio::test]
async fn rfc8414_section_2_the_password_grant_is_told_while_a_client_has_it() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").grant_types(&[GrantType::RefreshToken]).register().await;
    for (grant_types, is_told) in [
        (vec![GrantType::RefreshToken], false),
        (vec![GrantType::RefreshToken, GrantType::Password], true),
        (vec![GrantType::RefreshToken], false),
    ] {
        app.change_settings(|settings| settings.grant_types = grant_types).await;
        server.clock.advance_seconds(1);
        let metadata = server.get(PATH).send().await.assert_ok();
        assert_eq!(list(&metadata.json, "grant_types_supported").contains(&"password"), is_told);
    }
}

/// C-069.
#[tokio::test]
async fn rfc8414_section_3_2_the_metadata_is_json_without_empty_lists() {
    let server = TestServer::start().await;
    let check = async || {
        let metadata = server.get(PATH).send().await.assert_ok();
        assert_eq!(metadata.header("content-type"), Some("application/json"));
        for (member, value) in metadata.json.as_object().unwrap() {
            assert!(!value.is_null() && value.as_array().is_none_or(|list| !list.is_empty()), "{member} is empty");
        }
    };
    check().await;
    server.confidential("TestClient").scope("").register().await;
    server.clock.advance_seconds(1);
    check().await;
    let answer = server.post(PATH).send().await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, Some("GET, HEAD")));
}

fn list<'a>(metadata: &'a Value, member: &str) -> Vec<&'a str> {
    let list = metadata[member].as_array().unwrap_or_else(|| panic!("no {member} in {metadata}"));
    list.iter().map(|value| value.as_str().expect("its entries are texts")).collect()
}
