//! RFC 9068: access tokens as JWTs, read with a library that is not ours.

use std::collections::HashSet;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use regrant_crypto::random;
use regrant_protocol::{Profile, Subject, Username};
use regrant_store::{AccessTokenFormat, ChangeError, Store, User, UserStatus};
use regrant_tests::{START_SECONDS, TestClient, TestServer};
use serde_json::{Value, json};

const JWTS: [(AccessTokenFormat, Algorithm); 3] = [
    (AccessTokenFormat::JwtEs256, Algorithm::ES256),
    (AccessTokenFormat::JwtEdDsa, Algorithm::EdDSA),
    (AccessTokenFormat::JwtRs256, Algorithm::RS256),
];

/// The claims of a token whose signature is good under the published keys.
async fn verified(server: &TestServer, token: &str, algorithm: Algorithm) -> Value {
    let keys: JwkSet = serde_json::from_value(server.get("/jwks").send().await.json).expect("a key set");
    let header = decode_header(token).expect("a JWT has a header");
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    assert_eq!(header.alg, algorithm);
    let key = keys.find(&header.kid.expect("it names its key")).expect("the key is published");
    let mut validation = Validation::new(algorithm);
    validation.set_audience(&["https://id.example"]);
    validation.set_issuer(&["https://id.example"]);
    // The server's clock is not this machine's.
    validation.validate_exp = false;
    let key = DecodingKey::from_jwk(key).expect("the key is of a known kind");
    decode::<Value>(token, &key, &validation).expect("the signature is good").claims
}

async fn all_grant_types(app: &TestClient<'_>) -> [String; 3] {
    let login = app.log_in().await;
    let refreshed = app.refresh(&login.refresh_token()).send().await;
    let itself = app.token("client_credentials").send().await;
    [login.access_token(), refreshed.access_token(), itself.access_token()]
}

/// C-092, C-093, C-096.
#[tokio::test]
async fn rfc9068_section_2_every_grant_type_gives_a_signed_token_with_every_claim() {
    let server = TestServer::start().await;
    server.engine.make_rs256_key().await.unwrap();
    for (format, algorithm) in JWTS {
        let app = server.confidential(&format!("{algorithm:?}")).format(format).register().await;
        let client_id = app.id.as_str();
        let mut identifiers = HashSet::new();
        let subjects = [server.subject.as_str(), server.subject.as_str(), client_id];
        for (token, subject) in all_grant_types(&app).await.into_iter().zip(subjects) {
            let claims = verified(&server, &token, algorithm).await;
            for (name, expected) in [
                ("iss", json!("https://id.example")),
                ("sub", json!(subject)),
                ("aud", json!(["https://id.example"])),
                ("client_id", json!(client_id)),
                ("iat", json!(START_SECONDS)),
                ("exp", json!(START_SECONDS + 3600)),
                ("scope", json!("read write")),
            ] {
                assert_eq!(claims[name], expected, "{name}");
            }
            assert!(identifiers.insert(claims["jti"].as_str().unwrap().to_owned()), "every token has its own jti");
        }
    }
}

/// C-092: RS256 must be available; until its key is made, nothing is decided.
#[tokio::test]
async fn rfc9068_section_2_1_rs256_is_available_once_its_key_is_made() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").format(AccessTokenFormat::JwtRs256).register().await;
    app.password().may_be_unavailable().send().await.assert_unavailable();
    server.engine.make_rs256_key().await.unwrap();
    let login = app.log_in().await;
    verified(&server, &login.access_token(), Algorithm::RS256).await;
    app.introspect(&login.access_token()).send().await.assert_active();
}

/// A refresh that was rotated and not answered would be a lost answer of our own making.
#[tokio::test]
async fn rfc9068_section_2_1_a_refresh_that_cannot_be_signed_changes_nothing() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let login = app.log_in().await;
    app.change_settings(|settings| settings.access_token_format = AccessTokenFormat::JwtRs256).await;
    app.refresh(&login.refresh_token()).may_be_unavailable().send().await.assert_unavailable();
    assert_eq!(server.grant(&login.refresh_token()).await.generation.0, 1);
}

/// C-094.
#[tokio::test]
async fn rfc9068_section_2_2_1_auth_time_is_that_of_the_login_however_often_it_is_refreshed() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let mut answer = app.log_in().await;
    for round in 0..10 {
        let claims = answer.claims();
        assert_eq!(claims["auth_time"], START_SECONDS, "round {round}");
        assert_eq!(claims["iat"], START_SECONDS + round * 100, "round {round}");
        assert_eq!(claims["sub"], server.subject.as_str(), "round {round}");
        server.clock.advance_seconds(100);
        answer = app.refresh(&answer.refresh_token()).send().await.assert_ok();
    }
}

/// C-094.
#[tokio::test]
async fn rfc9068_section_2_2_3_the_scope_claim_is_what_was_granted() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").scope("a b").register().await;
    let login = app.password().with("scope", "b").send().await;
    assert_eq!(login.claims()["scope"], "b");
    let none = server.confidential("without").scope("").register().await;
    assert!(none.log_in().await.claims().get("scope").is_none());
}

/// C-095; with `resource` in `rfc8707.rs`.
#[tokio::test]
async fn rfc9068_section_3_without_a_resource_the_audience_is_the_clients_or_the_issuer() {
    let server = TestServer::start().await;
    for (audience, expected) in [
        (vec![], json!(["https://id.example"])),
        (vec!["https://api.example".to_owned()], json!(["https://api.example"])),
    ] {
        for format in [AccessTokenFormat::JwtEs256, AccessTokenFormat::Opaque] {
            let set = |settings: &mut regrant_store::ClientSettings| settings.audience.clone_from(&audience);
            let app = server.confidential(&format!("{format:?} {expected}")).format(format).set(set).register().await;
            for token in all_grant_types(&app).await {
                assert_eq!(app.introspect(&token).send().await.assert_active().json["aud"], expected);
            }
        }
    }
}

/// C-096, C-129.
#[tokio::test]
async fn rfc9068_section_5_a_user_never_has_the_name_of_a_client() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").register().await;
    let user = User {
        subject: Subject::parse(app.id.as_str()).unwrap(),
        username: Username::parse("somebody").unwrap(),
        credential: None,
        status: UserStatus::Active,
        profile: Profile::default(),
        cutoff: 0,
        version: 1,
    };
    assert!(matches!(server.store.add_user(user).await, Err(ChangeError::Taken(_))));
    let client = server.store.client(&app.id).await.unwrap().unwrap();
    let handle = regrant_store::ClientHandle(random(&regrant_crypto::SeededEntropy::new(9)));
    let id = regrant_protocol::ClientId::parse(server.subject.as_str()).unwrap();
    let named_for_a_user = regrant_store::Client { id, handle, ..client };
    assert!(matches!(server.store.add_client(named_for_a_user).await, Err(ChangeError::Taken(_))));
}

/// C-097: the key set has public keys only, each for signatures and with its own name.
#[tokio::test]
async fn rfc7517_section_4_the_key_set_has_nothing_private() {
    let server = TestServer::start().await;
    server.engine.make_rs256_key().await.unwrap();
    let answer = server.get("/jwks").send().await.assert_ok();
    assert_eq!(answer.header("content-type"), Some("application/jwk-set+json"));
    let keys = answer.json["keys"].as_array().unwrap().clone();
    let mut algorithms: Vec<&str> = keys.iter().map(|key| key["alg"].as_str().unwrap()).collect();
    algorithms.sort_unstable();
    assert_eq!(algorithms, ["ES256", "EdDSA", "RS256"]);
    for key in &keys {
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(key.get(private).is_none(), "{private} of {key}");
        }
        assert_eq!(key["use"], "sig");
    }
    let names: HashSet<_> = keys.iter().map(|key| key["kid"].as_str().unwrap()).collect();
    assert_eq!(names.len(), keys.len());
}
