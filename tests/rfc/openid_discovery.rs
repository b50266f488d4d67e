//! OpenID Connect Discovery §3 and §4: the document, and whether the server does what it says.

use std::collections::BTreeSet;

use regrant_protocol::{GrantType, Profile};
use regrant_store::IdTokenAlgorithm;
use regrant_tests::{Answer, Setup, TestClient, TestServer, unverified_claims};
use serde_json::Value;

const CALLBACK: &str = "https://app.example/cb";
const PATH: &str = "/.well-known/openid-configuration";
const OAUTH_PATH: &str = "/.well-known/oauth-authorization-server";

async fn openid_client<'a>(server: &'a TestServer) -> TestClient<'a> {
    let builder = server.confidential("TestClient").openid().redirect_uris(&[CALLBACK]);
    builder.set(|settings| settings.grant_types.sort_unstable()).register().await
}

fn list<'a>(metadata: &'a Value, member: &str) -> Vec<&'a str> {
    let list = metadata[member].as_array().unwrap_or_else(|| panic!("no {member} in {metadata}"));
    list.iter().map(|value| value.as_str().expect("its entries are texts")).collect()
}

/// What every member of the document is checked by: one that is added is checked by nobody yet, and fails here.
#[tokio::test]
async fn openid_discovery_section_3_the_document_has_these_members() {
    let server = TestServer::start().await;
    openid_client(&server).await;
    let metadata = server.get(PATH).send().await.assert_ok();
    let members: BTreeSet<_> = metadata.json.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = BTreeSet::from([
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "userinfo_endpoint",
        "jwks_uri",
        "end_session_endpoint",
        "revocation_endpoint",
        "introspection_endpoint",
        "scopes_supported",
        "response_types_supported",
        "response_modes_supported",
        "grant_types_supported",
        "acr_values_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
        "token_endpoint_auth_methods_supported",
        "revocation_endpoint_auth_methods_supported",
        "introspection_endpoint_auth_methods_supported",
        "claims_supported",
        "prompt_values_supported",
        "code_challenge_methods_supported",
        "claims_parameter_supported",
        "request_parameter_supported",
        "request_uri_parameter_supported",
        "authorization_response_iss_parameter_supported",
    ]);
    assert_eq!(members, expected);
}

/// C-067: after the path of the issuer here, before it in RFC 8414 §3.1.
#[tokio::test]
async fn openid_discovery_section_4_it_is_the_document_of_rfc8414_at_a_second_path() {
    for (issuer, path, oauth_path) in [
        ("https://id.example", PATH.to_owned(), OAUTH_PATH.to_owned()),
        ("https://id.example/t1", format!("/t1{PATH}"), format!("{OAUTH_PATH}/t1")),
        ("https://id.example/a/b", format!("/a/b{PATH}"), format!("{OAUTH_PATH}/a/b")),
    ] {
        let server = TestServer::start_with(Setup { issuer, ..Setup::default() }).await;
        openid_client(&server).await;
        let metadata = server.get(&path).send().await.assert_ok();
        assert_eq!(metadata.header("content-type"), Some("application/json"));
        assert_eq!(metadata.body, server.get(&oauth_path).send().await.assert_ok().body, "{issuer}");
        assert_eq!(metadata.member("issuer"), Some(issuer));
        for (member, value) in metadata.json.as_object().unwrap() {
            let is_a_place = member.ends_with("_endpoint") || member == "jwks_uri";
            assert!(!is_a_place || value.as_str().unwrap().starts_with(&format!("{issuer}/")), "{member}: {value}");
            assert!(!value.is_null() && value.as_array().is_none_or(|list| !list.is_empty()), "{member} is empty");
        }
        let refused = server.post(&path).send().await;
        assert_eq!((refused.status.as_u16(), refused.header("allow")), (405, Some("GET, HEAD")));
    }
}

/// C-066, C-197.
#[tokio::test]
async fn openid_discovery_section_4_3_the_issuer_is_that_of_the_tokens_whatever_the_host_is() {
    let server = TestServer::start().await;
    let app = openid_client(&server).await;
    let metadata = server.get(PATH).header("host", "evil.example").header("x-forwarded-host", "evil.example");
    let metadata = metadata.send().await.assert_ok();
    assert!(!metadata.text_of_body().contains("evil"));
    let redirect = server.user_agent().approve(&app.authorization().with("scope", "openid")).await;
    let answer = app.redeem(&redirect.code()).with("redirect_uri", CALLBACK).send().await.assert_ok();
    let issuer = metadata.member("issuer");
    assert_eq!(redirect.get("iss"), issuer);
    assert_eq!(unverified_claims(answer.member("id_token").unwrap())["iss"].as_str(), issuer);
}

/// What needs a browser is told while a client uses one, and OpenID Connect while a client may ask for `openid`.
#[tokio::test]
async fn openid_discovery_section_3_openid_is_told_while_a_client_may_use_it() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").openid().register().await;
    let told = async || {
        server.clock.advance_seconds(1);
        let metadata = server.get(PATH).send().await.assert_ok();
        ["authorization_endpoint", "userinfo_endpoint"].map(|member| metadata.json.get(member).is_some())
    };
    assert_eq!(told().await, [false, false], "nobody can log in with a browser");
    app.change_settings(|settings| settings.grant_types.push(GrantType::AuthorizationCode)).await;
    assert_eq!(told().await, [true, true]);
    let plain = regrant_protocol::Scope::parse("read").unwrap();
    app.change_settings(|settings| (settings.scope, settings.default_scope) = (plain.clone(), plain)).await;
    assert_eq!(told().await, [true, false]);
}

/// C-068.
#[tokio::test]
async fn openid_discovery_section_3_every_endpoint_that_is_told_answers() {
    let server = TestServer::start().await;
    server.engine.make_rs256_key().await.unwrap();
    let app = openid_client(&server).await;
    let metadata = server.get(PATH).send().await.assert_ok();
    let path = |member: &str| {
        let url = metadata.member(member).unwrap_or_else(|| panic!("no {member}"));
        url.strip_prefix("https://id.example").unwrap().to_owned()
    };
    let request = app.authorization().with("scope", "openid");
    let mut browser = server.user_agent();
    browser.open(&format!("{}?{}", path("authorization_endpoint"), request.query())).await.assert_login_page();
    let code = browser.obtain_code(&request).await;
    let redeem = app.post(&path("token_endpoint")).with("grant_type", "authorization_code").with("code", &code);
    let redeem = redeem.with("code_verifier", regrant_tests::VERIFIER).with("redirect_uri", CALLBACK);
    let tokens = redeem.send().await.assert_ok();
    let bearer = format!("Bearer {}", tokens.access_token());
    server.get(&path("userinfo_endpoint")).header("authorization", &bearer).send().await.assert_ok();
    let introspect = |token: &str| app.post(&path("introspection_endpoint")).with("token", token);
    introspect(&tokens.access_token()).send().await.assert_active();
    app.post(&path("revocation_endpoint")).with("token", &tokens.refresh_token()).send().await.assert_ok();
    introspect(&tokens.access_token()).send().await.assert_inactive();
    let keys = server.get(&path("jwks_uri")).send().await.assert_ok().json["keys"].as_array().unwrap().clone();
    for algorithm in list(&metadata.json, "id_token_signing_alg_values_supported") {
        assert!(keys.iter().any(|key| key["alg"] == algorithm), "no key for {algorithm}");
    }
    browser.open(&path("end_session_endpoint")).await.assert_page(200);
}

/// C-068: each value is used once and works; its neighbours are refused.
#[tokio::test]
async fn openid_discovery_section_3_what_is_told_of_the_authorization_endpoint_is_what_it_does() {
    let server = TestServer::start().await;
    let app = openid_client(&server).await;
    let metadata = server.get(PATH).send().await.assert_ok();
    let mut browser = server.user_agent();
    let request = app.authorization().with("scope", "openid");
    browser.approve(&request).await.code();
    let asked = async |browser: &mut regrant_tests::UserAgent<'_>, name: &str, value: &str| {
        let answer = browser.authorize(&request.clone().with(name, value)).await;
        let is_refused = answer.header("location").is_some_and(|location| location.contains("error="));
        !is_refused && matches!(answer.status.as_u16(), 200 | 303)
    };
    for (member, name, others) in [
        ("response_types_supported", "response_type", &["token", "id_token", "code id_token", "none"][..]),
        ("response_modes_supported", "response_mode", &["fragment", "jwt", "query.jwt", "web_message"]),
        ("prompt_values_supported", "prompt", &["create", "all"]),
        ("code_challenge_methods_supported", "code_challenge_method", &["plain", "s256", "S512"]),
        ("scopes_supported", "scope", &["admin", "address", "phone"]),
    ] {
        for told in list(&metadata.json, member) {
            assert!(asked(&mut browser, name, told).await, "{name}={told} is told and refused");
        }
        for other in others {
            assert!(!asked(&mut browser, name, other).await, "{name}={other} is not told and accepted");
        }
    }
    for (member, name) in
        [("request_parameter_supported", "request"), ("request_uri_parameter_supported", "request_uri")]
    {
        assert_eq!(metadata.json[member], false);
        assert!(!asked(&mut browser, name, "https://app.example/x").await, "{name}");
    }
    assert_eq!(metadata.json["authorization_response_iss_parameter_supported"], true);
    assert!(browser.authorize(&request).await.redirect().get("iss").is_some());
}

/// C-068: what is told of ID tokens and userinfo is in them.
#[tokio::test]
async fn openid_discovery_section_3_what_is_told_of_claims_and_signatures_is_what_clients_get() {
    let server = TestServer::start().await;
    server.engine.make_rs256_key().await.unwrap();
    server.change_profile(full_profile()).await;
    let app = openid_client(&server).await;
    let metadata = server.get(PATH).send().await.assert_ok();

    let mut algorithms = BTreeSet::new();
    let mut claims = BTreeSet::new();
    for setting in [IdTokenAlgorithm::Rs256, IdTokenAlgorithm::Es256] {
        app.change_settings(|settings| settings.id_token_algorithm = setting).await;
        let answer = tokens(&app, &server).await;
        let id_token = answer.member("id_token").unwrap();
        let header = jsonwebtoken::decode_header(id_token).unwrap();
        algorithms.insert(format!("{:?}", header.alg));
        let told = unverified_claims(id_token);
        assert!(list(&metadata.json, "acr_values_supported").contains(&told["acr"].as_str().unwrap()));
        let bearer = format!("Bearer {}", answer.access_token());
        let userinfo = server.get("/userinfo").header("authorization", &bearer).send().await.assert_ok().json;
        claims.extend([told, userinfo].iter().flat_map(|claims| claims.as_object().unwrap().keys().cloned()));
    }
    let told = |member| list(&metadata.json, member).into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(algorithms, told("id_token_signing_alg_values_supported"));
    assert_eq!(claims, told("claims_supported"));
    assert_eq!(list(&metadata.json, "acr_values_supported").len(), 1);
    assert_eq!(list(&metadata.json, "subject_types_supported"), ["public"]);

    // §5.5 of OpenID Connect Core: a claim that is asked for by name comes no more than without.
    assert_eq!(metadata.json["claims_parameter_supported"], false);
    let wanted = r#"{"id_token":{"email":{"essential":true}},"userinfo":{"phone_number":null}}"#;
    let code =
        server.user_agent().obtain_code(&app.authorization().with("scope", "openid").with("claims", wanted)).await;
    let answer = app.redeem(&code).with("redirect_uri", CALLBACK).send().await.assert_ok();
    assert!(unverified_claims(answer.member("id_token").unwrap()).get("email").is_none());
}

async fn tokens(app: &TestClient<'_>, server: &TestServer) -> Answer {
    let request = app.authorization().with("scope", "openid profile email").with("nonce", "n");
    let code = server.user_agent().obtain_code(&request).await;
    app.redeem(&code).with("redirect_uri", CALLBACK).send().await.assert_ok()
}

/// A user about whom everything is known.
fn full_profile() -> Profile {
    let mut members = serde_json::Map::new();
    for claim in Profile::PROFILE_CLAIMS.into_iter().chain(Profile::EMAIL_CLAIMS) {
        let value = match claim {
            "updated_at" => Value::from(1),
            "email_verified" => Value::from(true),
            _ => Value::from("x"),
        };
        members.insert(claim.to_owned(), value);
    }
    serde_json::from_value(Value::Object(members)).expect("a profile has these members")
}
