//! RFC 7636: proof key for code exchange.

use regrant_tests::{Answer, CHALLENGE, TestServer, VERIFIER};

const CALLBACK: &str = "https://app.example/cb";

/// C-048: the vector of Appendix B.
#[tokio::test]
async fn rfc7636_appendix_b_the_verifier_of_the_example_fits_its_challenge() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let request = app.authorization().with("code_challenge", CHALLENGE).with("code_challenge_method", "S256");
    let code = server.user_agent().obtain_code(&request).await;
    app.present(&code).with("code_verifier", VERIFIER).send().await.assert_ok();
}

/// C-048, C-049: `plain` is off, by its name and by none.
#[tokio::test]
async fn rfc7636_section_4_3_only_s256_is_a_method() {
    let server = TestServer::start().await;
    for app in [
        server.public("TestApp").redirect_uris(&[CALLBACK]).register().await,
        server.confidential("TestClient").pkce_optional().redirect_uris(&[CALLBACK]).register().await,
    ] {
        let mut browser = server.user_agent();
        for method in ["plain", "s256", "S512", "S256 ", "none", ""] {
            let request = app.authorization().with("code_challenge_method", method);
            browser.authorize(&request).await.assert_redirect_error("invalid_request");
        }
        let request = app.authorization().without("code_challenge_method");
        browser.authorize(&request).await.assert_redirect_error("invalid_request");
        let request = app.authorization().without("code_challenge");
        browser.authorize(&request).await.assert_redirect_error("invalid_request");
    }
}

/// C-051.
#[tokio::test]
async fn rfc7636_section_4_2_a_challenge_is_43_characters_of_base64url() {
    let server = TestServer::start().await;
    let builder = server.confidential("TestClient").pkce_optional();
    let app = builder.redirect_uris(&[CALLBACK]).register().await;
    let mut browser = server.user_agent();
    let not_canonical = format!("{}N", &CHALLENGE[..42]);
    for challenge in [
        "",
        &CHALLENGE[..42],
        &format!("{CHALLENGE}A"),
        &format!("{CHALLENGE}="),
        &CHALLENGE.replace('-', "+"),
        &not_canonical,
        &"é".repeat(43),
        &"a".repeat(4000),
    ] {
        let request = app.authorization().with("code_challenge", challenge);
        let redirect = browser.authorize(&request).await.assert_redirect_error("invalid_request");
        assert_eq!(redirect.get("state"), Some("xyz"), "{challenge}");
    }
}

/// C-053.
#[tokio::test]
async fn rfc7636_section_4_4_1_without_a_challenge_there_is_no_code() {
    let server = TestServer::start().await;
    for app in [
        server.public("TestApp").redirect_uris(&[CALLBACK]).register().await,
        server.confidential("TestClient").redirect_uris(&[CALLBACK]).register().await,
    ] {
        let answer = server.user_agent().authorize(&app.authorization().without_pkce()).await;
        answer.assert_redirect_error("invalid_request");
    }
}

/// C-050: the verifier that is too short or too long is refused even where its hash fits.
#[tokio::test]
async fn rfc7636_section_4_1_a_verifier_is_43_to_128_unreserved_characters() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let (shortest, longest) = ("a".repeat(43), "-._~Zz09".repeat(16));
    for (verifier, is_accepted) in [
        (shortest.clone(), true),
        (longest.clone(), true),
        ("a".repeat(42), false),
        (format!("{longest}a"), false),
        (format!("{}+", "a".repeat(42)), false),
        (format!("{}=", "a".repeat(43)), false),
        (format!("{} ", "a".repeat(43)), false),
        ("é".repeat(43), false),
        ("a".repeat(5000), false),
    ] {
        let request = app.authorization().with("code_challenge", &challenge_of(&verifier));
        let code = server.user_agent().obtain_code(&request).await;
        let answer = app.present(&code).with("code_verifier", &verifier).send().await;
        if is_accepted {
            answer.assert_ok();
        } else {
            answer.assert_error(400, "invalid_request");
        }
    }
}

/// C-052.
#[tokio::test]
async fn rfc7636_section_4_6_a_wrong_verifier_gives_nothing_and_takes_nothing() {
    let server = TestServer::start().await;
    for app in [
        server.public("TestApp").redirect_uris(&[CALLBACK]).register().await,
        server.confidential("TestClient").redirect_uris(&[CALLBACK]).register().await,
    ] {
        let code = app.obtain_code().await;
        for wrong in ["A".repeat(43), CHALLENGE.to_owned(), VERIFIER.to_lowercase(), format!("{VERIFIER}a")] {
            let refused = app.present(&code).with("code_verifier", &wrong).send().await;
            assert_description(refused.assert_error(400, "invalid_grant"), "code_verifier is not the one");
        }
        for missing in [app.present(&code), app.present(&code).with("code_verifier", "")] {
            let refused = missing.send().await.assert_error(400, "invalid_grant");
            assert_description(refused, "code_verifier is missing");
        }
        app.redeem(&code).send().await.assert_ok();
    }
}

/// C-054, C-115, C-152: a challenge that was stripped from the request is noticed by the verifier that belongs to it.
#[tokio::test]
async fn rfc9700_section_4_8_2_a_verifier_without_a_challenge_is_refused() {
    let server = TestServer::start().await;
    let builder = server.confidential("TestClient").pkce_optional();
    let app = builder.redirect_uris(&[CALLBACK]).register().await;
    let code = server.user_agent().obtain_code(&app.authorization().without_pkce()).await;
    let redemption = app.present(&code).with("redirect_uri", CALLBACK);
    redemption.clone().with("code_verifier", VERIFIER).send().await.assert_error(400, "invalid_grant");
    redemption.send().await.assert_ok();
}

/// C-052: a code is bound to its own challenge, and not to another of the same client.
#[tokio::test]
async fn rfc7636_section_4_4_an_injected_code_does_not_fit_the_verifier_of_its_victim() {
    let server = TestServer::start().await;
    let app = server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let verifiers = ["a".repeat(43), "b".repeat(43)];
    let mut codes = Vec::new();
    for verifier in &verifiers {
        let request = app.authorization().with("code_challenge", &challenge_of(verifier));
        codes.push(server.user_agent().obtain_code(&request).await);
    }
    for (code, other) in codes.iter().zip(verifiers.iter().rev()) {
        app.present(code).with("code_verifier", other).send().await.assert_error(400, "invalid_grant");
    }
    for (code, own) in codes.iter().zip(&verifiers) {
        app.present(code).with("code_verifier", own).send().await.assert_ok();
    }
}

/// C-115.
#[tokio::test]
async fn rfc8414_section_2_the_metadata_names_the_challenge_method() {
    let server = TestServer::start().await;
    server.public("TestApp").redirect_uris(&[CALLBACK]).register().await;
    let metadata = server.get("/.well-known/oauth-authorization-server").send().await.assert_ok();
    assert_eq!(metadata.json["code_challenge_methods_supported"], serde_json::json!(["S256"]));
}

#[track_caller]
fn assert_description(refused: Answer, beginning: &str) {
    let description = refused.member("error_description").unwrap_or_default();
    assert!(description.starts_with(beginning), "{description}");
}

/// base64url(SHA-256(verifier)).
fn challenge_of(verifier: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(regrant_crypto::sha256(verifier.as_bytes()))
}
