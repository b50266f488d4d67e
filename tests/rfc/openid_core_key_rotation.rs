//! OpenID Connect Core §10.1.1: the keys that sign are replaced while everybody goes on.

use std::collections::{BTreeSet, VecDeque};

use regrant_crypto::{Algorithm, Jwk, Typ, VerifyingKey, verify};
use regrant_engine::{KeyRotationError, KeyView, PUBLISHED_KEYS_MAX, SIGNING_KEY_WAIT_SECONDS, SigningKeyView};
use regrant_store::AccessTokenFormat;
use regrant_tests::{Request, TestServer};

const CALLBACK: &str = "https://app.example/cb";
const FORMATS: [(AccessTokenFormat, Algorithm); 3] = [
    (AccessTokenFormat::JwtEs256, Algorithm::Es256),
    (AccessTokenFormat::JwtEdDsa, Algorithm::EdDsa),
    (AccessTokenFormat::JwtRs256, Algorithm::Rs256),
];

/// An API may keep the key set for so long.
const API_CACHE_MINUTES: usize = 5;
const ACCESS_LIFETIME_MINUTES: usize = 120;

async fn key_set(server: &TestServer) -> Vec<VerifyingKey> {
    let answer = server.get("/jwks").send().await;
    let kept_seconds = format!("public, max-age={}", API_CACHE_MINUTES * 60);
    assert_eq!(answer.header("cache-control"), Some(kept_seconds.as_str()));
    let keys: Vec<Jwk> = serde_json::from_value(answer.json["keys"].clone()).expect("a key set");
    keys.iter().map(|key| VerifyingKey::new(key).expect("a published key can be used")).collect()
}

async fn signing_keys(server: &TestServer, algorithm: Algorithm) -> Vec<SigningKeyView> {
    let only = |key| match key {
        KeyView::Signing(key) => Some(key).filter(|key| key.algorithm == algorithm),
        KeyView::Master(_) => None,
    };
    server.engine.keys().await.expect("the store answers").into_iter().filter_map(only).collect()
}

async fn states(server: &TestServer, algorithm: Algorithm) -> Vec<&'static str> {
    signing_keys(server, algorithm).await.iter().map(|key| key.state.as_str()).collect()
}

fn userinfo(server: &TestServer, token: &str) -> Request {
    server.get("/userinfo").content_types(&[]).header("authorization", &format!("Bearer {token}"))
}

/// C-171: whoever keeps the key set for five minutes never meets a key that is not in it, however often keys are rotated and
/// the server is started again; and what a key has signed stays good to its end.
#[tokio::test]
async fn openid_core_section_10_1_1_a_new_key_is_published_before_it_signs() {
    let first = TestServer::start().await;
    first.engine.make_rs256_key().await.unwrap();
    let mut apps = Vec::new();
    for (format, algorithm) in FORMATS {
        let builder = first.confidential(algorithm.as_str()).format(format);
        apps.push(builder.lifetimes(ACCESS_LIFETIME_MINUTES as u32 * 60, 0, 0).register().await);
    }
    let mut restarted = None;
    let mut key_sets = VecDeque::new();
    let mut tokens = Vec::new();
    let mut have_signed = BTreeSet::new();
    for minute in 0..150 {
        let before = restarted.as_ref().unwrap_or(&first);
        if matches!(minute, 10 | 30) {
            for algorithm in Algorithm::ALL {
                before.engine.rotate_signing_key(algorithm, false).await.unwrap();
            }
        }
        if matches!(minute, 12 | 69 | 71) {
            restarted = Some(before.restart().await);
        }
        let server = restarted.as_ref().unwrap_or(&first);
        key_sets.push_front(key_set(server).await);
        key_sets.truncate(API_CACHE_MINUTES + 1);
        for app in &apps {
            let token = app.at(server).token("client_credentials").send().await.access_token();
            for (age, keys) in key_sets.iter().enumerate() {
                let verified = verify(&token, keys, Typ::ACCESS_TOKEN);
                assert!(verified.is_ok(), "minute {minute}, {}, a key set {age} minutes old: {verified:?}", app.id);
            }
            have_signed.insert(jsonwebtoken::decode_header(&token).unwrap().kid);
            tokens.push((minute, token));
        }
        for (since, token) in tokens.iter().filter(|(since, _)| (minute - since) % 17 == 0) {
            let lives = minute - since < ACCESS_LIFETIME_MINUTES;
            assert_eq!(server.is_good(token).await, lives, "the token of minute {since} in minute {minute}");
        }
        server.clock.advance_seconds(60);
    }
    assert_eq!(have_signed.len(), 9, "three keys of each algorithm");
}

#[tokio::test]
async fn a_key_waits_signs_verifies_and_is_withdrawn() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").lifetimes(36_000, 0, 0).register().await;
    let wait = SIGNING_KEY_WAIT_SECONDS;
    let old = app.log_in().await.access_token();
    let old_id = jsonwebtoken::decode_header(&old).unwrap().kid.unwrap();
    let new = server.engine.rotate_signing_key(Algorithm::Es256, false).await.unwrap();
    assert_eq!((new.state.as_str(), new.signs_from.seconds()), ("waiting", server.clock_seconds() + i64::from(wait)));
    assert_eq!(signing_keys(&server, Algorithm::Es256).await[1], new);
    assert_eq!(states(&server, Algorithm::Es256).await, ["signing", "waiting"]);
    assert_eq!(states(&server, Algorithm::EdDsa).await, ["signing"], "of another algorithm");
    let refused = server.engine.withdraw_signing_key(&old_id).await;
    assert!(matches!(&refused, Err(KeyRotationError::KeySigns(key_id)) if *key_id == old_id), "{refused:?}");
    let refused = server.engine.withdraw_signing_key("none").await;
    assert!(matches!(&refused, Err(KeyRotationError::UnknownKey(key_id)) if key_id == "none"), "{refused:?}");

    server.clock.advance_milliseconds(wait * 1000 - 1);
    assert_eq!(states(&server, Algorithm::Es256).await, ["signing", "waiting"]);
    server.clock.advance_milliseconds(1);
    assert_eq!(states(&server, Algorithm::Es256).await, ["verifying", "signing"]);
    assert!(server.is_good(&old).await);
    for _ in 0..2 {
        server.engine.withdraw_signing_key(&old_id).await.unwrap();
        assert_eq!(states(&server, Algorithm::Es256).await, ["withdrawn", "signing"]);
        assert!(!server.is_good(&old).await);
    }
    let restarted = server.restart().await;
    assert_eq!(states(&restarted, Algorithm::Es256).await, ["withdrawn", "signing"]);
    assert!(!restarted.is_good(&old).await);
    assert!(key_set(&restarted).await.iter().all(|key| key.key_id() != old_id));
    assert!(restarted.is_good(&app.at(&restarted).log_in().await.access_token()).await);
}

/// Otherwise everybody who fetches the key set pays for rotations without end.
#[tokio::test]
async fn the_key_set_has_a_bound_that_an_emergency_does_not_know() {
    let server = TestServer::start().await;
    for _ in 1..PUBLISHED_KEYS_MAX {
        server.engine.rotate_signing_key(Algorithm::EdDsa, false).await.unwrap();
    }
    let refused = server.engine.rotate_signing_key(Algorithm::EdDsa, false).await;
    assert!(matches!(refused, Err(KeyRotationError::TooManyKeys(Algorithm::EdDsa))), "{refused:?}");
    server.engine.rotate_signing_key(Algorithm::Es256, false).await.unwrap();
    server.engine.rotate_signing_key(Algorithm::EdDsa, true).await.unwrap();
    assert_eq!(key_set(&server).await.len(), 3, "one for EdDSA and two for ES256");
    server.engine.rotate_signing_key(Algorithm::EdDsa, false).await.unwrap();
}

/// What is in the store and not in the key set would sign, after a restart, without anybody having seen it.
#[tokio::test]
async fn a_caller_who_goes_away_leaves_no_key_unpublished() {
    let server = TestServer::start().await;
    let engine = std::sync::Arc::clone(&server.engine);
    let key_writes = server.store.hold_key_writes();
    let calls_before = server.store.calls();
    let rotating = tokio::spawn(async move { engine.rotate_signing_key(Algorithm::Es256, false).await.map(drop) });
    // The first call reads the keys, the second adds one.
    while server.store.calls() < calls_before + 2 {
        tokio::task::yield_now().await;
    }
    rotating.abort();
    assert!(rotating.await.is_err(), "it did not hear of its key");
    // The next rotation waits until the one before is done.
    key_writes.add_permits(8);
    server.engine.rotate_signing_key(Algorithm::EdDsa, false).await.unwrap();
    assert_eq!(states(&server, Algorithm::Es256).await, ["signing", "waiting"]);
    assert_eq!(key_set(&server).await.len(), 4, "two for EdDSA and two for ES256");
}

/// Whoever has the old key may sign with it whatever they like.
#[tokio::test]
async fn in_an_emergency_what_the_old_keys_signed_is_refused_at_once() {
    let server = TestServer::start().await;
    let app = server.confidential("TestClient").openid().redirect_uris(&[CALLBACK]).register().await;
    let untouched = server.confidential("Other").format(AccessTokenFormat::JwtEdDsa).register().await;
    let of_another_algorithm = untouched.log_in().await.access_token();
    let mut browser = server.user_agent();
    let request = app.authorization().with("scope", "openid");
    let tokens = app.redeem(&browser.obtain_code(&request).await).send().await.assert_ok();
    let id_token = tokens.member("id_token").unwrap().to_owned();
    let silent = request.clone().with("prompt", "none");
    browser.authorize(&silent.clone().with("id_token_hint", &id_token)).await.redirect().code();
    // One that waits is withdrawn too: it lay beside the others.
    server.engine.rotate_signing_key(Algorithm::Es256, false).await.unwrap();

    let new = server.engine.rotate_signing_key(Algorithm::Es256, true).await.unwrap();
    let restarted = server.restart().await;
    for server in [&server, &restarted] {
        let app = app.at(server);
        assert_eq!(states(server, Algorithm::Es256).await, ["withdrawn", "withdrawn", "signing"]);
        let published = key_set(server).await;
        assert_eq!(published.iter().filter(|key| key.algorithm() == Algorithm::Es256).count(), 1);
        assert!(published.iter().any(|key| key.key_id() == new.key_id));
        app.introspect(&tokens.access_token()).send().await.assert_inactive();
        userinfo(server, &tokens.access_token()).send().await.assert_error(401, "invalid_token");
        assert!(server.is_good(&of_another_algorithm).await);
    }
    let refused = browser.authorize(&silent.with("id_token_hint", &id_token)).await;
    refused.assert_redirect_error("invalid_request");

    // The grant itself is not hurt.
    let next = app.refresh(&tokens.refresh_token()).with("scope", "openid").send().await.assert_ok();
    assert_eq!(jsonwebtoken::decode_header(next.access_token()).unwrap().kid, Some(new.key_id));
    app.introspect(&next.access_token()).send().await.assert_active();
    userinfo(&server, &next.access_token()).send().await.assert_ok();
}
