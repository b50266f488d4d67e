//! What a request to an API carries, and when it is sent once more: one rule for every kind of HTTP client.

use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};

use crate::dpop::{Proven, URI_BYTES_MAX, origin};
use crate::{AccessToken, DpopKey, TokenError, TokenManager, TokenType};

/// One request to an API, from its first try to its last. There are at most three: one more with the nonce that the API asks
/// for (RFC 9449 §9), and one more with another access token.
///
/// For HTTP clients that have neither a tower service nor a reqwest middleware:
///
/// ```no_run
/// use http::{HeaderMap, Method, StatusCode};
/// use regrant_client::{ApiRequest, TokenError, TokenManager};
///
/// # async fn send(_: HeaderMap) -> (StatusCode, HeaderMap) { (StatusCode::OK, HeaderMap::new()) }
/// # async fn example(tokens: &TokenManager) -> Result<(), TokenError> {
/// let mut request = ApiRequest::new(tokens, Method::GET, "https://api.example/reports".parse().unwrap()).await?;
/// loop {
///     let mut headers = HeaderMap::new();
///     request.authorize(&mut headers);
///     let (status, answer) = send(headers).await;
///     if !request.is_to_be_repeated(status, &answer).await {
///         break;
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ApiRequest {
    tokens: TokenManager,
    method: Method,
    uri: Uri,
    token: AccessToken,
    key: Option<DpopKey>,
    may_take_nonce: bool,
    may_take_token: bool,
}

impl ApiRequest {
    /// A request that is about to be sent, with an access token of `tokens`.
    ///
    /// # Errors
    /// When there is no access token, or it is bound to a key and `uri` is not absolute.
    pub async fn new(tokens: &TokenManager, method: Method, uri: Uri) -> Result<Self, TokenError> {
        let (token, key) = tokens.bound_access_token().await?;
        let is_provable = uri.scheme().is_some() && uri.host().is_some() && uri.to_string().len() <= URI_BYTES_MAX;
        if key.is_some() && !is_provable {
            return Err(TokenError::Uri(uri.to_string()));
        }
        let tokens = tokens.clone();
        Ok(Self { tokens, method, uri, token, key, may_take_nonce: true, may_take_token: true })
    }

    /// How the access token is shown.
    #[must_use]
    pub const fn token_type(&self) -> TokenType {
        if self.key.is_some() { TokenType::Dpop } else { TokenType::Bearer }
    }

    /// Puts the token into the headers of the request (RFC 6750 §2.1), and beside it, where it is bound to a key, the proof for
    /// this one try (RFC 9449 §7.1).
    pub fn authorize(&self, headers: &mut HeaderMap) {
        let text = format!("{} {}", self.token_type().scheme(), self.token.expose());
        let mut value = HeaderValue::from_str(&text).expect("only tokens that can stand in a header are accepted");
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
        if let Some(key) = &self.key {
            headers.insert(DPOP, self.proof(key));
        }
    }

    fn proof(&self, key: &DpopKey) -> HeaderValue {
        let client = self.tokens.client();
        let nonce = self.tokens.nonces().of(&origin(&self.uri));
        let proven = Proven {
            method: &self.method,
            uri: &self.uri,
            now: client.server_now(),
            access_token: Some(&self.token),
            nonce: nonce.as_deref(),
        };
        key.proof(&proven, client.entropy()).expect("the length of the URI was checked")
    }

    /// Whether the request is to be sent once more after this answer, with what [`ApiRequest::authorize`] gives then.
    ///
    /// To be asked after every answer: it remembers the nonces.
    pub async fn is_to_be_repeated(&mut self, status: StatusCode, headers: &HeaderMap) -> bool {
        let has_nonce = self.key.is_some() && self.tokens.nonces().learn(origin(&self.uri), headers);
        if status != StatusCode::UNAUTHORIZED {
            return false;
        }
        if self.key.is_some() && asks_for_nonce(headers) {
            // There is nothing wrong with the token.
            return has_nonce && std::mem::take(&mut self.may_take_nonce);
        }
        if !std::mem::take(&mut self.may_take_token) {
            return false;
        }
        self.tokens.invalidate(&self.token);
        match self.tokens.bound_access_token().await {
            Ok((token, key)) if token != self.token => {
                (self.token, self.key) = (token, key);
                true
            }
            _ => false,
        }
    }
}

/// RFC 9449 §9: a challenge of the scheme `DPoP` with the error `use_dpop_nonce`.
fn asks_for_nonce(headers: &HeaderMap) -> bool {
    let challenges = headers.get_all(WWW_AUTHENTICATE).iter();
    challenges.filter_map(|value| value.to_str().ok()).any(|challenge| challenge.contains("use_dpop_nonce"))
}

const DPOP: HeaderName = HeaderName::from_static("dpop");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::{Scripted, answer, claims};
    use crate::{Dpop, MemoryStorage};
    use regrant_protocol::{Scope, Secret};

    /// A manager whose login is bound or not, a minute after it.
    async fn manager(dpop: Dpop) -> TokenManager {
        let mut generation = 0;
        let server = Scripted::new(move |heard| {
            generation += 1;
            let type_of = if heard.dpop.is_some() { "DPoP" } else { "Bearer" };
            answer(
                200,
                &format!(
                    r#"{{"access_token":"a{generation}","token_type":"{type_of}","expires_in":3600,"refresh_token":"r"}}"#
                ),
            )
        });
        let client = server.client().with_dpop(dpop);
        let credential = client.password("ada", &Secret::new("p".to_owned()), &Scope::empty()).await.unwrap();
        let manager = TokenManager::new(client, MemoryStorage::default()).with_timer(server.clone());
        manager.log_in(credential).await.unwrap();
        server.clock().advance_seconds(60);
        manager
    }

    const NONCE: (&str, &str) = ("dpop-nonce", "n1");
    const WANTS_NONCE: (&str, &str) = ("www-authenticate", r#"DPoP error="use_dpop_nonce", error_description="x""#);
    const WANTS_TOKEN: (&str, &str) = ("www-authenticate", r#"DPoP error="invalid_token""#);

    /// The tokens and nonces with which a request is sent to an API that answers so.
    async fn sent(tokens: &TokenManager, answers: &[(u16, &[(&'static str, &str)])]) -> Vec<(String, Option<String>)> {
        let uri = "https://api.example/reports?year=2027".parse().unwrap();
        let mut own = ApiRequest::new(tokens, Method::GET, uri).await.unwrap();
        let mut sent = Vec::new();
        for (status, pairs) in answers {
            let mut headers = HeaderMap::new();
            own.authorize(&mut headers);
            let token = headers[AUTHORIZATION].to_str().unwrap().to_owned();
            let nonce = headers.get("dpop").map(|proof| {
                let claims = claims(proof.to_str().unwrap());
                assert_eq!((&claims["htm"], &claims["htu"]), (&"GET".into(), &"https://api.example/reports".into()));
                claims["nonce"].as_str().unwrap_or("-").to_owned()
            });
            sent.push((token, nonce));
            let pair = |&(name, value): &(&'static str, &str)| (HeaderName::from_static(name), value.parse().unwrap());
            let answer = pairs.iter().map(pair).collect();
            if !own.is_to_be_repeated(StatusCode::from_u16(*status).unwrap(), &answer).await {
                return sent;
            }
        }
        panic!("the request is repeated more often than there are answers")
    }

    #[tokio::test]
    async fn a_request_is_sent_at_most_three_times_once_more_for_a_nonce_and_once_more_for_another_token() {
        type Case<'a> = (Dpop, &'a [(u16, &'a [(&'static str, &'a str)])], &'a [(&'a str, Option<&'a str>)]);
        const N2: (&str, &str) = ("dpop-nonce", "n2");
        let cases: [Case<'_>; 10] = [
            (Dpop::Off, &[(200, &[])], &[("Bearer a1", None)]),
            (Dpop::Off, &[(401, &[]), (401, &[])], &[("Bearer a1", None), ("Bearer a2", None)]),
            // A nonce is of no use without a key.
            (Dpop::Off, &[(401, &[NONCE, WANTS_NONCE]), (200, &[])], &[("Bearer a1", None), ("Bearer a2", None)]),
            (Dpop::Required, &[(200, &[])], &[("DPoP a1", Some("-"))]),
            (
                Dpop::Required,
                &[(401, &[NONCE, WANTS_NONCE]), (200, &[])],
                &[("DPoP a1", Some("-")), ("DPoP a1", Some("n1"))],
            ),
            (
                Dpop::Required,
                &[(401, &[NONCE, WANTS_NONCE]), (401, &[N2, WANTS_NONCE])],
                &[("DPoP a1", Some("-")), ("DPoP a1", Some("n1"))],
            ),
            (Dpop::Required, &[(401, &[WANTS_NONCE])], &[("DPoP a1", Some("-"))]),
            (
                Dpop::Required,
                &[(401, &[WANTS_TOKEN]), (401, &[WANTS_TOKEN])],
                &[("DPoP a1", Some("-")), ("DPoP a2", Some("-"))],
            ),
            (
                Dpop::Required,
                &[(401, &[NONCE, WANTS_NONCE]), (401, &[WANTS_TOKEN]), (401, &[N2, WANTS_NONCE])],
                &[("DPoP a1", Some("-")), ("DPoP a1", Some("n1")), ("DPoP a2", Some("n1"))],
            ),
            (Dpop::Required, &[(403, &[NONCE, WANTS_NONCE])], &[("DPoP a1", Some("-"))]),
        ];
        for (dpop, answers, expected) in cases {
            let found = sent(&manager(dpop).await, answers).await;
            let found: Vec<_> = found.iter().map(|(token, nonce)| (token.as_str(), nonce.as_deref())).collect();
            assert_eq!(found, expected, "{dpop:?} {answers:?}");
        }
    }

    #[tokio::test]
    async fn rfc9449_section_9_the_nonce_of_an_answer_is_used_by_the_next_request() {
        let tokens = manager(Dpop::Required).await;
        assert_eq!(sent(&tokens, &[(200, &[NONCE])]).await[0].1.as_deref(), Some("-"));
        assert_eq!(sent(&tokens, &[(200, &[])]).await[0].1.as_deref(), Some("n1"));
    }

    #[tokio::test]
    async fn a_bound_token_is_sent_to_absolute_uris_only() {
        let long = format!("https://api.example/{}", "x".repeat(URI_BYTES_MAX));
        for (uri, dpop, is_ok) in [
            ("/reports", Dpop::Off, true),
            ("/reports", Dpop::Required, false),
            (&long, Dpop::Off, true),
            (&long, Dpop::Required, false),
        ] {
            let own = ApiRequest::new(&manager(dpop).await, Method::GET, uri.parse().unwrap()).await;
            assert!(matches!((&own, is_ok), (Ok(_), true) | (Err(TokenError::Uri(_)), false)), "{own:?}");
        }
    }
}
