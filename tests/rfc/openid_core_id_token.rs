//! OpenID Connect Core §2, §3.1.3, §12.2 and §10.1.1: ID tokens, read with a library that is not ours.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use regrant_crypto::{Entropy, KeyRing, SeededEntropy, sha256};
use regrant_engine::{AuthorizationServer, Hooks, Parts, SESSION_SECONDS};
use regrant_protocol::{Clock, Issuer};
use regrant_store::{AccessTokenFormat, IdTokenAlgorithm, Store};
use regrant_tests::{Answer, START_SECONDS, Setup, TestClient, TestServer, UserAgent};
use serde_json::{Value, json};

const CALLBACK: &str = "https://app.example/cb";
const ISSUER: &str = "https://id.example";

const ALGORITHMS: [(IdTokenAlgorithm, Algorithm); 2] =
    [(IdTokenAlgorithm::Es256, Algorithm::ES256), (IdTokenAlgorithm::Rs256, Algorithm::RS256)];

async fn openid_client<'a>(server: &'a TestServer) -> TestClient<'a> {
    server.confidential("TestClient").openid().redirect_uris(&[CALLBACK]).register().await
}

/// The tokens that the user of every server gives the client.
async fn tokens(app: &TestClient<'_>, browser: &mut UserAgent<'_>, scope: &str, nonce: &str) -> Answer {
    let request = app.authorization().with("scope", scope).with("nonce", nonce);
    let code = browser.obtain_code(&request).await;
    app.redeem(&code).with("redirect_uri", CALLBACK).send().await.assert_ok()
}

/// The claims of an ID token for `TestClient`, whose signature is good under the published keys.
async fn verified(server: &TestServer, answer: &Answer, algorithm: Algorithm) -> Value {
    let token = answer.member("id_token").unwrap_or_else(|| panic!("no ID token: {}", answer.text_of_body()));
    let keys: JwkSet = serde_json::from_value(server.get("/jwks").send().await.json).expect("a key set");
    let header = decode_header(token).expect("a JWT has a header");
    assert_eq!((header.alg, header.typ.as_deref()), (algorithm, Some("JWT")));
    let key = keys.find(&header.kid.expect("it names its key")).expect("the key is published");
    let mut validation = Validation::new(algorithm);
    validation.set_audience(&["TestClient"]);
    validation.set_issuer(&[ISSUER]);
    // The server's clock is not this machine's.
    validation.validate_exp = false;
    let key = DecodingKey::from_jwk(key).expect("the key is of a known kind");
    decode::<Value>(token, &key, &validation).expect("the signature is good").claims
}

/// C-163, C-162.
#[tokio::test]
async fn openid_core_section_2_an_id_token_has_these_claims_and_no_others() {
    let server = TestServer::start().await;
    server.engine.make_rs256_key().await.unwrap();
    let app = openid_client(&server).await;
    for (setting, algorithm) in ALGORITHMS {
        app.change_settings(|settings| settings.id_token_algorithm = setting).await;
        let answer = tokens(&app, &mut server.user_agent(), "openid profile email", "n-0S6_WzA2Mj").await;
        let claims = verified(&server, &answer, algorithm).await;
        let expected = json!({
            "iss": ISSUER,
            "sub": server.subject.as_str(),
            "aud": "TestClient",
            "exp": START_SECONDS + 3600,
            "iat": START_SECONDS,
            "auth_time": START_SECONDS,
            "nonce": "n-0S6_WzA2Mj",
            "acr": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
            "amr": ["pwd"],
            "at_hash": at_hash(&answer.access_token()),
        });
        assert_eq!(claims, expected, "{algorithm:?}");
    }
}

/// §5.4: what `profile` and `email` release is asked for at the userinfo endpoint, as there is an access token.
#[tokio::test]
async fn openid_core_section_3_1_3_3_an_id_token_comes_with_a_code_for_openid_and_nothing_else() {
    let server = TestServer::start().await;
    let app = openid_client(&server).await;
    for (scope, is_openid) in [("openid", true), ("read openid", true), ("read profile", false), ("read", false)] {
        let answer = tokens(&app, &mut server.user_agent(), scope, "n").await;
        assert_eq!(answer.member("id_token").is_some(), is_openid, "{scope}");
        assert_eq!(answer.json["token_type"], "Bearer");
    }
    let password = app.password().with("scope", "openid read").send().await.assert_ok();
    assert_eq!(password.member("id_token"), None, "no browser, no authentication event that a client could rely on");
    assert_eq!(app.token("client_credentials").send().await.assert_ok().member("id_token"), None);
}

/// C-163.
#[tokio::test]
async fn openid_core_section_3_1_2_1_the_nonce_comes_back_as_it_was_sent() {
    let server = TestServer::start().await;
    let app = openid_client(&server).await;
    let longest = "n".repeat(512);
    let mut browser = server.user_agent();
    for nonce in ["n", "a b&c=d#e%20+", "\"\\'<>{}", "é🦀", longest.as_str()] {
        let answer = tokens(&app, &mut browser, "openid", nonce).await;
        assert_eq!(verified(&server, &answer, Algorithm::ES256).await["nonce"], nonce);
    }
    let answer = tokens(&app, &mut browser, "openid", "").await;
    assert!(verified(&server, &answer, Algorithm::ES256).await.get("nonce").is_none());
    for refused in [format!("{longest}n"), "a\0b".to_owned(), "a\nb".to_owned()] {
        let answer = browser.authorize(&app.authorization().with("scope", "openid").with("nonce", &refused)).await;
        answer.assert_redirect_error("invalid_request");
    }
}

#[tokio::test]
async fn openid_core_section_3_1_3_6_at_hash_is_that_of_the_access_token_beside_it() {
    // Appendix A.3.
    assert_eq!(at_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"), "77QmUPtjPfzWtF2AnpK9RQ");
    let server = TestServer::start().await;
    let app = openid_client(&server).await;
    let mut hashes = BTreeSet::new();
    for format in [AccessTokenFormat::JwtEs256, AccessTokenFormat::JwtEdDsa, AccessTokenFormat::Opaque] {
        app.change_settings(|settings| settings.access_token_format = format).await;
        let answer = tokens(&app, &mut server.user_agent(), "openid", "n").await;
        let claims = verified(&server, &answer, Algorithm::ES256).await;
        assert_eq!(claims["at_hash"], at_hash(&answer.access_token()), "{format:?}");
        hashes.insert(claims["at_hash"].to_string());
    }
    assert_eq!(hashes.len(), 3);
}

/// The left half of the digest of the access token (§3.1.3.6).
fn at_hash(access_token: &str) -> String {
    URL_SAFE_NO_PAD.encode(&sha256(access_token.as_bytes())[..16])
}

#[tokio::test]
async fn openid_core_section_2_an_id_token_lives_for_an_hour_and_not_longer_than_its_grant() {
    let server = TestServer::start().await;
    for (id, absolute, lifetime) in [("TestClient", 600, 600), ("Other", 0, 3600)] {
        let builder = server.confidential(id).openid().redirect_uris(&[CALLBACK]).lifetimes(300, 300, absolute);
        let app = builder.register().await;
        let answer = tokens(&app, &mut server.user_agent(), "openid", "n").await;
        let claims = regrant_tests::unverified_claims(answer.member("id_token").unwrap());
        assert_eq!(claims["exp"], server.clock_seconds() + lifetime, "{id}");
        assert_eq!(claims["aud"], id);
    }
}

/// C-167.
#[tokio::test]
async fn openid_core_section_12_2_the_id_token_of_a_refresh_says_the_same_of_the_login() {
    let server = TestServer::start().await;
    server.engine.make_rs256_key().await.unwrap();
    let app = openid_client(&server).await;
    for (setting, algorithm) in ALGORITHMS {
        app.change_settings(|settings| {
            settings.id_token_algorithm = setting;
            settings.id_token_on_refresh = true;
        })
        .await;
        let mut answer = tokens(&app, &mut server.user_agent(), "openid read", "n-0S6_WzA2Mj").await;
        let first = verified(&server, &answer, algorithm).await;
        assert_eq!(first["nonce"], "n-0S6_WzA2Mj");
        for round in 1..=10 {
            server.clock.advance_seconds(1000);
            answer = app.refresh(&answer.refresh_token()).send().await.assert_ok();
            let claims = verified(&server, &answer, algorithm).await;
            for same in ["iss", "sub", "aud", "auth_time", "acr", "amr", "azp"] {
                assert_eq!(claims.get(same), first.get(same), "{same} in round {round}");
            }
            assert_eq!(claims["iat"], server.clock_seconds(), "round {round}");
            assert_eq!(claims["exp"], server.clock_seconds() + 3600, "round {round}");
            assert_eq!(claims["at_hash"], at_hash(&answer.access_token()), "round {round}");
            assert!(claims.get("nonce").is_none(), "round {round}");
        }
    }
}

/// C-167: §12.2 leaves it open whether a refresh gives one.
#[tokio::test]
async fn openid_core_section_12_2_a_refresh_gives_an_id_token_when_it_is_asked_for() {
    let server = TestServer::start().await;
    let app = openid_client(&server).await;
    let mut newest = tokens(&app, &mut server.user_agent(), "openid read", "n").await.refresh_token();
    for (on_refresh, scope, is_given) in [
        (false, "", false),
        (false, "read", false),
        (false, "openid", true),
        (false, "openid read", true),
        (true, "", true),
        (true, "openid", true),
        // Narrowed to a scope that does not ask who the user is.
        (true, "read", false),
    ] {
        app.change_settings(|settings| settings.id_token_on_refresh = on_refresh).await;
        let answer = app.refresh(&newest).with("scope", scope).send().await.assert_ok();
        assert_eq!(answer.member("id_token").is_some(), is_given, "{on_refresh} {scope:?}");
        newest = answer.refresh_token();
    }
    let without = tokens(&app, &mut server.user_agent(), "read", "n").await;
    assert_eq!(app.refresh(&without.refresh_token()).send().await.assert_ok().member("id_token"), None);
}

/// A lost answer is asked for again: the same login, a token of the same grant, and no nonce.
#[tokio::test]
async fn openid_core_section_12_2_a_retry_gets_an_id_token_that_belongs_to_its_access_token() {
    let server = TestServer::start().await;
    let app = openid_client(&server).await;
    app.change_settings(|settings| settings.id_token_on_refresh = true).await;
    let first = tokens(&app, &mut server.user_agent(), "openid", "n").await;
    let lost = app.refresh(&first.refresh_token()).send().await.assert_ok();
    server.clock.advance_seconds(30);
    let retried = app.refresh(&first.refresh_token()).send().await.assert_refresh_token(&lost.refresh_token());
    let (lost_claims, claims) =
        (verified(&server, &lost, Algorithm::ES256).await, verified(&server, &retried, Algorithm::ES256).await);
    assert_eq!((&claims["sub"], &claims["auth_time"]), (&lost_claims["sub"], &lost_claims["auth_time"]));
    assert_eq!(claims["at_hash"], at_hash(&retried.access_token()));
}

/// §15.1: RS256 is there, and a token is never left unsigned while its key is not.
#[tokio::test]
async fn openid_core_section_15_1_rs256_is_available_once_its_key_is_made() {
    let server = TestServer::start().await;
    let app = openid_client(&server).await;
    app.change_settings(|settings| settings.id_token_algorithm = IdTokenAlgorithm::Rs256).await;
    let code = server.user_agent().obtain_code(&app.authorization().with("scope", "openid")).await;
    let redeem = || app.redeem(&code).with("redirect_uri", CALLBACK);
    redeem().may_be_unavailable().send().await.assert_unavailable();
    server.engine.make_rs256_key().await.unwrap();
    let answer = redeem().send().await.assert_ok();
    verified(&server, &answer, Algorithm::RS256).await;
}

/// C-171, as far as keys come and go today: a new one is added, and none that has signed is taken away.
#[tokio::test]
async fn openid_core_section_10_1_1_keys_that_have_signed_stay_published_through_new_ones_and_restarts() {
    let server = TestServer::start().await;
    let app = openid_client(&server).await;
    let answer = tokens(&app, &mut server.user_agent(), "openid", "n").await;
    let published = async || {
        let keys = server.get("/jwks").send().await.assert_ok().json["keys"].as_array().unwrap().clone();
        keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let before = published().await;
    server.engine.make_rs256_key().await.unwrap();
    server.engine.make_rs256_key().await.unwrap();
    let after = published().await;
    assert_eq!((after.len(), &after[..before.len()]), (before.len() + 1, &before[..]), "one more, and none less");
    verified(&server, &answer, Algorithm::ES256).await;

    let reopened = AuthorizationServer::open(Parts {
        issuer: Issuer::parse(ISSUER).unwrap(),
        store: Arc::clone(&server.store) as Arc<dyn Store>,
        ring: KeyRing::generate(&SeededEntropy::new(Setup::default().seed)),
        clock: Arc::clone(&server.clock) as Arc<dyn Clock>,
        entropy: Arc::new(SeededEntropy::new(3)) as Arc<dyn Entropy>,
        session_seconds: SESSION_SECONDS,
        hooks: Hooks::default(),
    });
    let keys = serde_json::to_value(reopened.await.unwrap().jwks().unwrap()).unwrap();
    let kept: Vec<_> = keys.as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect();
    assert_eq!(kept, after);
}

/// C-060, C-097: an ID token tells a client who logged in, and opens nothing.
#[tokio::test]
async fn openid_core_section_2_an_id_token_is_no_access_token() {
    let server = TestServer::start().await;
    let app = openid_client(&server).await;
    let answer = tokens(&app, &mut server.user_agent(), "openid", "n").await;
    let id_token = answer.member("id_token").unwrap();
    app.introspect(id_token).send().await.assert_inactive();
    assert!(!server.is_good(id_token).await);
    let userinfo = server.get("/userinfo").header("authorization", &format!("Bearer {id_token}")).send().await;
    userinfo.assert_error(401, "invalid_token");
    app.refresh(id_token).send().await.assert_error(400, "invalid_grant");
    app.redeem(id_token).send().await.assert_error(400, "invalid_grant");
    app.revoke(id_token).send().await.assert_ok();
    app.refresh(&answer.refresh_token()).send().await.assert_ok();
}

/// C-172: one user is one `sub`, to every client and for ever.
#[tokio::test]
async fn openid_core_section_8_the_subject_is_the_same_everywhere() {
    let server = TestServer::start().await;
    let app = openid_client(&server).await;
    let other = server.confidential("Other").openid().redirect_uris(&[CALLBACK]).register().await;
    let mut subjects = BTreeSet::new();
    for client in [&app, &other] {
        client.change_settings(|settings| settings.id_token_on_refresh = true).await;
        for _ in 0..2 {
            let answer = tokens(client, &mut server.user_agent(), "openid", "n").await;
            let refreshed = client.refresh(&answer.refresh_token()).send().await.assert_ok();
            for answer in [answer, refreshed] {
                let bearer = format!("Bearer {}", answer.access_token());
                let userinfo = server.get("/userinfo").header("authorization", &bearer).send().await.assert_ok();
                let id_token = regrant_tests::unverified_claims(answer.member("id_token").unwrap());
                subjects.extend(
                    [userinfo.json["sub"].clone(), id_token["sub"].clone(), answer.claims()["sub"].clone()]
                        .map(|sub| sub.to_string()),
                );
            }
            server.clock.advance_seconds(86_400);
        }
    }
    assert_eq!(subjects, BTreeSet::from([format!("\"{}\"", server.subject)]));
}
