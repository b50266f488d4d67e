use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regrant_crypto::{Entropy, KeyReference, PrivateJwk, PrivateKeyError, SigningKey, TokenTooLong, Typ, random};
use regrant_protocol::{ClientId, Secret, Timestamp};
use serde_json::json;

use crate::Provider;

/// The key with which a client proves who it is (`private_key_jwt`: RFC 7523 §2.2, OpenID Connect Core §9).
///
/// Every request carries an assertion of its own, which is good for a minute and names the server.
///
/// ```no_run
/// use regrant_client::{Authentication, PrivateKeyJwt};
///
/// let pem = std::fs::read_to_string("reports.pem")?;
/// let authentication = Authentication::PrivateKeyJwt(PrivateKeyJwt::from_pem(&pem)?.with_key_id("reports-2027"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct PrivateKeyJwt {
    key: Arc<SigningKey>,
    key_id: Option<String>,
    audience: AssertionAudience,
}

/// Whom an assertion names as the one that it is meant for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AssertionAudience {
    /// The issuer alone (draft-ietf-oauth-rfc7523bis §4), with the type `client-authentication+jwt`: no other server can use
    /// the assertion.
    #[default]
    Issuer,
    /// The URL of the token endpoint, with the type `JWT`, for servers that know nothing else.
    TokenEndpoint,
}

impl PrivateKeyJwt {
    /// The first private key of a PEM text, unencrypted: P-256 (ES256), Ed25519 (EdDSA), or RSA with 2048 to 4096 bits (RS256).
    ///
    /// # Errors
    /// Says what is wrong with it, and nothing of the key.
    pub fn from_pem(pem: &str) -> Result<Self, PrivateKeyError> {
        Ok(Self { key: Arc::new(SigningKey::from_pem(pem)?), key_id: None, audience: AssertionAudience::Issuer })
    }

    /// A private key as JSON (RFC 7517), of the same kinds; its `kid` is named in every assertion.
    ///
    /// # Errors
    /// Says what is wrong with it, and nothing of the key.
    pub fn from_jwk(json: &str) -> Result<Self, PrivateKeyError> {
        let PrivateJwk { key, key_id } = PrivateJwk::parse(json)?;
        Ok(Self { key: Arc::new(key), key_id, audience: AssertionAudience::Issuer })
    }

    /// The same key under the name that the server knows it by: `kid` in the header. Without one, the header has none.
    #[must_use]
    pub fn with_key_id(self, key_id: &str) -> Self {
        Self { key_id: Some(key_id.to_owned()), ..self }
    }

    /// The same key, whose assertions name another audience.
    #[must_use]
    pub fn for_audience(self, audience: AssertionAudience) -> Self {
        Self { audience, ..self }
    }

    /// One assertion, good for one request to `provider` that is sent at `now` of the server's clock.
    ///
    /// # Errors
    /// When the server's URL is longer than any that there is.
    pub(crate) fn assertion(
        &self,
        client: &ClientId,
        provider: &Provider,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Secret, TokenTooLong> {
        let (typ, audience) = match self.audience {
            AssertionAudience::Issuer => (Typ::CLIENT_AUTHENTICATION, provider.issuer.as_str()),
            AssertionAudience::TokenEndpoint => (Typ::JWT, provider.token_endpoint.as_str()),
        };
        let claims = json!({
            "iss": client.as_str(),
            "sub": client.as_str(),
            "aud": audience,
            "iat": now.seconds(),
            "exp": now.seconds() + LIFE_SECONDS,
            "jti": URL_SAFE_NO_PAD.encode(random::<16>(entropy)),
        });
        let reference = self.key_id.as_deref().map_or(KeyReference::None, KeyReference::Id);
        self.key.sign_referring(typ, reference, claims.to_string().as_bytes()).map(Secret::new)
    }
}

impl fmt::Debug for PrivateKeyJwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKeyJwt")
            .field("key", &self.key)
            .field("key_id", &self.key_id)
            .field("audience", &self.audience)
            .finish()
    }
}

/// How long an assertion is good, in seconds: the way there, and clocks that differ a little.
const LIFE_SECONDS: i64 = 60;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::{Answer, Scripted, answer, claims, header, with};
    use crate::{Authentication, Failure};
    use base64::engine::general_purpose::STANDARD;
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
    use regrant_protocol::Scope;
    use std::collections::HashSet;

    const TOKENS: &str = r#"{"access_token":"a","token_type":"Bearer","expires_in":60}"#;

    fn key(algorithm: regrant_crypto::Algorithm) -> (PrivateKeyJwt, SigningKey) {
        let own = SigningKey::generate(algorithm);
        let pem =
            format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(&*own.to_pkcs8()));
        (PrivateKeyJwt::from_pem(&pem).unwrap(), own)
    }

    /// What the server got in `client_assertion`, of `requests` requests for a token.
    async fn assertions(authentication: PrivateKeyJwt, requests: usize) -> Vec<String> {
        let server = Scripted::new(|_| answer(200, TOKENS));
        let client = server.client().authenticated_by(Authentication::PrivateKeyJwt(authentication));
        for _ in 0..requests {
            client.client_credentials(&Scope::empty()).await.unwrap();
        }
        let heard = server.take();
        assert!(heard.iter().all(|own| own.get("client_assertion_type") == Some(ASSERTION_TYPE)));
        assert!(heard.iter().all(|own| own.get("client_id") == Some("TestApp") && own.get("client_secret").is_none()));
        heard.iter().map(|own| own.get("client_assertion").unwrap().to_owned()).collect()
    }

    const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    #[tokio::test]
    async fn rfc7523_section_3_an_assertion_names_client_and_server_and_is_good_for_a_minute() {
        for algorithm in regrant_crypto::Algorithm::ALL {
            for (audience, aud, typ) in [
                (AssertionAudience::Issuer, "https://id.example", "client-authentication+jwt"),
                (AssertionAudience::TokenEndpoint, "https://id.example/token", "JWT"),
            ] {
                let (authentication, own) = key(algorithm);
                let token = assertions(authentication.for_audience(audience), 1).await.remove(0);
                let jwk = serde_json::to_value(own.public_jwk()).unwrap();
                let public = DecodingKey::from_jwk(&serde_json::from_value(jwk).unwrap()).unwrap();
                let mut validation = Validation::new(algorithm.as_str().parse::<Algorithm>().unwrap());
                (validation.validate_aud, validation.validate_exp) = (false, false);
                let claims = decode::<serde_json::Value>(&token, &public, &validation).unwrap().claims;
                assert_eq!(claims["aud"], aud, "the sole audience, and no list");
                assert_eq!((&claims["iss"], &claims["sub"]), (&"TestApp".into(), &"TestApp".into()));
                assert_eq!(claims["iat"], crate::scripted::START_SECONDS);
                assert_eq!(claims["exp"], crate::scripted::START_SECONDS + 60);
                let header = header(&token);
                assert_eq!((&header["typ"], header.get("kid")), (&typ.into(), None));
            }
        }
    }

    #[tokio::test]
    async fn rfc7523_section_3_every_request_has_an_assertion_of_its_own() {
        let (authentication, _) = key(regrant_crypto::Algorithm::Es256);
        let tokens = assertions(authentication, 20).await;
        let ids: HashSet<String> = tokens.iter().map(|token| claims(token)["jti"].to_string()).collect();
        assert_eq!(ids.len(), 20);
    }

    #[tokio::test]
    async fn a_key_has_the_name_that_the_server_knows_it_by() {
        let jwk = r#"{"kty":"OKP","crv":"Ed25519","kid":"mine","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
            "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let own = PrivateKeyJwt::from_jwk(jwk).unwrap();
        for (own, kid) in [(own.clone(), "mine"), (own.with_key_id("other"), "other")] {
            let token = assertions(own, 1).await.remove(0);
            assert_eq!(header(&token)["kid"], kid);
        }
    }

    #[tokio::test]
    async fn a_signature_that_a_wrong_clock_has_spoiled_is_made_once_more_by_the_clock_of_the_server() {
        const DATE: (&str, &str) = ("date", "Fri, 15 Jan 2027 09:00:00 GMT");
        let refused = |headers: &[(&str, &str)]| with(401, r#"{"error":"invalid_client"}"#, headers);
        let cases: [(&str, Vec<Answer>, usize, bool); 4] = [
            ("an hour behind", vec![refused(&[DATE]), with(200, TOKENS, &[DATE])], 2, true),
            ("refused for another reason too", vec![refused(&[DATE]), refused(&[DATE])], 2, false),
            ("right", vec![refused(&[("date", "Fri, 15 Jan 2027 08:00:01 GMT")])], 1, false),
            ("nobody knows", vec![refused(&[])], 1, false),
        ];
        for (why, answers, requests, is_ok) in cases {
            let server = Scripted::of(answers);
            let (authentication, _) = key(regrant_crypto::Algorithm::Es256);
            let client = server.client().authenticated_by(Authentication::PrivateKeyJwt(authentication));
            let outcome = client.client_credentials(&Scope::empty()).await;
            assert!(matches!((&outcome, is_ok), (Ok(_), true) | (Err(Failure::ReRegister(_)), false)), "{why}");
            let heard = server.take();
            assert_eq!(heard.len(), requests, "{why}");
            if let Some(second) = heard.get(1) {
                let claims = claims(second.get("client_assertion").unwrap());
                assert_eq!(claims["iat"], crate::scripted::START_SECONDS + 3600, "{why}");
            }
        }
    }

    #[test]
    fn the_key_is_not_printed() {
        let (own, _) = key(regrant_crypto::Algorithm::Es256);
        let printed = format!("{:?}", Authentication::PrivateKeyJwt(own));
        assert!(printed.contains("redacted"), "{printed}");
    }
}
