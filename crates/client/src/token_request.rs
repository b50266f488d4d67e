//! What is sent to the token endpoint, and what comes back.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use form_urlencoded::Serializer;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method};
use regrant_protocol::{Scope, Secret, Timestamp};
use zeroize::Zeroizing;

use crate::dpop::{Proven, origin};
use crate::{
    Authentication, Delivery, DpopKey, Failure, OAuthClient, RequestBody, Target, Temporary, Tokens, TransportError,
    classify, clock_offset_milliseconds,
};

/// What a request to the token endpoint came to, and when.
pub(crate) struct Reply {
    pub(crate) outcome: Result<Tokens, Failure>,
    pub(crate) received_at: Timestamp,
    pub(crate) clock_offset: Option<i64>,
}

/// The parameters of a request; none is given twice but `resource`.
pub(crate) type Form<'a> = Vec<(&'a str, &'a str)>;

impl OAuthClient {
    /// Asks the token endpoint, with a proof of `key`.
    ///
    /// A server that refuses the proof or the signature for want of its nonce, or because of our clock, and says so, is asked
    /// once more for each of the two: the request was not acted upon.
    pub(crate) async fn token<'a>(&'a self, form: Form<'a>, key: Option<&DpopKey>) -> Reply {
        let is_signed = key.is_some() || matches!(self.authentication(), Authentication::PrivateKeyJwt(_));
        let (mut may_learn_nonce, mut may_learn_clock) = (key.is_some(), is_signed);
        loop {
            let signed_at = self.server_now();
            let (reply, has_nonce) = self.ask(form.clone(), key).await;
            let has_learned = match &reply.outcome {
                Err(Failure::Configuration(refusal) | Failure::ReRegister(refusal)) => match refusal.error.as_str() {
                    "use_dpop_nonce" => has_nonce && std::mem::take(&mut may_learn_nonce),
                    "invalid_client" | "invalid_dpop_proof" => {
                        let moved = self.server_now().milliseconds_since(signed_at).abs();
                        moved >= CLOCK_ERROR_MILLISECONDS && std::mem::take(&mut may_learn_clock)
                    }
                    _ => false,
                },
                _ => false,
            };
            if !has_learned {
                return reply;
            }
        }
    }

    /// One request to the token endpoint, and whether its answer had a nonce.
    async fn ask<'a>(&'a self, form: Form<'a>, key: Option<&DpopKey>) -> (Reply, bool) {
        let endpoint = &self.provider().token_endpoint;
        let answer = self.post(endpoint, form, key).await;
        let received_at = self.clock().now();
        let (head, body) = match answer {
            Ok(answer) => answer.into_parts(),
            Err(error) => return (Reply { outcome: Err(unanswered(error)), received_at, clock_offset: None }, false),
        };
        let outcome = classify(head.status.as_u16(), &head.headers, &Zeroizing::new(body));
        let clock_offset = clock_offset_milliseconds(&head.headers, received_at);
        self.learned().learn_clock_offset(clock_offset);
        let has_nonce = endpoint.parse().is_ok_and(|uri| self.learned().nonces.learn(origin(&uri), &head.headers));
        (Reply { outcome, received_at, clock_offset }, has_nonce)
    }

    /// Posts a form. What cannot be sent has not been sent.
    pub(crate) async fn post(
        &self,
        endpoint: &str,
        form: Form<'_>,
        key: Option<&DpopKey>,
    ) -> Result<http::Response<Vec<u8>>, TransportError> {
        self.transport().send(self.request(endpoint, form, key)?).await
    }

    fn request(
        &self,
        endpoint: &str,
        form: Form<'_>,
        key: Option<&DpopKey>,
    ) -> Result<http::Request<RequestBody>, TransportError> {
        let assertion;
        let mut form: Form<'_> = form;
        let mut request = http::Request::builder()
            .method(Method::POST)
            .uri(endpoint)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        match self.authentication() {
            Authentication::None => form.push(("client_id", self.id().as_str())),
            Authentication::Post(secret) => {
                form.extend([("client_id", self.id().as_str()), ("client_secret", secret.expose())]);
            }
            Authentication::Basic(secret) => request = request.header(AUTHORIZATION, self.basic(secret)),
            Authentication::PrivateKeyJwt(key) => {
                assertion =
                    key.assertion(self.id(), self.provider(), self.server_now(), self.entropy()).map_err(unsent)?;
                form.extend([
                    // RFC 7521 §4.2 does without it; some servers do not.
                    ("client_id", self.id().as_str()),
                    ("client_assertion_type", ASSERTION_TYPE),
                    ("client_assertion", assertion.expose()),
                ]);
            }
        }
        if let Some(key) = key {
            let uri = endpoint.parse().map_err(unsent)?;
            let nonce = self.learned().nonces.of(&origin(&uri));
            let (now, nonce) = (self.server_now(), nonce.as_deref());
            let proven = Proven { method: &Method::POST, uri: &uri, now, access_token: None, nonce };
            request = request.header("dpop", key.proof(&proven, self.entropy()).map_err(unsent)?);
        }
        let body = Serializer::new(String::new()).extend_pairs(form).finish();
        request.body(RequestBody::new(body.into_bytes())).map_err(unsent)
    }

    /// RFC 6749 §2.3.1: each part is form-urlencoded before they are joined.
    fn basic(&self, secret: &Secret) -> HeaderValue {
        let encoded = |part: &str| form_urlencoded::byte_serialize(part.as_bytes()).collect::<String>();
        let pair = Zeroizing::new(format!("{}:{}", encoded(self.id().as_str()), encoded(secret.expose())));
        let text = format!("Basic {}", STANDARD.encode(&*pair));
        let mut value = HeaderValue::from_str(&text).expect("base64 may stand in a header");
        value.set_sensitive(true);
        value
    }
}

pub(crate) fn with_scope<'a>(mut form: Form<'a>, scope: &'a Scope) -> Form<'a> {
    if !scope.is_empty() {
        form.push(("scope", scope.as_str()));
    }
    form
}

pub(crate) fn with_target<'a>(form: Form<'a>, target: &'a Target) -> Form<'a> {
    let mut form = with_scope(form, &target.scope);
    form.extend(target.resources.iter().map(|resource| ("resource", resource.as_str())));
    form
}

fn unsent(error: impl fmt::Display) -> TransportError {
    TransportError::NotSent(error.to_string())
}

pub(crate) fn unanswered(error: TransportError) -> Failure {
    let delivery = match &error {
        TransportError::NotSent(_) => Delivery::NotSent,
        TransportError::Unanswered(_) => Delivery::Unanswered,
    };
    Failure::Temporary(Temporary { cause: error.to_string(), retry_after: None, delivery, error: None })
}

/// RFC 7523 §2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// A clock that was believed to be so much nearer to the server's is a reason for a signature to be refused.
const CLOCK_ERROR_MILLISECONDS: i64 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::{Answer, Scripted, answer, with};
    use crate::{Dpop, TokenType};

    fn tokens(token_type: &str) -> String {
        format!(r#"{{"access_token":"a","token_type":"{token_type}","refresh_token":"r"}}"#)
    }

    fn asks_for_nonce(nonce: &str) -> Answer {
        with(400, r#"{"error":"use_dpop_nonce"}"#, &[("dpop-nonce", nonce)])
    }

    #[tokio::test]
    async fn rfc9449_section_8_a_nonce_is_asked_for_once_and_no_loop_is_possible() {
        let good = || with(200, &tokens("DPoP"), &[]);
        type Case<'a> = (&'a str, Vec<Answer>, &'a [Option<&'a str>], bool);
        let cases: [Case<'_>; 5] = [
            ("no nonce", vec![good()], &[None], true),
            ("one", vec![asks_for_nonce("n1"), good()], &[None, Some("n1")], true),
            ("one that is never enough", vec![asks_for_nonce("n1"), asks_for_nonce("n2")], &[None, Some("n1")], false),
            ("none to be had", vec![answer(400, r#"{"error":"use_dpop_nonce"}"#)], &[None], false),
            ("a malformed one", vec![asks_for_nonce("a b")], &[None], false),
        ];
        for (why, answers, nonces, is_ok) in cases {
            let server = Scripted::of(answers);
            let client = server.client().with_dpop(Dpop::Required);
            assert_eq!(client.client_credentials(&Scope::empty()).await.is_ok(), is_ok, "{why}");
            let heard = server.take();
            let sent: Vec<_> = heard.iter().map(|own| own.proof().get("nonce").cloned()).collect();
            assert_eq!(sent, nonces.iter().map(|nonce| nonce.map(Into::into)).collect::<Vec<_>>(), "{why}");
        }
    }

    #[tokio::test]
    async fn rfc9449_section_8_2_the_last_nonce_is_used_until_there_is_another() {
        let server = Scripted::of(vec![
            asks_for_nonce("n1"),
            with(200, &tokens("DPoP"), &[]),
            with(200, &tokens("DPoP"), &[("dpop-nonce", "n2")]),
            with(200, &tokens("DPoP"), &[]),
        ]);
        let client = server.client().with_dpop(Dpop::Required);
        for _ in 0..3 {
            client.clone().client_credentials(&Scope::empty()).await.unwrap();
        }
        let nonces: Vec<_> = server.take().iter().map(|own| own.proof()["nonce"].clone()).collect();
        assert_eq!(nonces, [serde_json::Value::Null, "n1".into(), "n1".into(), "n2".into()]);
    }

    #[tokio::test]
    async fn rfc9449_section_5_a_bearer_token_is_no_answer_to_a_login_that_has_to_be_bound() {
        let refused = |given| Err(Failure::TokenType(given));
        let (bearer, bound) = (TokenType::Bearer, TokenType::Dpop);
        for (dpop, offered, given, expected) in [
            (Dpop::Off, true, "Bearer", Ok(false)),
            (Dpop::Off, true, "DPoP", refused(bound)),
            (Dpop::WhereOffered, false, "bearer", Ok(false)),
            (Dpop::WhereOffered, true, "Bearer", Ok(false)),
            (Dpop::WhereOffered, true, "dpop", Ok(true)),
            (Dpop::Required, false, "DPoP", Ok(true)),
            (Dpop::Required, true, "Bearer", refused(bearer)),
        ] {
            let body = tokens(given);
            let server = Scripted::new(move |heard| answer(200, if heard.path == "/token" { &body } else { "" }));
            let offered = if offered { vec!["PS256".to_owned(), "EdDSA".to_owned()] } else { Vec::new() };
            let client = server.client_of(|provider| provider.dpop_algorithms = offered).with_dpop(dpop);
            let credential = client.password("ada", &Secret::new("p".to_owned()), &Scope::empty()).await;
            let key = credential.as_ref().map(|own| own.dpop_key.is_some()).map_err(Clone::clone);
            assert_eq!(key, expected, "{dpop:?} {given}");
            let heard = server.take();
            let is_asked = dpop == Dpop::Required || dpop == Dpop::WhereOffered && heard[0].dpop.is_some();
            assert_eq!(heard[0].dpop.is_some(), is_asked, "{dpop:?} {given}");
            // What will not be used is not left alive.
            assert_eq!(heard.len(), if expected.is_err() { 2 } else { 1 }, "{dpop:?} {given}");
            assert!(expected.is_ok() || heard[1].path == "/revoke" && heard[1].get("token") == Some("r"));
        }
    }

    #[tokio::test]
    async fn rfc9449_section_10_the_code_is_bound_to_the_key_that_redeems_it() {
        let server = Scripted::new(|_| answer(200, &tokens("DPoP")));
        let client = server.client().with_dpop(Dpop::Required);
        let login = client.authorization("http://127.0.0.1/callback", &Scope::empty()).unwrap();
        let query: Vec<_> = login.url().split(['?', '&']).collect();
        let value = |name: &str| query.iter().find_map(|own| own.strip_prefix(name)).unwrap().to_owned();
        let (state, jkt) = (value("state="), value("dpop_jkt="));
        let credential = login.finish(&format!("code=c&state={state}")).await.unwrap();
        assert_eq!(credential.dpop_key.unwrap().thumbprint(), jkt);
        let jwk = crate::scripted::header(server.take()[0].dpop.as_deref().unwrap())["jwk"].clone();
        assert_eq!(serde_json::from_value::<regrant_crypto::Jwk>(jwk).unwrap().thumbprint(), jkt);
    }

    #[tokio::test]
    async fn a_client_without_dpop_sends_no_proof() {
        let server = Scripted::new(|_| answer(200, &tokens("Bearer")));
        let credential = server.client().client_credentials(&Scope::empty()).await.unwrap();
        assert_eq!((credential.dpop_key, server.take()[0].dpop.clone()), (None, None));
    }
}
